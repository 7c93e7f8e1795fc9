"""Ways to a terminal: byte operations with capabilities; what they mean for a family is ``terminals``."""

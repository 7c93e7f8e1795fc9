"""The stick that is carried to a terminal's own menu: is it fit, what lies on it, and how a file gets there whole."""

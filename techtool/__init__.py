"""techtool: update payment terminals on site, offline, and prove what was done."""

__version__ = "0.1.0"

"""Sidelane's own version, for those who can't import all of it."""

VERSION = "0.1.0"

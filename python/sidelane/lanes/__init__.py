"""Lanes as a whole: brought from a file, compared, bundled, retired."""

"""A lane in one file, and again from it."""

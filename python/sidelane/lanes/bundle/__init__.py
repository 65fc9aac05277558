"""Bundles: a lane packed into one file, and replayed from it."""

"""Checks of manifests against the naming contract, and reports as text, JSON and YAML."""

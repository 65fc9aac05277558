"""Manifests held against the naming contract, and what was found, as text, JSON and YAML."""

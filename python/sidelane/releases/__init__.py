"""Releases: install, upgrade, wait for, record, verify and repair them, on a cluster or in a directory."""

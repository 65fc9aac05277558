"""A package, so that its tests share a node, which ends with the last of them (scope="package" in conftest.py)."""

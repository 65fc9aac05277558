"""What the text of a reference says: a plain name, a path, something that Helm must fetch, or a file of objects."""

from __future__ import annotations

import os


def is_name(text: str) -> bool:
    """Return whether a reference is the plain name of a chart, and no path."""
    return "/" not in text and not text.startswith(".") and not text.endswith(".tgz")


def is_remote(reference: str) -> bool:
    """Return whether Helm must fetch a reference: ``oci://…``, a URL, or ``repo/chart`` if it is not a path."""
    if "://" in reference:
        return True
    return "/" in reference and not reference.startswith(("/", ".")) and not os.path.lexists(reference)


def is_manifest(reference: str) -> bool:
    """Return whether a subject of a check is a file of objects, and no chart."""
    return reference.endswith((".yaml", ".yml", ".json"))

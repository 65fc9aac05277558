"""Values files, of which many tests read the same."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path


@functools.cache
def loaded(file: Path) -> dict[str, Any]:
    """The values of a file, which a test must not change."""
    return dict(yaml.load(file.read_text(), yaml.CSafeLoader))

"""The conventions that checks hold a chart to: patterns of names and labels, severities, exceptions.

- value.py: the conventions as a value;
- patterns.py: patterns with placeholders;
- file.py: files and presets;
- exceptions.py: exceptions and left-out objects;
- sidelane.yaml, helm.yaml: the presets, in the format of a file.
"""

from __future__ import annotations

from sidelane.checks.conventions.file import (
    NAME,
    PRESETS,
    chosen,
    content_of,
    find,
    named,
    nearest,
    preset,
    preset_text,
    read,
    read_file,
)
from sidelane.checks.conventions.value import Conventions, Exemption

__all__ = [
    "NAME",
    "PRESETS",
    "Conventions",
    "Exemption",
    "chosen",
    "content_of",
    "find",
    "named",
    "nearest",
    "preset",
    "preset_text",
    "read",
    "read_file",
]

"""Kubernetes' quantities, as far as charts write them."""

from __future__ import annotations

import re

UNITS = {"": 1.0, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}


def quantity(text: str | float) -> float:
    """A quantity such as ``250m`` or ``1Gi`` as a number of CPUs or bytes. Raises ValueError for any other text."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    if not match or match[2] not in UNITS:
        raise ValueError(f"{text!r} is not a quantity")
    return float(match[1]) * UNITS[match[2]]

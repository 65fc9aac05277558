"""The data files that Sidelane ships beside its code: the charts, and the schemas of the files that it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: The folder of the package.
PACKAGE: Final = Path(__file__).resolve().parents[1]


def folder(name: str) -> Path:
    """Return the folder ``charts`` or ``schemas``: in the installed package, or at the top of a checkout."""
    installed = PACKAGE / f"_{name}"
    return installed if installed.is_dir() else PACKAGE.parents[1] / name

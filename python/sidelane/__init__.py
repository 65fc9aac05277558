"""Immutable, versioned deployments, side by side: Helm charts and a thin SDK around Helm.

from sidelane import Client, Lane

Client(namespace="streams").install("zookeeper", Lane("2-coco", 1))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sidelane.version import VERSION

if TYPE_CHECKING:
    from sidelane.client import AsyncClient, Client
    from sidelane.errors import SidelaneError
    from sidelane.naming.lane import Lane
    from sidelane.releases.stores import Release

__version__ = VERSION

__all__ = ["AsyncClient", "Client", "Lane", "Release", "SidelaneError"]

# Each name's module is imported when the name is asked for: `sidelane --help` needs none of them.
_HOME = {
    "AsyncClient": "client",
    "Client": "client",
    "Lane": "naming.lane",
    "Release": "releases.stores",
    "SidelaneError": "errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"sidelane.{_HOME[name]}"), name)
    raise AttributeError(f"module 'sidelane' has no attribute {name!r}")

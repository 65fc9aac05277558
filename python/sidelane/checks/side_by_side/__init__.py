"""The proof that two releases of a chart run side by side: pure functions over two renderings.

Each file has one kind of clash (a ``CLASH`` with pairs of YAML that clash and that do not). To add one, write its file
beside the others and list it here. proving.py compares.
"""

from __future__ import annotations

from typing import Final

from sidelane.checks.side_by_side import (
    cluster_defaults,
    cluster_objects,
    foreign_selectors,
    host_paths,
    host_ports,
    hosts_paths,
    leases,
    made_objects,
    other_names,
    service_addresses,
    shared_objects,
    volumes,
    webhooks,
)
from sidelane.checks.side_by_side.clash import Clash

__all__ = ["CLASHES", "Clash"]

CLASHES: Final[tuple[Clash, ...]] = (
    shared_objects.CLASH,
    cluster_objects.CLASH,
    made_objects.CLASH,
    foreign_selectors.CLASH,
    service_addresses.CLASH,
    host_ports.CLASH,
    hosts_paths.CLASH,
    volumes.CLASH,
    host_paths.CLASH,
    leases.CLASH,
    other_names.CLASH,
    webhooks.CLASH,
    cluster_defaults.CLASH,
)

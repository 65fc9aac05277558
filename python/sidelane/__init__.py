"""Immutable, versioned deployments, side by side: Helm charts and a thin SDK around Helm.

    from sidelane import Client, Lane

    Client(namespace="streams").install("zookeeper", Lane("2-coco", 1))

Every public name is here: the clients, the types of their results, and every exception. All else is private.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sidelane.version import VERSION

if TYPE_CHECKING:
    from sidelane.charts.rendering import PlainRendering, Rendering
    from sidelane.checks.findings import Checks, Finding, Report
    from sidelane.client import AsyncClient, AsyncRoutes, AsyncShifts, Client, Routes, Shifts
    from sidelane.errors import (
        ApplyFailed,
        ChartNotFound,
        CheckFailed,
        ClusterDenied,
        ClusterUnreachable,
        FieldsOwned,
        GateFailed,
        HelmError,
        HelmNotFound,
        HelmTooOld,
        InvalidConventions,
        InvalidDeployment,
        InvalidInput,
        InvalidLane,
        InvalidManifest,
        InvalidName,
        InvalidRoute,
        InvalidValues,
        KindNotServed,
        NotOurs,
        NotReady,
        NotSigned,
        NotWhatWasChecked,
        Refused,
        ReleaseConflict,
        ReleaseExists,
        ReleaseNotFound,
        RouteChanged,
        SidelaneError,
        StillHeld,
        TargetBusy,
        TargetNotReady,
        TimedOut,
        TooLarge,
    )
    from sidelane.graph.model import Graph
    from sidelane.lanes.bundle.archives import Bundle
    from sidelane.lanes.bundle.replaying import Replayed
    from sidelane.lanes.deployment import Applied, Plan
    from sidelane.lanes.diff import Comparison
    from sidelane.lanes.lane_status import LaneStatus
    from sidelane.lanes.retire import Retirement
    from sidelane.naming.lane import Lane
    from sidelane.releases.guarding import Guarding
    from sidelane.releases.provenance import Record
    from sidelane.releases.readiness import Readiness, Unready
    from sidelane.releases.repair import Repair
    from sidelane.releases.stores import Release
    from sidelane.releases.verification import Verification
    from sidelane.routes.notes import Change
    from sidelane.routes.progress import Shift
    from sidelane.routes.returning import ShiftStatus, ShiftUndone
    from sidelane.routes.routed import Routed
    from sidelane.routes.standing import Standing
    from sidelane.routes.together import RoutedTogether

__version__ = VERSION

__all__ = [
    "Applied",
    "ApplyFailed",
    "AsyncClient",
    "AsyncRoutes",
    "AsyncShifts",
    "Bundle",
    "Change",
    "ChartNotFound",
    "CheckFailed",
    "Checks",
    "Client",
    "ClusterDenied",
    "ClusterUnreachable",
    "Comparison",
    "FieldsOwned",
    "Finding",
    "GateFailed",
    "Graph",
    "Guarding",
    "HelmError",
    "HelmNotFound",
    "HelmTooOld",
    "InvalidConventions",
    "InvalidDeployment",
    "InvalidInput",
    "InvalidLane",
    "InvalidManifest",
    "InvalidName",
    "InvalidRoute",
    "InvalidValues",
    "KindNotServed",
    "Lane",
    "LaneStatus",
    "NotOurs",
    "NotReady",
    "NotSigned",
    "NotWhatWasChecked",
    "PlainRendering",
    "Plan",
    "Readiness",
    "Record",
    "Refused",
    "Release",
    "ReleaseConflict",
    "ReleaseExists",
    "ReleaseNotFound",
    "Rendering",
    "Repair",
    "Replayed",
    "Report",
    "Retirement",
    "RouteChanged",
    "Routed",
    "RoutedTogether",
    "Routes",
    "Shift",
    "ShiftStatus",
    "ShiftUndone",
    "Shifts",
    "SidelaneError",
    "Standing",
    "StillHeld",
    "TargetBusy",
    "TargetNotReady",
    "TimedOut",
    "TooLarge",
    "Unready",
    "Verification",
]

#: The modules of the public names. A module is imported when a name of it is asked for: `sidelane --help` needs none.
_HOMES = {
    "charts.rendering": ("PlainRendering", "Rendering"),
    "checks.findings": ("Checks", "Finding", "Report"),
    "client": (
        "AsyncClient",
        "AsyncRoutes",
        "AsyncShifts",
        "Client",
        "Routes",
        "Shifts",
    ),
    "errors": (
        "ApplyFailed",
        "ChartNotFound",
        "CheckFailed",
        "ClusterDenied",
        "ClusterUnreachable",
        "FieldsOwned",
        "GateFailed",
        "HelmError",
        "HelmNotFound",
        "HelmTooOld",
        "InvalidConventions",
        "InvalidDeployment",
        "InvalidInput",
        "InvalidLane",
        "InvalidManifest",
        "InvalidName",
        "InvalidRoute",
        "InvalidValues",
        "KindNotServed",
        "NotOurs",
        "NotReady",
        "NotSigned",
        "NotWhatWasChecked",
        "Refused",
        "ReleaseConflict",
        "ReleaseExists",
        "ReleaseNotFound",
        "RouteChanged",
        "SidelaneError",
        "StillHeld",
        "TargetBusy",
        "TargetNotReady",
        "TimedOut",
        "TooLarge",
    ),
    "graph.model": ("Graph",),
    "lanes.bundle.archives": ("Bundle",),
    "lanes.bundle.replaying": ("Replayed",),
    "lanes.deployment": (
        "Applied",
        "Plan",
    ),
    "lanes.diff": ("Comparison",),
    "lanes.lane_status": ("LaneStatus",),
    "lanes.retire": ("Retirement",),
    "naming.lane": ("Lane",),
    "releases.guarding": ("Guarding",),
    "releases.provenance": ("Record",),
    "releases.readiness": (
        "Readiness",
        "Unready",
    ),
    "releases.repair": ("Repair",),
    "releases.stores": ("Release",),
    "releases.verification": ("Verification",),
    "routes.notes": ("Change",),
    "routes.returning": (
        "ShiftStatus",
        "ShiftUndone",
    ),
    "routes.routed": ("Routed",),
    "routes.progress": ("Shift",),
    "routes.standing": ("Standing",),
    "routes.together": ("RoutedTogether",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"sidelane.{home}"), name)
    raise AttributeError(f"module 'sidelane' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

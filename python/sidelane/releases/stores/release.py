"""A release as its target reports it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sidelane.naming.chart_ref import ChartRef
from sidelane.naming.contract import parse_name

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane
    from sidelane.releases.readiness import Readiness


class ObjectStatus(NamedTuple):
    """One object of a release. ready: such as ``3/3``, empty for kinds without readiness."""

    kind: str
    name: str
    ready: str = ""

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "ready": self.ready}


@dataclass(frozen=True)
class Release:
    """A release in its target.

    lane: None for a name outside the naming contract. status: Helm's word (deployed, failed, pending-install …).
    revision: 1 before the first upgrade. chart: name and version, ``zookeeper-0.1.0``. change: the action of this call:
    created, unchanged, upgraded, finished (after a dead process) or uninstalled; empty if it only read. changes: the
    fields that an upgrade changed, one line each. kept_values: operational values that stayed because
    they were not given, one line each. readiness: if requested, and on a cluster. drift: the lines of drift of an
    unchanged release. warnings: facts about a new release that need attention, one line each. description: Helm's
    description of the revision, if this release alone was read.
    """

    name: str
    namespace: str
    status: str
    revision: int
    chart: str
    app_version: str = ""
    updated: datetime | None = None
    notes: str = ""
    change: str = ""
    changes: tuple[str, ...] = ()
    kept_values: tuple[str, ...] = ()
    objects: tuple[ObjectStatus, ...] = field(default=())
    readiness: Readiness | None = None
    drift: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    description: str = ""

    @property
    def lane(self) -> Lane | None:
        named = parse_name(self.name)
        return named[1] if named else None

    @property
    def chart_ref(self) -> ChartRef:
        """The chart's name and version."""
        return ChartRef.parse(self.chart)

    @property
    def is_pending(self) -> bool:
        """True while a Helm creates or changes it, and after such a Helm was killed."""
        return self.status.startswith("pending-")

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the release, without unknown values."""
        known: dict[str, object] = {
            "name": self.name,
            "namespace": self.namespace,
            "lane": str(self.lane) if self.lane else None,
            "status": self.status,
            "revision": self.revision,
            "chart": self.chart,
            "appVersion": self.app_version,
            "updated": self.updated.isoformat() if self.updated else None,
            "change": self.change,
            "changes": list(self.changes),
            "keptValues": list(self.kept_values),
            "notes": self.notes,
            "objects": [item.to_json() for item in self.objects],
            "readiness": self.readiness.to_json() if self.readiness else None,
            "drift": list(self.drift),
            "warnings": list(self.warnings),
        }
        return {key: value for key, value in known.items() if value not in (None, "", [])}

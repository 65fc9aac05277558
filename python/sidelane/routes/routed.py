"""The result of a call on a route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidelane.releases.stores import Release
from sidelane.routes.model import Route
from sidelane.routes.places import Backend


@dataclass(frozen=True)
class Routed:
    """The state of a route. backends: the current state of its targets' Services, by name; only ``show`` reads them.
    change: the action of this call: created, changed, undone or unchanged; empty if it only read.
    """

    route: Route
    release: Release
    values: Mapping[str, Any]
    backends: Mapping[str, Backend] | None = None
    drift: tuple[str, ...] = ()
    change: str = ""

    @property
    def revision(self) -> int:
        return self.release.revision

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the route, without unknown values."""
        route, backends = self.route, self.backends
        known: dict[str, object] = {
            "name": route.name,
            "release": route.release,
            "namespace": self.release.namespace,
            "lane": str(route.lane),
            "mode": route.mode,
            "targetService": route.target_service,
            "status": self.release.status,
            "revision": self.revision,
            "updated": self.release.updated.isoformat() if self.release.updated else None,
            "change": self.change,
            "weights": route.split.to_json(),
            "matches": [
                {**{key: value for key, value in match.items() if key != "targets"}, "weights": split.to_json()}
                for match, split in zip(self.values.get("matches") or (), route.matches, strict=True)
            ],
            "mirror": str(route.mirror) if route.mirror else None,
            "stay": route.stay,
            "drift": list(self.drift),
        }
        if backends is not None:
            known["targets"] = [self._target(backends, route.service_of(way.to), way.how, str(way.to))
                                for way in route.ways()]  # fmt: skip
        return {key: value for key, value in known.items() if value not in (None, "", [])}

    @staticmethod
    def _target(backends: Mapping[str, Backend], service: str, how: str, target: str) -> dict[str, object]:
        backend = backends.get(service)
        known = {"target": target, "how": how, "service": service, "there": backend is not None}
        counts = {} if backend is None else {"ready": backend.ready, "pods": backend.total}
        return {**known, **{key: value for key, value in counts.items() if value is not None}}

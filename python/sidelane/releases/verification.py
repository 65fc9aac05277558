"""The result of verifying a release."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from sidelane.manifest import Identity
from sidelane.manifest.drift import Drift
from sidelane.support.harmless import in_line

if TYPE_CHECKING:
    from sidelane.releases.provenance import Record
    from sidelane.releases.readiness import Readiness, Unready
    from sidelane.releases.running.strangers import Stranger

#: The state of a release: the first that applies.
State = Literal[
    "missing", "drifted", "foreign", "changed", "unfinished", "rolling", "degraded", "unrecorded", "unchanged"
]


class Restart(NamedTuple):
    """A rollout restart: new pods with the same content. at: the time, as written. by: the authors, if known."""

    identity: Identity
    at: str
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return in_line(f"{self.identity}: was restarted at {self.at}{by}")

    def to_json(self) -> dict[str, object]:
        return {"object": self.identity.to_json(), "at": self.at, "by": list(self.by)}


@dataclass(frozen=True)
class Verification:
    """The result of verifying a release.

    status: Helm's word. route: True for a route, which changes in place, has a history in the target and needs no
    record. changed: differences between Helm and the record; operated: allowed ones; both as lines. missing: objects
    that are gone. drift: differences between the cluster and Helm; scaled: allowed ones, in replicas. restarts: rollout
    restarts of its workloads, which change nothing. rolling: a line for each workload whose controller is replacing
    pods of an earlier template. degraded: a line for each workload with too few ready pods;
    readiness: the reasons, if they could be read. record: the release's record, None if there is none. digest: of all
    objects of the release in Helm, ``sha256:…``, computed as a record's digest.
    """

    release: str
    namespace: str
    status: str
    changed: tuple[str, ...] = ()
    missing: tuple[Identity, ...] = ()
    drift: tuple[Drift, ...] = ()
    operated: tuple[str, ...] = ()
    scaled: tuple[Drift, ...] = ()
    ran: tuple[Drift, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    notes: tuple[str, ...] = ()
    rolling: tuple[str, ...] = ()
    restarts: tuple[Restart, ...] = ()
    degraded: tuple[str, ...] = ()
    readiness: Readiness | None = field(default=None, repr=False)
    record: Record | None = field(default=None, repr=False)
    route: bool = False
    digest: str = ""

    @property
    def recorded(self) -> Literal["there", "none", "not needed"]:
        """The presence of a record, in words."""
        if self.record is not None:
            return "there"
        return "not needed" if self.route else "none"

    @property
    def operational(self) -> tuple[str, ...]:
        """The allowed differences, as lines."""
        return (*self.operated, *map(str, self.scaled))

    @property
    def odd(self) -> tuple[str, ...]:
        """The differences between the cluster and Helm that `repair` resets, as lines."""
        return (*(f"{identity}: is missing" for identity in self.missing), *map(str, self.drift))

    @property
    def unready(self) -> tuple[Unready, ...]:
        """The pods and other objects that are not ready, of a degraded release."""
        return self.readiness.unready if self.readiness else ()

    @property
    def state(self) -> State:
        states: tuple[tuple[State, bool], ...] = (
            ("missing", bool(self.missing)),
            ("drifted", bool(self.drift or self.ran)),
            ("foreign", bool(self.strangers)),
            ("changed", bool(self.changed)),
            ("unfinished", self.status != "deployed"),
            ("rolling", bool(self.rolling)),
            ("degraded", bool(self.degraded)),
            ("unrecorded", self.recorded == "none"),
        )
        return next((state for state, holds in states if holds), "unchanged")

    def summary(self) -> str:
        """Returns a SLSA Verification Summary of this result, an in-toto Statement, as JSON on one line."""
        from sidelane.releases.provenance.summary import summary  # noqa: PLC0415 - few need it

        return summary(self)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the verification."""
        return {
            "release": self.release,
            "namespace": self.namespace,
            "state": self.state,
            "status": self.status,
            "record": self.recorded,
            "changed": list(self.changed),
            "missing": [identity.to_json() for identity in self.missing],
            "drift": [difference.to_json() for difference in self.drift],
            "ran": [difference.to_json() for difference in self.ran],
            "foreign": [stranger.to_json() for stranger in self.strangers],
            "notes": list(self.notes),
            "operational": list(self.operational),
            "restarts": [restart.to_json() for restart in self.restarts],
            "rolling": list(self.rolling),
            "degraded": list(self.degraded),
            "unready": [each.to_json() for each in self.unready],
        }

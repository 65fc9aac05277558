"""The course of a shift as a value: its steps, the answers of its gates, its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidelane.routes.gates import Gate
from sidelane.routes.notices import Event, event


@dataclass
class Step:
    """One step of a shift. weights, revisions: of each route, by its stable name. apart: the seconds from the begin of
    the step's first write to the end of its last one. outcome: ``passed``, ``failed``, or empty while it lasts.
    """

    percent: int
    weights: Mapping[str, Mapping[str, int]]
    revisions: Mapping[str, int]
    apart: float
    seconds: float = 0.0
    outcome: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {
            "percent": self.percent,
            "weights": {route: dict(weights) for route, weights in self.weights.items()},
            "revisions": dict(self.revisions),
            "secondsApart": round(self.apart, 3),
            "seconds": round(self.seconds, 3),
            "outcome": self.outcome,
        }


@dataclass
class Shift:
    """The course of a shift. move: ``to v2``, or ``from 2-coco-1 to 2-coco-2``. before, now: the weights of each route,
    by its stable name. outcome: ``done``, ``put back``, ``refused`` if a step was not allowed, ``ended by another
    change``, or ``interrupted``. events: each step, failure and end. unsent: notifications that a receiver refused.
    """

    id: str
    move: str
    before: Mapping[str, Mapping[str, int]]
    now: dict[str, Mapping[str, int]]
    began_at: Mapping[str, int]
    planned: tuple[int, ...] = ()
    steps: list[Step] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    outcome: str = "interrupted"
    why: str = ""
    events: list[Event] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the shift."""
        return {
            "id": self.id,
            "move": self.move,
            "outcome": self.outcome,
            "why": self.why,
            "routes": [
                {"route": name, "before": dict(self.before[name]), "now": dict(self.now[name]),
                 "beganAtRevision": self.began_at[name]}
                for name in self.before
            ],
            "steps": [step.to_json() for step in self.steps],
            "checks": [gate.to_json() for gate in self.gates],
            **({"unsent": list(self.unsent)} if self.unsent else {}),
        }  # fmt: skip

    def happened(self, kind: str, text: str) -> Event:
        """Adds an event."""
        self.events.append(event(len(self.events) + 1, kind, f"shift {self.id} {self.move}: {text}", self.to_json()))
        return self.events[-1]

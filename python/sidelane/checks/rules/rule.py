"""What a rule is, what it is given, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from sidelane.errors import InvalidLane
from sidelane.manifest import Identity, Manifest, Object
from sidelane.naming import labels, route
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.support.harmless import in_line
from sidelane.support.redaction import redact

Severity = Literal["error", "warning"]

#: What a route is made of (charts/route), by group and kind; its objects say so in their labels.
ROUTE_KINDS: Final = frozenset({
    ("", "Service"), ("networking.istio.io", "VirtualService"), ("gateway.networking.k8s.io", "HTTPRoute"),
})  # fmt: skip


class Finding(NamedTuple):
    """One thing that is wrong, where, and what to do: sorted by where it is.

    ``source`` is the template, or the input's name; ``line`` is where the object begins in the input, from 1;
    ``path`` leads to the field, empty for the whole object.
    """

    source: str
    line: int
    identity: Identity
    path: str
    rule: str
    severity: Severity
    message: str
    remedy: str

    def __str__(self) -> str:
        field_path = f" {self.path}" if self.path else ""
        return in_line(f"{self.source}: {self.identity}{field_path}: {self.message}; {self.remedy} [{self.rule}]")

    def to_json(self) -> dict[str, object]:
        """The finding as programs read it."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "object": self.identity.to_json(),
            "source": self.source,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "remedy": self.remedy,
        }


class Problem(NamedTuple):
    """What a rule's own function yields; the rule makes a Finding of it. An empty remedy means the rule's."""

    obj: Object
    path: str
    message: str
    remedy: str = ""


class Context(NamedTuple):
    """What is checked. ``lane`` is None where each object's own label says its lane. ``whole``: nothing else is in
    these lanes, so that what an object names in its own is here or nowhere.
    """

    manifest: Manifest
    lane: Lane | None = None
    whole: bool = False

    def lane_of(self, obj: Object) -> Lane | None:
        """The lane that an object has to keep to, None where neither the caller nor its label says one."""
        if self.lane is not None:
            return self.lane
        label = obj.labels.get(labels.LANE)
        return parse_lane(label) if isinstance(label, str) else None

    def in_lanes(self) -> Iterator[tuple[Object, Lane]]:
        """Every object whose lane is known. The others are lane-labels' findings."""
        for obj in self.manifest.objects:
            lane = self.lane_of(obj)
            if lane is not None:
                yield obj, lane


class Rule(NamedTuple):
    """One rule of the contract, with its reason, and YAML that breaks and keeps it."""

    id: str
    title: str
    explanation: str
    remedy: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    check: Callable[[Context], Iterable[Problem]]
    severity: Severity = "error"

    def run(self, context: Context) -> Iterator[Finding]:
        """Every finding of this rule."""
        for problem in self.check(context):
            yield self.finding(problem)

    def finding(self, problem: Problem) -> Finding:
        obj, path, message, remedy = problem
        return Finding(obj.source, obj.line, obj.identity, path, self.id, self.severity, message, remedy or self.remedy)


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = redact(repr(value))
    return text if len(text) <= 70 else f"{text[:67]}..."


@lru_cache(maxsize=1024)
def parse_lane(text: str) -> Lane | None:
    """The lane that this text is, None for none."""
    try:
        return Lane.parse(text)
    except InvalidLane:
        return None


def is_route(obj: Object) -> bool:
    """Whether an object is a route's, the one thing that may lead into other lanes: that is what it is there for."""
    return (obj.identity.group, obj.kind) in ROUTE_KINDS and route.is_part(obj.labels)


def in_lane(name: object, lane: Lane) -> bool:
    """Whether this is a name of that lane."""
    parsed = parse_name(name) if isinstance(name, str) else None
    return parsed is not None and parsed[1] == lane

"""The model of a rule: its context and its problems."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from sidelane.checks.conventions.value import Conventions
from sidelane.checks.findings import Finding, Fix, Place, Severity
from sidelane.errors import InvalidLane
from sidelane.manifest import Manifest, Object
from sidelane.naming import labels, route
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane
from sidelane.support.redaction import redact

#: The kinds of a route's objects (charts/route), by group; their labels identify them.
ROUTE_KINDS: Final = frozenset({
    ("", "Service"), ("networking.istio.io", "VirtualService"), ("gateway.networking.k8s.io", "HTTPRoute"),
})  # fmt: skip


#: The name of the chart or subchart that has the template.
_CHART: Final = re.compile(r"(?:.*/)?([^/]+)/(?:templates|crds)/")


class Problem(NamedTuple):
    """The result of a rule's check function; the rule turns it into a Finding. An empty remedy means the rule's own.

    other: the second object of a problem between two. fix: a change of the object that is safe.
    """

    obj: Object
    path: str
    message: str
    remedy: str = ""
    other: Object | None = None
    fix: Fix | None = None


def lane_texts(lane: Lane) -> dict[str, str]:
    """Return the texts of a lane's placeholders."""
    return {"version": lane.version, "build": lane.build, "lane": str(lane)}


class _Context(NamedTuple):
    manifest: Manifest
    conventions: Conventions
    lane: Lane | None = None
    whole: bool = False
    release: str = ""
    again: Manifest | None = None


class Context(_Context):
    """The input of a check. ``lane`` is None if each object's label gives its lane. ``whole``: the manifest holds the
    complete lanes, so every referenced object of a lane must be in it. ``release`` is the Helm release's name, empty if
    it is not known. ``again`` is a second rendering of the same, if there is one.
    """

    @functools.cached_property
    def lane_label(self) -> str:
        """The label that holds an object's lane; empty if there is none."""
        return self.conventions.lane_label

    @functools.cached_property
    def components(self) -> frozenset[str]:
        """The components of all names that are in a lane."""
        return frozenset(named[0] for obj in self.manifest.objects if (named := parse_name(obj.name)))

    def lane_of(self, obj: Object) -> Lane | None:
        """Return the lane that an object must be in, or None if neither the caller nor its label gives one."""
        if self.lane is not None:
            return self.lane
        label = obj.labels.get(self.lane_label)
        return parse_lane(label) if isinstance(label, str) else None

    def in_lanes(self) -> tuple[tuple[Object, Lane], ...]:
        """Return every object whose lane is known. The rule lane-labels reports the others."""
        return self._in_lanes

    @functools.cached_property
    def _in_lanes(self) -> tuple[tuple[Object, Lane], ...]:
        lanes = ((obj, self.lane_of(obj)) for obj in self.manifest.objects)
        return tuple((obj, lane) for obj, lane in lanes if lane is not None)

    def known(self, obj: Object, lane: Lane | None = None) -> Mapping[str, str]:
        """Return the known texts of the conventions' placeholders for an object."""
        release = self.release or obj.labels.get(labels.INSTANCE)
        return _known(obj.identity.namespace, str(release) if release else "", obj.source, lane)


@functools.lru_cache(maxsize=1024)  # the objects of a template have the same texts
def _known(namespace: str, release: str, source: str, lane: Lane | None) -> Mapping[str, str]:
    chart = _CHART.match(source)
    texts = {"namespace": namespace, "release": release, "chart": chart[1] if chart else ""}
    known = {key: text for key, text in texts.items() if text}
    return known if lane is None else {**known, **lane_texts(lane)}


class Rule(NamedTuple):
    """One rule, with its reason, and YAML examples that break it and keep it.

    origin: the document that the rule stems from: a title with its section or address. scope: ``lanes`` if the rule
    concerns only objects that have a lane, so that it says nothing about other charts; ``practice`` if it is advice
    that charts with lanes get, and others only if their conventions give it a severity; ``asked`` if all charts get it
    only then. tests: whether it concerns Helm's test hooks, too. conventions: those of the examples, as a file without
    its head; empty for the default. fix: the change that is safe for most findings, for people; empty if none is.
    """

    id: str
    title: str
    explanation: str
    remedy: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    check: Callable[[Context], Iterable[Problem]]
    origin: str
    scope: Literal["lanes", "all", "practice", "asked"]
    severity: Severity = "error"
    tests: bool = True
    conventions: str = ""
    fix: str = ""

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every finding of this rule."""
        for problem in self.check(context):
            yield self.finding(problem, context.lane_of(problem.obj))

    def finding(self, problem: Problem, lane: Lane | None = None) -> Finding:
        obj, path, message, remedy, other, fix = problem
        place = None if other is None else Place(other.source, other.line, other.identity, "")
        return Finding(
            source=obj.source,
            line=obj.line,
            identity=obj.identity,
            path=path,
            rule=self.id,
            severity=self.severity,
            message=message,
            remedy=remedy or self.remedy,
            other=place,
            lane="" if lane is None else str(lane),
            fix=fix,
        )


def shown(value: object) -> str:
    """Return a value for a message, cut to 70 characters."""
    text = redact(repr(value))
    return text if len(text) <= 70 else f"{text[:67]}..."


@functools.lru_cache(maxsize=1024)
def parse_lane(text: str) -> Lane | None:
    """Parse a lane; return None if the text is not one."""
    try:
        return Lane.parse(text)
    except InvalidLane:
        return None


def is_route(obj: Object) -> bool:
    """Return whether an object belongs to a route. Only routes may lead into other lanes."""
    return (obj.identity.group, obj.kind) in ROUTE_KINDS and route.is_part(obj.labels)


def in_lane(name: object, lane: Lane) -> bool:
    """Return whether this is a name in the lane."""
    parsed = parse_name(name) if isinstance(name, str) else None
    return parsed is not None and parsed[1] == lane

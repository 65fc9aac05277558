"""The conventions as a value, parsed once."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sidelane.checks.conventions.patterns import accepts, names_lane, shown

if TYPE_CHECKING:
    # A chart's conventions are read before Helm starts; the manifest's modules are imported while it renders.
    from sidelane.checks.findings import Finding, Severity
    from sidelane.manifest import Selector

Setting = Literal["error", "warning", "off"]
#: The key of the patterns for kinds, or labels, that have none of their own.
ANY: Final = "*"


class Exemption(NamedTuple):
    """An exception from one rule, from the file or from an object's annotation.

    Texts with ``*`` and ``?`` are patterns; an empty text matches everything. ``until`` is the last day on which it
    holds, as ``2027-01-31``, or empty. ``where`` is its place, for messages.
    """

    rule: str
    reason: str
    kind: str = ""
    name: str = ""
    path: str = ""
    template: str = ""
    until: str = ""
    where: str = ""

    def covers(self, finding: Finding) -> bool:
        """Return whether it is for this finding, whatever the day."""
        return finding.rule == self.rule and all(
            not pattern or fnmatchcase(text, pattern)
            for pattern, text in (
                (self.kind, finding.identity.kind),
                (self.name, finding.identity.name),
                (self.path, finding.path),
                (self.template, finding.source),
            )
        )


class Conventions(NamedTuple):
    """The rules for names and labels that checks hold a chart to.

    preset: the preset that they extend. source: their file; empty for a preset. names: kind → patterns. labels: label
    → pattern. selectors: label → patterns. components: the allowed ones; empty if all are. rules: only settings that
    differ from the rule's own. subcharts, templates, hooks: objects that are left out. version_key, build_key: keys of
    values. demanded: someone asked for them, so that lane rules apply to objects without any sign of a lane, too.
    annotated: exceptions in annotations hold.
    """

    preset: str
    source: str = ""
    names: Mapping[str, tuple[str, ...]] = {}
    labels: Mapping[str, str] = {}
    selectors: Mapping[str, tuple[str, ...]] = {}
    components: tuple[str, ...] = ()
    rules: Mapping[str, Setting] = {}
    subcharts: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    exceptions: tuple[Exemption, ...] = ()
    version_key: str = ""
    build_key: str = ""
    demanded: bool = False
    annotated: bool = True

    def severity_of(self, rule: str, default: Severity = "error") -> Setting:
        """Return a rule's severity, or ``off``. default: the rule's own severity."""
        return self.rules.get(rule, default)

    def names_of(self, kind: str) -> tuple[str, ...]:
        """Return the patterns for the names of a kind."""
        return self.names.get(kind, self.names.get(ANY, ()))

    def parts(self, selector: Selector, known: Mapping[str, str], *, but: str = "") -> bool:
        """Return whether a selector requires one of the labels, except ``but``. known: placeholder → its only text."""
        return any(
            label != but and accepts(patterns, selector.demanded(label), known)
            for key, patterns in self.selectors.items()
            for label in ([key] if key != ANY else selector.keys)
        )

    @property
    def parts_lanes(self) -> bool:
        """Return whether the lane's labels keep selectors apart."""
        return any(names_lane(pattern) for patterns in self.selectors.values() for pattern in patterns)

    def wanted(self, known: Mapping[str, str]) -> str:
        """Return the labels of which a selector must require one, for a message."""
        return " or ".join(
            f"{'any label' if key == ANY else key}: {shown(pattern, known)}"
            for key, patterns in self.selectors.items()
            for pattern in patterns
        )

    @property
    def lane_label(self) -> str:
        """The label that holds an object's lane; empty if there is none."""
        return next((key for key, pattern in self.labels.items() if pattern == "{lane}"), "")

    @property
    def has_lanes(self) -> bool:
        """Return whether these conventions name lanes at all."""
        listed = (*self.names.values(), *self.selectors.values())
        patterns = [*self.labels.values(), *(pattern for more in listed for pattern in more)]
        return any(map(names_lane, patterns))

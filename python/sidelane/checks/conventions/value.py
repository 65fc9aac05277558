"""The conventions as a value, parsed once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
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
#: The rule that has schemas.
SCHEMAS: Final = "kubernetes-schemas"


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
    annotated: exceptions in annotations hold. kubernetes: minor versions of Kubernetes 1.x that objects must be valid
    in. schemas: folders with the schemas of custom resources.
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
    kubernetes: tuple[int, ...] = ()
    schemas: tuple[str, ...] = ()

    def severity_of(self, rule: str, default: Severity = "error") -> Setting:
        """Return a rule's severity, or ``off``. default: the rule's own severity."""
        return self.rules.get(rule, default)

    def with_schemas(self, versions: str | None, folders: Iterable[str | os.PathLike[str]]) -> Conventions:
        """Return these conventions with a range of Kubernetes versions, such as 1.30-1.36, and with more folders.

        The rule kubernetes-schemas is then on. Raises InvalidInput for an invalid range, for schemas that are not
        installed, and for a missing folder; InvalidManifest for an invalid file in a folder.
        """
        more = tuple(os.fspath(folder) for folder in folders)
        if versions is None and not more:
            return self
        from sidelane.checks.kubernetes import definitions, published  # noqa: PLC0415 - few checks have schemas
        from sidelane.checks.kubernetes import versions as ranges  # noqa: PLC0415

        minors = self.kubernetes if versions is None else ranges.parse(versions)
        if minors:
            published.require(minors)
        definitions.require(more)
        rules = {**self.rules, SCHEMAS: self.rules.get(SCHEMAS, "error")}
        return self._replace(kubernetes=minors, schemas=(*self.schemas, *more), rules=rules)

    def without_schemas(self) -> Conventions:
        """Return these conventions for an installation, where the API server itself validates."""
        if not self.kubernetes and not self.schemas:
            return self
        return self._replace(kubernetes=(), schemas=(), rules={**self.rules, SCHEMAS: "off"})

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

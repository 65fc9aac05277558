"""Exceptions and left-out objects, applied to the findings of a check."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Final, NamedTuple

from sidelane.checks.conventions.value import Conventions, Exemption
from sidelane.checks.findings import Finding
from sidelane.manifest import Identity, Manifest, Object

#: Followed by a rule's id: an annotation that excepts its object from the rule.
ANNOTATION: Final = "except.sidelane.dev/"
_TEXT: Final = r"(?:until ([0-9]{4}-[0-9]{2}-[0-9]{2}): *)?(.*)"


class Useless(NamedTuple):
    """An exception that matches no finding, has ended, has no reason, or names no rule; with its place."""

    source: str
    line: int
    identity: Identity
    path: str
    message: str
    remedy: str


class Applied(NamedTuple):
    """The findings that are left, and the exceptions that are useless."""

    findings: tuple[Finding, ...]
    useless: tuple[Useless, ...]


def apply(
    findings: Iterable[Finding],
    manifest: Manifest,
    conventions: Conventions,
    ran: Collection[str],
    today: str = "",
    *,
    several: bool = False,
) -> Applied:
    """Remove the findings of left-out objects and those with an exception.

    ran: the rules that ran; an exception from another rule is not useless. today: as ``2027-01-31``. several: the
    manifest has several renderings of a chart, so an annotation is useless only if it is in all of them.
    """
    counted = [*findings]
    if conventions.subcharts or conventions.templates or conventions.hooks:
        left_out = {_key(obj) for obj in manifest.objects if _is_left_out(obj, conventions)}
        counted = [finding for finding in counted if finding[:3] not in left_out]
    exceptions = [*_of_file(conventions), *(_annotated(manifest) if conventions.annotated else ())]
    if not exceptions:
        return Applied(tuple(counted), ())
    today = today or _today()
    used = [any(each.covers(finding) for finding in counted) for each in exceptions]
    holding = [each for each in exceptions if each.holds(today)]
    remaining = tuple(finding for finding in counted if not any(each.covers(finding) for each in holding))
    pairs = list(zip(exceptions, used, strict=True))
    if several:
        # The same annotation of the same template; sorted, so that a used one is kept.
        pairs = list({pair[0].place: pair for pair in sorted(pairs, key=_hit)}.values())
    useless = [each.useless(today, used=hit) for each, hit in pairs if each.concerns(manifest, ran)]
    useless += [each.misnamed() for each, _ in pairs if each.exemption.rule not in ran]
    return Applied(remaining, tuple(filter(None, useless)))


def _hit(pair: tuple[_Exception, bool]) -> bool:
    return pair[1]


class _Exception(NamedTuple):
    """An exception with its place. only: the object of an annotation."""

    exemption: Exemption
    source: str
    line: int
    identity: Identity
    path: str
    only: Object | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """The place of an annotation, the same in every rendering of its template."""
        return self.source, self.identity.kind, self.path

    def covers(self, finding: Finding) -> bool:
        return self.exemption.covers(finding) and (self.only is None or finding[:3] == _key(self.only))

    def holds(self, today: str) -> bool:
        return bool(self.exemption.reason) and (not self.exemption.until or today <= self.exemption.until)

    def concerns(self, manifest: Manifest, ran: Collection[str]) -> bool:
        """Return whether its rule ran, and its template is of a chart in the manifest: a file may be for several."""
        chart = self.exemption.template.partition("/")[0]
        known = "*" in chart or "?" in chart or not chart
        return self.exemption.rule in ran and (
            known or any(obj.source.partition("/")[0] == chart for obj in manifest.objects)
        )

    def useless(self, today: str, *, used: bool) -> Useless | None:
        rule, until = self.exemption.rule, self.exemption.until
        if not used:
            return self._useless(f"the exception from {rule} matches no finding", "remove it")
        if not self.exemption.reason:
            return self._useless(f"the exception from {rule} has no reason", "write the reason as its value")
        if not self.holds(today):
            return self._useless(f"the exception from {rule} ended on {until}", "fix the findings, or set a later day")
        return None

    def misnamed(self) -> Useless | None:
        """Return an annotation that names no rule. A conventions file that names none is refused when it is read."""
        from sidelane.checks import explain  # noqa: PLC0415 - it imports every rule, and these import this package

        wrong = explain.unknown(self.exemption.rule) if self.only is not None else ""
        return self._useless(wrong, "correct the name, or remove the annotation") if wrong else None

    def _useless(self, message: str, remedy: str) -> Useless:
        return Useless(self.source, self.line, self.identity, self.path, message, remedy)


def _of_file(conventions: Conventions) -> Iterator[_Exception]:
    identity = Identity("", "Conventions", "", PurePath(conventions.source).name)
    for at, exemption in enumerate(conventions.exceptions):
        yield _Exception(exemption, conventions.source, 0, identity, f"exceptions[{at}]")


def _annotated(manifest: Manifest) -> Iterator[_Exception]:
    for obj in manifest.objects:
        for key, value in obj.annotations.items():
            if key.startswith(ANNOTATION) and (match := re.fullmatch(_TEXT, str(value), re.DOTALL)):
                exemption = Exemption(key.removeprefix(ANNOTATION), match[2].strip(), until=match[1] or "")
                yield _Exception(exemption, *_key(obj), f"metadata.annotations[{key}]", obj)


def _key(obj: Object) -> tuple[str, int, Identity]:
    return obj.source, obj.line, obj.identity


def _is_left_out(obj: Object, conventions: Conventions) -> bool:
    return (
        any(f"/charts/{name}/" in obj.source for name in conventions.subcharts)
        or any(fnmatchcase(obj.source, pattern) for pattern in conventions.templates)
        or not {*conventions.hooks}.isdisjoint(obj.hooks)
    )


def _today() -> str:
    import datetime  # noqa: PLC0415 - few checks have exceptions

    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()

"""Nothing in a manifest depends on the time of its rendering."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import settings
from sidelane.manifest import Object
from sidelane.manifest.fields import mapping

#: A rendering is checked at once; this is far more than it takes, and far less than the age of a fixed date.
_RECENT: Final = 600
#: A moment has at least ten characters, as seconds, and stands in no longer text than this.
_SHORTEST: Final = 10
_LONGEST: Final = 4096
_MOMENT: Final = re.compile(
    r"(?P<text>20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9])|\b(?P<epoch>[12][0-9]{9})\b"
)


#: Mappings whose keys are not fields.
_FREE: Final = frozenset({"labels", "annotations", "data", "stringData", "binaryData", "matchLabels"})


def _check(context: Context) -> Iterator[Problem]:
    names = set()
    for problem in (*_timed(context), *_differing(context)):
        place = problem.obj.identity, problem.path
        if place not in names:  # the time is in a second rendering often another one
            names.add(place)
            yield problem


def _timed(context: Context) -> Iterator[Problem]:
    """Yield the texts that hold the present time."""
    now = _Now.of(time.time())
    for obj in context.manifest.objects:
        for base, texts in _mappings(obj):
            for key, text in texts.items():
                if isinstance(text, str) and _is_now(text, now):
                    yield _problem(obj, f"{base}[{key}]", text)
        if template := obj.pod_template:
            for path, text in settings(template):
                if _is_now(text, now):
                    yield _problem(obj, path, text)


def _differing(context: Context) -> Iterator[Problem]:
    """Yield the fields that a second rendering has otherwise. Values are not shown: most are passwords and keys."""
    if context.again is None:
        return
    others = {obj.identity: obj for obj in context.again.objects}
    for obj in context.manifest.objects:
        if obj.identity in others:
            for path in _differences(obj.body, others[obj.identity].body, ""):
                yield Problem(obj, path, "differs in a second rendering of the same values")
        else:
            yield Problem(obj, "metadata.name", "is missing in a second rendering of the same values")


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            free = path.rpartition(".")[2] in _FREE
            step = f"{path}[{key}]" if free else f"{path}.{key}" if path else key
            yield from _differences(one.get(key), other.get(key), step)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (item, its) in enumerate(zip(one, other, strict=True)):
            yield from _differences(item, its, f"{path}[{at}]")
    elif one != other:
        yield path


def _problem(obj: Object, path: str, text: str) -> Problem:
    return Problem(obj, path, f"{shown(text)} is the time of the rendering")


def _mappings(obj: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the texts of labels, annotations and a ConfigMap's data."""
    yield "metadata.labels", obj.labels
    yield "metadata.annotations", obj.annotations
    if (template := obj.pod_template) and template.path:
        yield template.within("metadata.labels"), template.labels
        yield template.within("metadata.annotations"), mapping(_template(obj, template.path), "metadata", "annotations")
    if obj.kind == "ConfigMap":
        yield "data", mapping(obj.body, "data")


def _template(obj: Object, path: str) -> dict[str, Any]:
    return mapping(obj.body, *path.split("."))


class _Now(NamedTuple):
    """The present time, and the first characters of all moments near it: few texts have one of them."""

    seconds: float
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, now: float) -> _Now:
        near = (now - _RECENT, now, now + _RECENT)
        dates = {time.strftime("%Y-%m-%d", zone(moment)) for moment in near for zone in (time.gmtime, time.localtime)}
        return cls(now, tuple(dates | {str(int(moment))[:4] for moment in near}))


def _is_now(text: str, now: _Now) -> bool:
    """Return whether a text holds the present time: as seconds, or as a date in UTC or in the local time zone."""
    if not _SHORTEST <= len(text) < _LONGEST or not any(beginning in text for beginning in now.beginnings):
        return False
    for match in _MOMENT.finditer(text):
        moments = [float(match["epoch"])] if match["epoch"] else _read(match["text"].replace(" ", "T"))
        if any(abs(moment - now.seconds) < _RECENT for moment in moments):
            return True
    return False


def _read(text: str) -> list[float]:
    try:
        return [datetime.fromisoformat(f"{text}+00:00").timestamp(), datetime.fromisoformat(text).timestamp()]
    except ValueError:  # such as the 31st of February
        return []


def _with_annotation(text: str) -> str:
    return edited(RELEASE, ("{labels: *labels}", f"{{labels: *labels, annotations: {{a: '{text}'}}}}"))


RULE: Final[Rule] = Rule(
    id="nothing-random",
    title="Nothing in a manifest depends on the time of its rendering",
    explanation=(
        "The same chart and values must give the same objects: otherwise each upgrade restarts all pods, a release "
        "cannot be verified or replayed, and a second install is refused as other content. The rule finds the present "
        "time in labels, annotations, variables, arguments and ConfigMaps. A chart whose templates call functions such "
        "as randAlphaNum, now or genCA is rendered twice, and whatever differs is found."
    ),
    remedy="remove the function from the template, and take the text from the values or from an existing Secret",
    wrong=(
        _with_annotation(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
        _with_annotation(f"built {int(time.time())}"),
    ),
    right=(_with_annotation("2024-02-30 10:00:00"), _with_annotation("1700000000")),
    check=_check,
    origin="Helm, Chart Tips and Tricks; Sidelane's immutable lanes",
    scope="all",
    severity="warning",
)

"""Nothing in a manifest depends on the time of its rendering."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers
from sidelane.manifest import Object
from sidelane.manifest.fields import mapping, walk

#: A rendering is checked at once; this is far more than it takes, and far less than the age of a fixed date.
_RECENT: Final = 600
_MOMENT: Final = re.compile(
    r"(?P<text>20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9])|\b(?P<epoch>[12][0-9]{9})\b"
)


def _check(context: Context) -> Iterator[Problem]:
    now = time.time()
    for obj in context.manifest.objects:
        for path, text in _texts(obj):
            if isinstance(text, str) and len(text) < 4096 and _is_now(text, now):
                yield Problem(obj, path, f"{shown(text)} is the time of the rendering")


def _texts(obj: Object) -> Iterator[tuple[str, Any]]:
    metadata: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [("metadata", obj.labels, obj.annotations)]
    if template := obj.pod_template:
        own = mapping(_template(obj, template.path), "metadata", "annotations")
        metadata.append((template.within("metadata"), template.labels, own))
        for base, container in containers(template):
            for pattern in ("env[].value", "args[]", "command[]"):
                yield from walk(container, pattern, base)
    for base, labels, notes in metadata:
        yield from ((f"{base}.labels[{key}]", value) for key, value in labels.items())
        yield from ((f"{base}.annotations[{key}]", value) for key, value in notes.items())
    if obj.kind == "ConfigMap":
        yield from ((f"data[{key}]", value) for key, value in mapping(obj.body, "data").items())


def _template(obj: Object, path: str) -> dict[str, Any]:
    return mapping(obj.body, *path.split(".")) if path else {}


def _is_now(text: str, now: float) -> bool:
    """Return whether a text holds the present time: as seconds, or as a date in UTC or in the local time zone."""
    for match in _MOMENT.finditer(text):
        moments = [float(match["epoch"])] if match["epoch"] else _read(match["text"].replace(" ", "T"))
        if any(abs(moment - now) < _RECENT for moment in moments):
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
        "time in labels, annotations, variables, arguments and ConfigMaps."
    ),
    remedy="remove now and date from the template, or take the text from the values",
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

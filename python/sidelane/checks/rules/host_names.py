"""Host names in settings lead to Services of the own lane."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, in_lane, is_route
from sidelane.checks.rules.workloads import settings
from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import mapping
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane

#: The end of a name in a lane: its Build, or the number of a pod.
_END: Final = re.compile(r"-[0-9]+(?![a-z0-9-])")
_WORD: Final = re.compile(r"[a-z0-9-]*")
_AFTER: Final = re.compile(r":[0-9]|\.[a-z0-9-]+\.svc\b")
#: A name has at most 63 characters, and a pod's name a dash and its number more.
_LONGEST: Final = 70


class _Names(NamedTuple):
    services: frozenset[Identity]
    components: frozenset[str]
    whole: bool


def _check(context: Context) -> Iterator[Problem]:
    objects = context.manifest.objects
    names = _Names(
        frozenset(obj.identity for obj in objects if obj.kind == "Service"),
        context.components,
        context.whole,
    )
    for obj, lane in context.in_lanes():
        if not is_route(obj):
            for path, text in _texts(obj):
                if message := _message(text, obj, lane, names):
                    yield Problem(obj, path, message)


def _texts(obj: Object) -> Iterator[tuple[str, str]]:
    """Yield the settings of an object: arguments, variables, and a ConfigMap's data. Secrets are left out."""
    if (obj.identity.group, obj.kind) == ("", "ConfigMap"):
        yield from ((f"data[{key}]", text) for key, text in mapping(obj.body, "data").items() if isinstance(text, str))
    if template := obj.pod_template:
        yield from settings(template)


def _message(text: str, obj: Object, lane: Lane, names: _Names) -> str:
    """Return the problem of the first word that leads into another lane, or to a missing Service of this one."""
    for end in _END.finditer(text):
        # Backwards to the word's beginning, but not further than a name is long: the time is linear in hostile text.
        before = text[max(0, end.start() - _LONGEST) : end.start()]
        word = before[len(before) - len(_beginning(before)) :] + end[0]
        if len(word) > _LONGEST:
            continue
        if in_lane(word, lane):
            if _is_host(text, end.end() - len(word), end.end()) and _is_missing(word, obj, names):
                return f"{word} is a Service of this lane, but is missing in the manifest"
        elif not in_lane(word.rpartition("-")[0], lane) and (other := _other(word, lane, names.components)):
            return f"{word} is in lane {other}, but this object is in {lane}"
    return ""


def _beginning(before: str) -> str:
    """Return the last characters of a text that belong to a word, backwards."""
    match = _WORD.match(before[::-1])
    return match[0] if match else ""


def _is_host(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 2) : start]
    # A word after one slash is a path's or an image's.
    return (before == "//" or not before.endswith("/")) and bool(_AFTER.match(text, end))


def _is_missing(word: str, obj: Object, names: _Names) -> bool:
    if Identity("", "Service", obj.identity.namespace, word) in names.services:
        return False
    parts = (parse_name(word) or ("",))[0].split("-")
    # As in references-exist: the Service zk-hs belongs to the component zk.
    own = any("-".join(parts[:end]) in names.components for end in range(1, len(parts) + 1))
    return names.whole or own


def _other(word: str, lane: Lane, components: frozenset[str]) -> Lane | None:
    """Return the other lane of a name if it is certain; `report-2024` only looks like a name in a lane."""
    named = parse_name(word)
    return named[1] if named and (named[1].version == lane.version or named[0] in components) else None


_PEER: Final = 'value: "1"}\n            - {name: PEER, value: "%s"}'


def _with_peer(host: str) -> str:
    return edited(RELEASE, ('value: "1"}', _PEER % host))


RULE: Final[Rule] = Rule(
    id="host-names",
    title="Host names in settings lead to Services of the own lane",
    explanation=(
        "Pods that call another lane's Service mix two versions, and no selector or label shows it. The rule reads "
        "arguments, variables and the data of ConfigMaps for names of another lane, and for hosts of this lane's "
        "components that are not Services in the manifest. Routes are left out, because only they may lead elsewhere."
    ),
    remedy="make the name with the library chart's template, from the Version and Build of the release",
    wrong=(
        _with_peer("svc1-v1-2-coco-2:80"),
        _with_peer("http://zk-2-coco-2.default.svc"),
        edited(RELEASE, ("level: info", "peers: a b zk-cs-2-coco-3:2181")),
        edited(_with_peer("http://svc1-v1-2-coco-1:80"), ("kind: Service\n", "kind: ServiceAccount\n")),
    ),
    right=(
        _with_peer("http://svc1-v1-2-coco-1:80"),
        _with_peer("zk-2-coco-1-0.zk-hs-2-coco-1:2181"),
        _with_peer("report-2024-11"),
    ),
    check=_check,
    origin="Sidelane's naming contract",
    scope="lanes",
)

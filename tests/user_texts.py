"""Texts of a user that YAML takes for numbers, booleans, null or dates when nobody quotes them, in a chart's values."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema

Node = dict[str, Any]

WORDS = ("2024", "1e3", "no", "0x10", "~", "1_000", "null", ".5", "2001-01-01")

#: What the templates hold to the naming contract, in words of their own.
NAMES = {"name", "zookeeper.lane", "zookeeper.rootPrefix", "neighbours.services.*.serviceVersion"}


@dataclass(frozen=True)
class Text:
    """One text in the values: where it is, and what the schema says of it.

    ``place`` is the path with ``[]`` for every list, which items of one list have in common.
    """

    path: tuple[str | int, ...]
    place: str
    value: str
    schema: Node

    def may_be(self, word: str) -> bool:
        return bool(jsonschema.Draft7Validator(self.schema).is_valid(word))


def texts(schema: Node, value: Any, path: tuple[str | int, ...] = (), place: str = "") -> Iterator[Text]:
    """Every text in the values that the schema knows of and that is not one of a few words."""
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key, item in value.items():
            inner = known.get(key, others)
            if isinstance(inner, dict):
                # Keys that are the user's own have one place: it is their values that are looked at.
                yield from texts(inner, item, (*path, key), f"{place}.{key if key in known else '*'}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(schema.get("items", {}), item, (*path, index), f"{place}[]")
    elif isinstance(value, str) and is_text(schema) and place not in NAMES:
        yield Text(path, place, value, schema)


def is_text(schema: Node) -> bool:
    """Return True if a text may be one of the words. Quantities have a grammar of their own."""
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" not in kinds or kinds == {"string", "number"}:
        return False
    pattern = re.compile(schema.get("pattern", ""))
    return "enum" not in schema and any(pattern.search(word) for word in WORDS)


def places(schema: Node, place: str = "") -> Iterator[str]:
    """Every place where the schema lets a user write a text of his own."""
    if is_text(schema) and place not in NAMES:
        yield place
    for key, inner in schema.get("properties", {}).items():
        yield from places(inner, f"{place}.{key}".lstrip("."))
    if isinstance(others := schema.get("additionalProperties"), dict):
        yield from places(others, f"{place}.*".lstrip("."))
    if "items" in schema:
        yield from places(schema["items"], f"{place}[]")


def with_words(schema: Node, values: Node, turn: int) -> tuple[Node, dict[str, str]]:
    """The values with words in the place of texts, and which word is in which place.

    One text in two places, such as a port's name, stays one; items of one list get different words. Over as many
    turns as there are words each text is each word that the schema lets it be.
    """
    groups: dict[str, list[Text]] = {}
    every = list(texts(schema, values))
    for text in every:
        groups.setdefault(text.value, []).append(text)
    colors: dict[str, int] = {}
    changed, placed = copy.deepcopy(values), {}
    for value, group in groups.items():
        beside = {
            colors[other.value] for other in every
            if other.value in colors and {_list(other)} & {_list(text) for text in group}
        }  # fmt: skip
        colors[value] = next(color for color in range(len(WORDS) + len(beside)) if color not in beside)
        word = WORDS[(colors[value] + turn) % len(WORDS)]
        if all(text.may_be(word) for text in group):
            for text in group:
                put(changed, text.path, word)
                placed[text.place] = word
    return changed, placed


def _list(text: Text) -> str:
    """Which list a text is an item of in the end: the containers of one pod come from two, and pull secrets."""
    return re.sub("^(init|extra)Containers", "containers", text.place).removeprefix("global.")


def put(node: Any, path: tuple[str | int, ...], value: object) -> None:
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value


_POD: Node = {"image": {"digest": "", "tag": "text-tag"}, "serviceAccount": {"create": False, "name": "text-account"}}
#: What no values file in a chart's ci folder has, laid over the fullest one, so that every text of the schema is there.
MORE: dict[str, Node] = {
    "zookeeper": {"config": {"snapshot.compression.method": "gz"}, **_POD},
    "nimbus": _POD,
    "supervisor": _POD,
    "ui": {"drpc": {"service": {"annotations": {"a": "text-a"}}}, **_POD},
    "route": {"targetPort": "web"},
    "service": {
        **_POD,
        "strategy": {"maxUnavailable": 1},
        "volumeMounts": [
            {"name": "data", "mountPath": "/data", "subPath": "text-b"},
            {"name": "data", "mountPath": "/more", "subPathExpr": "text-c"},
        ],
    },
}  # fmt: skip
_EVERY: Node = {
    "global": {
        "imageRegistry": "registry.example",
        "clusterDomain": "cluster.example",
        "imagePullSecrets": [{"name": "other-credentials"}],
    },
}


def fullest(chart: str, values: Node) -> Node:
    """The values of a chart's ci/full-values.yaml, with what it leaves out."""
    merged = copy.deepcopy(values)
    for more in (_EVERY, MORE[chart]):
        merged = _over(merged, more)
    if "service" in merged:
        merged["service"]["annotations"] = {"example.org/text": "text-d"}
    return merged


def _over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _over(below.get(key), value) for key, value in above.items()}

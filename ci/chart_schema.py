"""Builds a chart's schema of its source in schemas/charts, of fragments that charts share, and of its values.yaml.

The result needs no other file: Helm would fetch what a `$ref` leads to at every install. A source says only what is its
own; filled in here are

- `$ref: fragments.yaml#/group/name`, or a list of such: what is there, with the keys beside it laid over it; without a
  place in it (`charts/zookeeper.yaml`) it is the whole of another chart's;
- `type: object` and `additionalProperties: false` where there are properties, unless the source says otherwise;
- descriptions, from the comments of values.yaml;
- `required`, for what values.yaml has: a null would take it from under the templates. `nullable: true` leaves one out.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import yaml
from described import Value, defaults, described

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


def build(chart: str) -> str:
    """Return the text of the chart's values.schema.json. Raises ValueError for a value that the source lacks."""
    finished = _finished(_described(chart), defaults(chart))
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **finished}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _described(chart: str) -> Any:
    schema = _whole(_read(f"charts/{chart}.yaml"))
    for value in described(chart):
        _describe(schema, value)
    return schema


@functools.cache
def _read(file: str) -> Any:
    return yaml.safe_load((SCHEMAS / file).read_text(encoding="utf-8"))


def _whole(node: Any) -> Any:
    """Return the node with every `$ref` replaced by its target."""
    if isinstance(node, list):
        return [_whole(item) for item in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    references = node.get("$ref", [])
    for reference in [references] if isinstance(references, str) else references:
        result = _over(result, _whole(_target(reference)))
    return _over(result, {key: _whole(value) for key, value in node.items() if key != "$ref"})


def _target(reference: str) -> Any:
    file, _, path = reference.partition("#")
    if not path:  # a part of an outer deployment: the whole of its chart
        return _described(Path(file).stem)
    node = _read(file)
    for key in filter(None, path.split("/")):
        if key not in node:
            raise ValueError(f"{reference} leads nowhere")
        node = node[key]
    return node


def _over(below: Any, above: Any) -> Any:
    """Merge two nodes: mappings key by key; of anything else the upper one wins."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _over(below[key], value) if key in below else value for key, value in above.items()}}


def _describe(schema: Any, value: Value) -> None:
    node = schema
    for key in value.path:
        if key not in node.get("properties", {}):
            raise ValueError(f"the schema has no {'.'.join(value.path)}")
        node = node["properties"][key]
    node["description"] = value.description


def _finished(node: Any, defaults: Any) -> Any:
    """Return the completed node. defaults: the data of values.yaml at its place, or None."""
    if isinstance(node, list):
        return [_finished(item, None) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: value for key, value in node.items() if key != "nullable"}
    if "properties" not in node:
        return {key: _finished(value, None) for key, value in node.items()}
    given = defaults if isinstance(defaults, dict) else {}
    properties: dict[str, Any] = node["properties"]
    # In the order of values.yaml.
    ordered = [*(key for key in given if key in properties), *(key for key in properties if key not in given)]
    needed = {key for key in given if key in properties and not properties[key].get("nullable")}
    finished = {key: value for key, value in node.items() if key not in {"properties", "required"}}
    required = sorted({*node.get("required", []), *needed})
    return {
        "type": "object",
        "additionalProperties": False,
        **{key: _finished(value, None) for key, value in finished.items()},
        "properties": {key: _finished(properties[key], given.get(key)) for key in ordered},
        **({"required": required} if required else {}),
    }

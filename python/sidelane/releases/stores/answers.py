"""Parse releases from Helm's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sidelane.naming.chart_ref import ChartRef
from sidelane.releases.provenance import carried
from sidelane.releases.stores import ObjectStatus, Release, Stored


def parts_of(answer: Mapping[str, Any]) -> carried.Parts:
    """Returns a release's whole manifest, as from `helm template`, with the separately stored hooks; and its record."""
    parts = carried.apart(answer.get("manifest") or "", answer["name"])
    hooks = (f"---\n# Source: {hook['path']}\n{hook['manifest']}\n" for hook in answer.get("hooks") or ())
    return parts._replace(text="\n".join((parts.text, *hooks)))


def stored_of(answer: Mapping[str, Any]) -> Stored:
    """Parses a stored release from Helm's JSON of `status`."""
    hooks = tuple(answer.get("hooks") or ())
    return Stored(release_of(answer), answer.get("config") or {}, *parts_of(answer), hooks=hooks)


def release_of(answer: Mapping[str, Any], *, change: str = "", objects: bool = False) -> Release:
    """Parses a release from Helm's JSON of `install`, `upgrade` and `status`."""
    info = answer.get("info") or {}
    metadata = (answer.get("chart") or {}).get("metadata") or {}
    resources = info.get("resources") or {} if objects else {}
    return Release(
        name=answer["name"],
        namespace=answer["namespace"],
        status=info.get("status", "unknown"),
        revision=int(answer["version"]),
        chart=str(ChartRef(metadata["name"], metadata["version"])) if metadata else "",
        app_version=metadata.get("appVersion", ""),
        updated=parse_time(info.get("last_deployed")),
        notes=info.get("notes", ""),
        change=change,
        description=str(info.get("description") or ""),
        objects=tuple(_object(item) for items in resources.values() for item in _items(items)),
    )


def _items(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns all resources one by one: Helm gives a release's pods as PodList objects."""
    return [item for resource in resources for item in resource.get("items", [resource])]


def _object(item: Mapping[str, Any]) -> ObjectStatus:
    return ObjectStatus(item.get("kind") or "Pod", item["metadata"]["name"], _ready(item))


def _ready(item: Mapping[str, Any]) -> str:
    """Returns the ready part of an object, ``3/3``, if its status has it."""
    status = item.get("status") or {}
    if "containerStatuses" in status:
        ready = [container.get("ready") for container in status["containerStatuses"]]
        return f"{ready.count(True)}/{len(ready)}"
    if "phase" in status:
        return str(status["phase"])
    if "replicas" in status:
        return f"{status.get('readyReplicas', 0)}/{status['replicas']}"
    return ""


def parse_time(text: str | None) -> datetime | None:
    """Parses a time in Go's form, ``2026-11-23 06:21:28.753977324 +0000 UTC``, or JSON's; None for Go's zero."""
    match = re.match(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*\s*(Z|[+-]\d\d:?\d\d)", text or "")
    if match is None or match[1] == "0001-01-01":
        return None
    day, clock, fraction, zone = match.groups(default="")
    return datetime.fromisoformat(f"{day}T{clock}{fraction}{zone}")

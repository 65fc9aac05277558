"""What the files of a release in a directory say: written and read here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Manifest
from sidelane.rendering import Rendering, documents
from sidelane.targets import Release

#: The file of a release's record.
RECORD = "record.json"


def read(folder: Path) -> Release:
    """The release in a folder, as its chart.yaml tells it. Raises FileNotFoundError, InvalidManifest."""
    path = folder / "chart.yaml"
    found = coordinates(path)
    try:
        chart = found["chart"]
        return Release(
            name=folder.name,
            namespace=folder.parent.name,
            status="deployed",
            revision=int(found["revision"]),
            chart=f"{chart['name']}-{chart['version']}",
            app_version=chart["appVersion"],
            updated=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        )
    except (KeyError, TypeError, ValueError):
        raise _no_coordinates(path) from None


def order(folder: Path) -> dict[str, Any]:
    """What a release needs of its lane, and its level: see Options. Raises FileNotFoundError, InvalidManifest."""
    found = coordinates(folder / "chart.yaml")
    needs, level = found.get("needs"), found.get("level")
    return {"needs": needs if isinstance(needs, list) else [], "level": level if isinstance(level, int) else 0}


def coordinates(path: Path) -> dict[str, Any]:
    """What a chart.yaml holds. Raises FileNotFoundError, InvalidManifest."""
    data = kubeyaml.read(text(path), source=str(path))
    if not isinstance(data, dict):
        raise _no_coordinates(path)
    return cast("dict[str, Any]", data)


def _no_coordinates(path: Path) -> InvalidManifest:
    return InvalidManifest(f"{str(path)!r} is not a release's coordinates", remedy="restore it from git")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def texts(rendering: Rendering, namespace: str, revision: int, needs: Mapping[str, Any]) -> dict[str, str]:
    """The content of each file of a release, by its name. needs: as ``order`` gives it."""
    objects, hooks = _apart(rendering)
    chart = rendering.chart
    about = {
        "release": rendering.release,
        "revision": revision,
        "lane": {"Version": rendering.lane.version, "Build": rendering.lane.build},
        "chart": {
            "name": chart.name,
            "version": chart.version,
            "appVersion": chart.app_version,
            "digest": chart.digest,
        },
        **{key: value for key, value in needs.items() if value},
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "resources": ["manifest.yaml"],
    }
    written = {
        "manifest.yaml": objects,
        "values.yaml": dump(dict(rendering.values)),
        "chart.yaml": dump(about),
        "kustomization.yaml": dump(kustomization),
    }
    return {**written, "hooks.yaml": hooks} if hooks else written


def _apart(rendering: Rendering) -> tuple[str, str]:
    """The text of the objects and the text of the hooks, each document as Helm printed it."""
    parts: tuple[list[str], list[str]] = ([], [])
    for document in documents(rendering.text):
        found = Manifest.read(document, source=rendering.chart.name).objects
        parts[any(item.is_hook for item in found)].append(f"---\n{document}\n")
    return "".join(parts[False]), "".join(parts[True])

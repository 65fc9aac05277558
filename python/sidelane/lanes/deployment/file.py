"""The reader of deployment files. Their schema is schemas/deployment.schema.json."""

from __future__ import annotations

import functools
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.charts import flags, strvals, written_lane
from sidelane.errors import InvalidDeployment
from sidelane.helm.values import require
from sidelane.kubeyaml.written import Written
from sidelane.naming.lane import Lane
from sidelane.support import carried
from sidelane.support.schemas import problems
from sidelane.support.secrets import learn_values


@dataclass(frozen=True)
class Wanted:
    """One release of the file.

    chart, repo and version: as for `sidelane install`; a chart's path is absolute. needs: other releases of the file,
    by their names without the lane. where: the release's place in the file, ``releases[2]``, for messages. conventions:
    a preset's name or a file's path, for a chart that is not Sidelane's; None for those that an installation finds.
    """

    chart: str
    where: str
    repo: str | None = None
    version: str | None = None
    name: str | None = None
    service_version: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    conventions: str | None = None


@dataclass(frozen=True)
class Deployment:
    """All releases of one lane. namespace: None for Helm's own choice. routes: in the file's form. apply: the command
    that applies the file, without a Build.
    """

    lane: Lane
    releases: tuple[Wanted, ...]
    namespace: str | None = None
    routes: tuple[Mapping[str, Any], ...] = ()
    apply: str = ""


def read(
    path: str | os.PathLike[str],
    *,
    namespace: str | None = None,
    version: str | None = None,
    build: str | int | None = None,
) -> Deployment:
    """Reads a deployment file. namespace, version, build: replace the file's namespace, Version and Build.

    Raises InvalidDeployment with every mistake at once, InvalidLane, and InvalidInput for an unreadable file.
    """
    source = os.fspath(path)
    content = kubeyaml.content(path)
    data = kubeyaml.read(content, source=source)
    if not isinstance(data, dict):
        raise InvalidDeployment(
            f"{source} is not a deployment file: it holds no mapping",
            remedy="begin it with apiVersion: sidelane.dev/v1alpha1 and kind: LaneDeployment",
        )
    if errors := _misread(content, data) or problems(schema(), data):
        raise InvalidDeployment(
            f"{source} is not a deployment file:\n  " + "\n  ".join(errors),
            errors=errors,
            remedy="see schemas/deployment.schema.json",
        )
    for place, item in _values_in(data):
        require(item, f"{source}: {_dotted(place)}")
        learn_values(item)
    lane = Lane(version or data["lane"]["Version"], data["lane"]["Build"] if build is None else build)
    folder = Path(path).parent
    return Deployment(
        lane=lane,
        namespace=data.get("namespace") if namespace is None else namespace,
        releases=tuple(_wanted(item, f"releases[{at}]", folder) for at, item in enumerate(data["releases"])),
        routes=tuple(data.get("routes") or ()),
        apply=shlex.join(["sidelane", "apply", source, *(["--lane-version", version] if version else [])]),
    )


def _values_in(data: Mapping[str, Any]) -> Iterator[tuple[written_lane.Path, Mapping[str, Any]]]:
    """Returns the values in the file itself, each with its place."""
    for part in ("releases", "routes"):
        items = data.get(part)
        for at, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and isinstance(item.get("values"), dict):
                yield (part, at, "values"), item["values"]


def _misread(content: bytes, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns a sentence for each text of the file that YAML reads as another type."""
    paths: list[written_lane.Path] = [("lane", "Version"), ("lane", "Build"), ("namespace",)]
    releases = data.get("releases")
    for at in range(len(releases) if isinstance(releases, list) else 0):
        paths += [("releases", at, key) for key in ("version", "name", "serviceVersion")]
    sentences = written_lane.misread(Written(content), paths)
    return (
        *sentences,
        *(sentence for place, item in _values_in(data) for sentence in written_lane.in_values(content, item, place)),
    )


def _dotted(place: written_lane.Path) -> str:
    return "{}[{}].{}".format(*place)


@functools.cache
def schema() -> dict[str, Any]:
    """Returns the JSON schema of the file."""
    text = (carried.folder("schemas") / "deployment.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _wanted(item: Mapping[str, Any], where: str, folder: Path) -> Wanted:
    values: dict[str, Any] = {}
    for name in item.get("valuesFiles") or ():
        strvals.merge_into(values, flags.read_file(kubeyaml.content(folder / name), str(folder / name)))
    strvals.merge_into(values, item.get("values") or {})
    return Wanted(
        chart=item["chart"] if item.get("repo") else _reference(item["chart"], folder),
        where=where,
        repo=item.get("repo"),
        version=item.get("version"),
        name=item.get("name"),
        service_version=item.get("serviceVersion"),
        values=values,
        needs=tuple(item.get("needs") or ()),
        conventions=_conventions(item.get("conventions"), folder),
    )


def _conventions(given: str | None, folder: Path) -> str | None:
    """Resolves a path relative to the file; returns the name of a preset unchanged."""
    from sidelane.checks.conventions import PRESETS  # noqa: PLC0415 - few files name them

    return given if given is None or given in PRESETS else str((folder / given).resolve())


def _reference(chart: str, folder: Path) -> str:
    """Resolves a path relative to the file; returns other references unchanged."""
    is_path = chart.startswith((".", "/")) or (chart.endswith(".tgz") and "://" not in chart)
    return str((folder / chart).resolve()) if is_path else chart

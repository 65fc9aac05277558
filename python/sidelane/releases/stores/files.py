"""The content of a release's files in a directory. Only this module writes and reads it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.charts.rendering import Rendering, documents
from sidelane.errors import InvalidManifest, Refused
from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Manifest
from sidelane.manifest.differences import fields, in_line
from sidelane.naming.chart_ref import ChartRef
from sidelane.releases.provenance import Record
from sidelane.releases.stores import Release

#: The file of a release's record.
RECORD = "record.json"
_FILES = frozenset({"manifest.yaml", "hooks.yaml", "values.yaml", "chart.yaml", "kustomization.yaml", RECORD})


def read(folder: Path) -> Release:
    """Reads the release of a folder from its chart.yaml. Raises FileNotFoundError, InvalidManifest."""
    require_folder(folder.parent)
    require_folder(folder)
    path = folder / "chart.yaml"
    data = coordinates(path)
    try:
        chart = data["chart"]
        return Release(
            name=folder.name,
            namespace=folder.parent.name,
            status="deployed",
            revision=int(data["revision"]),
            chart=str(ChartRef(chart["name"], chart["version"])),
            app_version=chart["appVersion"],
            updated=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        )
    except (KeyError, TypeError, ValueError):
        raise _no_coordinates(path) from None


def order(folder: Path) -> dict[str, Any]:
    """Reads a release's needs and level: see Basis. Raises FileNotFoundError, InvalidManifest."""
    data = coordinates(folder / "chart.yaml")
    needs, level = data.get("needs"), data.get("level")
    return {"needs": needs if isinstance(needs, list) else [], "level": level if isinstance(level, int) else 0}


def coordinates(path: Path) -> dict[str, Any]:
    """Reads a chart.yaml. Raises FileNotFoundError, InvalidManifest."""
    data = kubeyaml.read(text(path), source=str(path))
    if not isinstance(data, dict):
        raise _no_coordinates(path)
    return cast("dict[str, Any]", data)


def _no_coordinates(path: Path) -> InvalidManifest:
    return InvalidManifest(f"{str(path)!r} is not a release's coordinates", remedy="restore it from git")


def text(path: Path) -> str:
    """Reads a file's text. Raises FileNotFoundError, and Refused unless it is a plain file: a link may leave the
    directory, and reading a pipe may block for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _not_plain(path, "a plain file") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_plain(path, "a plain file")
    with os.fdopen(descriptor, encoding="utf-8") as file:
        try:
            return file.read()
        except UnicodeDecodeError:
            raise _not_plain(path, "text in UTF-8") from None


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Opens a lock file, and creates it if it is missing. Raises Refused unless it is a plain file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise _not_plain(path, "a plain file") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _not_plain(path, "a plain file")
        yield descriptor
    finally:
        os.close(descriptor)


def require_folder(path: Path) -> None:
    """Raises Refused for a path that exists and is not a folder, such as a link to one."""
    if os.path.lexists(path) and not stat.S_ISDIR(path.lstat().st_mode):
        raise _not_plain(path, "a folder")


def require_plain(folder: Path) -> None:
    """Raises Refused for an existing release's folder that is not a folder of plain files."""
    require_folder(folder.parent)
    require_folder(folder)
    with suppress(FileNotFoundError):
        for entry in sorted(folder.iterdir()):
            if not stat.S_ISREG(entry.lstat().st_mode):
                raise _not_plain(entry, "a plain file")


def _not_plain(path: Path, what: str) -> Refused:
    return Refused(f"{str(path)!r} is not {what}", remedy="remove it, or restore it from git")


def odd(folder: Path, record: Record | None) -> tuple[str, ...]:
    """Returns the content of a release's files, beyond objects and values, that Sidelane did not write, as lines.
    Raises as ``text`` does.
    """
    lines = [f"the file {path.name} is not Sidelane's" for path in sorted(folder.iterdir()) if path.name not in _FILES]
    for name, hooks in (("manifest.yaml", False), ("hooks.yaml", True)):
        with suppress(FileNotFoundError):
            objects = Manifest.read(text(folder / name), source=name).objects
            lines += [f"{obj.identity} is in {name}" for obj in objects if obj.is_hook is not hooks]
    if record is not None or os.path.lexists(folder / "kustomization.yaml"):
        lines += _differing("kustomization.yaml", folder, _kustomization(folder.parent.name))
    if record is not None:
        lines += _differing("chart.yaml", folder, _recorded(record, coordinates(folder / "chart.yaml")))
    return tuple(lines)


def _differing(name: str, folder: Path, expected: Mapping[str, Any]) -> Iterator[str]:
    try:
        written = kubeyaml.read(text(folder / name), source=name)
    except FileNotFoundError:
        yield f"the file {name} is missing"
        return
    for path, before, after in fields(expected, written):
        yield f"{name}: {path or 'the whole file'}: {in_line(before, after)}"


def _recorded(record: Record, written: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the coordinates from the record, with the directory's own revision."""
    given = record.to_json()["predicate"]["buildDefinition"]  # type: ignore[index]
    lane = given["externalParameters"]
    (chart,) = (dependency for dependency in given["resolvedDependencies"] if dependency["name"] == record.chart)
    return {
        "release": record.release,
        "revision": written.get("revision"),
        "lane": {"Version": lane["Version"], "Build": lane["Build"]},
        "chart": {
            "name": record.chart,
            "version": record.chart_version,
            "appVersion": chart["annotations"]["appVersion"],
            "digest": record.chart_digest,
        },
        **({"needs": list(record.needs)} if record.needs else {}),
        **({"level": record.level} if record.level else {}),
    }


def _kustomization(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "resources": ["manifest.yaml"],
    }


def texts(rendering: Rendering, namespace: str, revision: int, needs: Mapping[str, Any]) -> dict[str, str]:
    """Returns the content of each file of a release, by its name. needs: from ``order``."""
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
    written = {
        "manifest.yaml": objects,
        "values.yaml": dump(dict(rendering.values)),
        "chart.yaml": dump(about),
        "kustomization.yaml": dump(_kustomization(namespace)),
    }
    return {**written, "hooks.yaml": hooks} if hooks else written


def _apart(rendering: Rendering) -> tuple[str, str]:
    """Returns the text of the objects and the text of the hooks, each document as Helm printed it."""
    parts: tuple[list[str], list[str]] = ([], [])
    for document in documents(rendering.text):
        objects = Manifest.read(document, source=rendering.chart.name).objects
        parts[any(item.is_hook for item in objects)].append(f"---\n{document}\n")
    return "".join(parts[False]), "".join(parts[True])

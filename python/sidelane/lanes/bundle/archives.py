"""The file format of a bundle, which holds all data to deploy a lane again, elsewhere or years later.

    bundle.json                     the lane, its namespace, its releases in their order, the versions that it was
                                    rendered for and by, and the digest of every other file
    charts/<digest>.tgz             each chart, as a package
    releases/<name>/values.json     the values, with Version and Build
    releases/<name>/manifest.yaml   the objects as deployed, with which a replay is compared
    releases/<name>/record.json     the record, if there is one

The same content gives the same bytes. A bundle is not signed: keep or sign its digest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from sidelane.charts.rendering import read_manifest
from sidelane.errors import InvalidInput
from sidelane.helm.values import require
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.support.files import bounded, packed
from sidelane.support.harmless import in_line

API_VERSION: Final = "sidelane.dev/v1alpha1"
KIND: Final = "LaneBundle"
INDEX: Final = "bundle.json"

#: The limits of a bundle, packed and unpacked, and of one file in it, in bytes: many times the size of a lane.
_LIMIT: Final = 200 * 1024 * 1024
_FILE_LIMIT: Final = 50 * 1024 * 1024
#: The most files of a bundle; a release has four.
_FILES: Final = 10_000
#: Helm's own rule for the name of a release.
_NAME: Final = re.compile(r"(?=.{1,53}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class _Broken(Exception):
    """The reason why a file is not a bundle, as the end of a sentence."""


@dataclass(frozen=True)
class Bundled:
    """One release of a bundle: its chart as a package, its values, its objects as Helm printed them, its record."""

    name: str
    chart: bytes
    values: Mapping[str, Any]
    text: str
    namespace: str
    record: str | None = None

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.text, self.namespace, self.name)


@dataclass(frozen=True)
class Bundle:
    """A whole lane. kubernetes and api_versions: of the cluster that it was rendered for; helm: its version."""

    lane: Lane
    namespace: str
    kubernetes: str
    api_versions: tuple[str, ...]
    helm: str
    releases: tuple[Bundled, ...]
    digest: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the bundle."""
        return {
            "lane": str(self.lane),
            "namespace": self.namespace,
            "kubernetes": self.kubernetes,
            "helm": self.helm,
            "digest": self.digest,
            "releases": [{"name": release.name, "digest": release.manifest.digest()} for release in self.releases],
        }


def write(bundle: Bundle, path: Path) -> str:
    """Writes a bundle, and returns its digest. A file at the path is replaced only when the new one is complete."""
    files: dict[str, bytes] = {}
    for release in bundle.releases:
        folder = f"releases/{release.name}"
        files[_chart(release.chart)] = release.chart
        files[f"{folder}/values.json"] = _json(release.values)
        files[f"{folder}/manifest.yaml"] = release.text.encode()
        if release.record is not None:
            files[f"{folder}/record.json"] = release.record.encode()
    index = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "lane": {"Version": bundle.lane.version, "Build": bundle.lane.build},
        "namespace": bundle.namespace,
        "kubernetes": bundle.kubernetes,
        "apiVersions": list(bundle.api_versions),
        "helm": bundle.helm,
        "releases": [{"name": release.name, "chart": _chart(release.chart)} for release in bundle.releases],
        "files": {name: _digest(content) for name, content in sorted(files.items())},
    }
    content = packed({INDEX: _json(index), **dict(sorted(files.items()))})
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(content)
    aside.replace(path)
    return _digest(content)


def read(path: str | Path) -> Bundle:
    """Reads a bundle, within limits that hostile input cannot exceed.

    Raises InvalidInput for a file that is not a bundle or was changed, and InvalidValues for values that would not
    reach a chart unchanged.
    """
    try:
        content = bounded(path, _LIMIT)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(str(path), error) from None
    remedy = "name a file that the command bundle made"
    try:
        return _read(_unpacked(content), _digest(content))
    except _Broken as why:
        raise InvalidInput(f"{str(path)!r} is not a bundle: {why}", remedy=remedy) from None
    except RecursionError:
        raise InvalidInput(f"{str(path)!r} is not a bundle: its JSON is nested too deep", remedy=remedy) from None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(f"{str(path)!r} is not a bundle, or is damaged", remedy=remedy) from None


def _read(files: Mapping[str, bytes], digest: str) -> Bundle:
    index = cast("dict[str, Any]", json.loads(files[INDEX]))
    if (index["apiVersion"], index["kind"]) != (API_VERSION, KIND):
        raise ValueError
    if {name: _digest(content) for name, content in files.items() if name != INDEX} != index["files"]:
        raise ValueError
    return Bundle(
        lane=Lane(index["lane"]["Version"], index["lane"]["Build"]),
        namespace=str(index["namespace"]),
        kubernetes=str(index["kubernetes"]),
        api_versions=tuple(map(str, index["apiVersions"])),
        helm=str(index["helm"]),
        releases=tuple(_release(entry, files, str(index["namespace"])) for entry in index["releases"]),
        digest=digest,
    )


def _release(entry: Mapping[str, Any], files: Mapping[str, bytes], namespace: str) -> Bundled:
    name = str(entry["name"])
    if not _NAME.fullmatch(name):
        raise _Broken(f"{in_line(name, 60)!r} is not the name of a release")
    folder = f"releases/{name}"
    record = files.get(f"{folder}/record.json")
    values = dict(json.loads(files[f"{folder}/values.json"]))
    require(values, f"{folder}/values.json")
    return Bundled(
        name=name,
        chart=files[entry["chart"]],
        values=values,
        text=files[f"{folder}/manifest.yaml"].decode(),
        namespace=namespace,
        record=record.decode() if record is not None else None,
    )


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Returns the files of an archive, by their names. Nothing is written to disk, so no name can escape a folder."""
    files: dict[str, bytes] = {}
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed_file:
        whole = packed_file.read(_LIMIT + 1) if len(content) <= _LIMIT else content
    if len(whole) > _LIMIT:
        raise _Broken(f"it holds more than {_LIMIT >> 20} MiB")
    with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as archive:
        for member in archive:
            if len(files) == _FILES:
                raise _Broken(f"it holds more than {_FILES} files")
            file = archive.extractfile(member) if member.isfile() and member.size <= _FILE_LIMIT else None
            if file is None or member.name in files:
                raise ValueError
            files[member.name] = file.read()
    return files


def _chart(package: bytes) -> str:
    return f"charts/{_digest(package).removeprefix('sha256:')}.tgz"


def _json(data: object) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"

"""Charts: found by name, path or reference, described, and fingerprinted.

A chart's name alone is one of those that travel with Sidelane; anything else means what it means to Helm: a folder, a
packaged .tgz, ``repo/chart``, an ``oci://`` reference. The last two are Helm's to fetch (sidelane.helm).
"""

from __future__ import annotations

import copy
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sidelane import kubeyaml
from sidelane.errors import ChartNotFound, InvalidManifest
from sidelane.naming.chart_ref import ChartRef
from sidelane.naming.labels import OPERATIONAL_VALUES, RELEASE_NAME
from sidelane.support import carried

if TYPE_CHECKING:
    import tarfile

#: Helm's own limits on a packaged chart, in bytes: what a small archive may grow to.
ARCHIVE_LIMIT = 100 * 1024 * 1024
FILE_LIMIT = 5 * 1024 * 1024

#: Patterns that few calls need are texts: `re` compiles each when it is used first.
VALUES_FILE = r"(charts/[^/]+/)*values\.yaml"

#: Functions of templates whose result differs each time (sprig, and Helm's own).
_VARIES = (
    rb"\{\{(?!-? ?/\*)[^}]*\b(rand(Alpha|AlphaNum|Ascii|Numeric|Int|Bytes)|shuffle|now|ago|uuidv4|htpasswd|bcrypt"
    rb"|encryptAES|getHostByName|gen(PrivateKey|CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert"
    rb"|SignedCertWithKey))\b"
)

ASKS = re.compile(rb"\.Capabilities\b|\blookup\s+[\"$(.]")
#: What a template says that asks on upgrades alone, as charts/common's guard: an installation renders alike without.
ASKS_ON_UPGRADE = b"sidelane.dev/asks: on-upgrade"


@dataclass(frozen=True)
class Chart:
    """A chart on this machine, and what its Chart.yaml says of it."""

    path: Path
    name: str
    version: str
    app_version: str = ""
    description: str = ""
    type: str = "application"
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> ChartRef:
        """Its name and version."""
        return ChartRef(self.name, self.version)

    @classmethod
    def load(cls, path: Path) -> Chart:
        """Reads a chart's folder or .tgz. Raises ChartNotFound where there is no chart."""
        text = _file(path, "Chart.yaml")
        if text is None:
            raise ChartNotFound(
                f"{str(path)!r} holds no Chart.yaml",
                remedy="name a chart's folder, its .tgz, or one of `sidelane charts`",
            )
        data = kubeyaml.read(text, source=f"{path}/Chart.yaml")
        if not isinstance(data, dict) or not isinstance(data.get("name"), str) or "version" not in data:
            raise ChartNotFound(f"the Chart.yaml of {str(path)!r} has no name or no version", remedy="mend the chart")
        return cls(
            path=path,
            name=data["name"],
            version=str(data["version"]),
            app_version=str(data.get("appVersion") or ""),
            description=str(data.get("description") or ""),
            type=str(data.get("type") or "application"),
            annotations=cast("dict[str, str]", data.get("annotations") or {}),
        )

    @property
    def travels(self) -> bool:
        """Whether it is one of those that are installed with Sidelane."""
        return self.path.is_relative_to(carried.PACKAGE)

    @property
    def operational_values(self) -> frozenset[str]:
        """The values that may change on a deployed release, as the chart's annotation names them: ``replicas``, or with
        dots where they lie deeper.
        """
        return frozenset(filter(None, (key.strip() for key in self.annotations.get(OPERATIONAL_VALUES, "").split(","))))

    @property
    def release_pattern(self) -> str:
        """How its releases are named before their lane: its own name, or text with values as ``{key}``."""
        return str(self.annotations.get(RELEASE_NAME) or self.name)

    @functools.cached_property
    def values_text(self) -> str:
        """The chart's values.yaml as it is written, with its comments."""
        return (_file(self.path, "values.yaml") or b"").decode()

    @functools.cached_property
    def defaults(self) -> dict[str, Any]:
        """The chart's values.yaml as data, over those of the charts in it, each under its name, as Helm lays them."""
        return _defaults(dict(_valuesfiles(self.path)), "")

    @functools.cached_property
    def schema(self) -> dict[str, Any] | None:
        """The chart's values.schema.json, or None where it has none. Raises InvalidManifest for broken JSON."""
        text = _file(self.path, "values.schema.json")
        try:
            schema = json.loads(text) if text else None
            return schema if isinstance(schema, dict) else None  # `true` takes everything
        except ValueError as error:
            raise InvalidManifest(f"the values.schema.json of {self.name} is not JSON: {error}") from None

    @functools.cached_property
    def digest(self) -> str:
        """``sha256:…`` over the chart's files, their names and contents: the same for a folder wherever it lies.

        It is Go's dirhash (Hash1), so `sha256sum` makes it too: of every file, sorted by name, and then of that list.
        """
        import hashlib  # noqa: PLC0415 - only a record needs a digest

        total = hashlib.sha256()
        for name, content in sorted(files(self.path)):
            total.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
        return f"sha256:{total.hexdigest()}"

    @functools.cached_property
    def asks_the_cluster(self) -> bool:
        """Whether its templates ask what only a cluster can answer, so that it may render otherwise without one."""
        return any(
            ASKS.search(content) and ASKS_ON_UPGRADE not in content if "templates/" in name else name.endswith(".tgz")
            for name, content in files(self.path)
        )

    @functools.cached_property
    def may_vary(self) -> bool:
        """Whether its templates call what differs each time, so that it has to be rendered twice to know."""
        return any(
            re.search(_VARIES, content) if "templates/" in name else name.endswith(".tgz")
            for name, content in files(self.path)
        )

    def require_whole(self) -> None:
        """Raises InvalidManifest for a values.yaml, or one of a chart in it, of which Helm 4 drops the last line: of
        n × 4,096 bytes, without a line break (helm/helm#32506).
        """
        for place, content in _valuesfiles(self.path):
            last = len(content) - (content.rfind(b"\n") + 1)
            if last and last % 4096 == 0:
                raise InvalidManifest(
                    f"the last line of {place}values.yaml in the chart {self.name} has {last} bytes and no line break, "
                    "and Helm 4 drops such a line",
                    remedy="end the file with a line break",
                )

    def to_json(self) -> dict[str, object]:
        """The chart's coordinates as programs read them."""
        return {
            "name": self.name,
            "version": self.version,
            "appVersion": self.app_version,
            "description": self.description,
        }


def bundled() -> tuple[Chart, ...]:
    """The charts that travel with Sidelane, by name; the library chart, which can't be installed, is left out."""
    folder = _bundle()
    charts = (Chart.load(path.parent) for path in sorted(folder.glob("*/Chart.yaml")))
    return tuple(chart for chart in charts if chart.type == "application")


def is_bundled(chart: Chart) -> bool:
    """Whether a chart is one that travels with Sidelane, so that its name finds it."""
    return chart.path.parent == _bundle()


def is_remote(reference: str) -> bool:
    """Whether a reference is Helm's to fetch: ``oci://…``, a URL, or ``repo/chart`` that is no path here."""
    if "://" in reference:
        return True
    return "/" in reference and not reference.startswith(("/", ".")) and not os.path.lexists(reference)


def find(reference: str | os.PathLike[str], *, version: str | None = None) -> Chart:
    """Finds a chart on this machine: a bundled chart's name, a folder or a .tgz.

    ``version`` is Helm's ``--version``: exact or a range such as ``^0.1``; as in Helm, it says nothing about a
    path. Raises ChartNotFound.
    """
    text = os.fspath(reference)
    if len(text) > 4000 or any(len(part) > 255 for part in text.split("/")):  # no system takes such a path
        raise ChartNotFound(f"there is no chart {text[:60]!r}…", remedy="see `sidelane charts`")
    path = Path(text)
    if text and not _is_name(text):
        if not path.exists():
            raise ChartNotFound(f"there is no chart at {text!r}", remedy="check the path, or see `sidelane charts`")
        return Chart.load(path)
    if text and (_bundle() / text / "Chart.yaml").is_file():
        return of_version(Chart.load(_bundle() / text), version)
    names = ", ".join(chart.name for chart in bundled())
    beside = "; to take the folder of that name, write ./" + text if text and path.is_dir() else ""
    raise ChartNotFound(f"there is no chart {text!r}", remedy=f"the charts here are: {names}{beside}")


def of_version(chart: Chart, version: str | None) -> Chart:
    """The chart, if it is of a version or a range of versions as Helm writes them. Raises ChartNotFound."""
    try:
        fits = version is None or _satisfies(chart.version, version)
    except (ValueError, AttributeError, TypeError):  # what is no text, too
        raise ChartNotFound(
            f"{version!r} is not a chart version or a range of versions",
            remedy="write it such as '0.1.0', '^0.1' or '>=0.1.0, <2'",
        ) from None
    if not fits:
        raise ChartNotFound(
            f"the chart {chart.name} here is {chart.version}, not {version}",
            remedy="ask for another version, or name the chart's folder or repository",
        )
    return chart


def _satisfies(version: str, wanted: str) -> bool:
    from sidelane.charts.ranges import satisfies  # noqa: PLC0415 - few ask for a version

    return satisfies(version, wanted)


def _is_name(text: str) -> bool:
    return "/" not in text and not text.startswith(".") and not text.endswith(".tgz")


@functools.cache
def _bundle() -> Path:
    return carried.folder("charts")


def _valuesfiles(path: Path) -> Iterator[tuple[str, bytes]]:
    """The values.yaml of a chart and of the charts in it, each by its chart's place: "", "charts/zookeeper/", …"""
    if path.is_file():
        found = {name: content for name, content in files(path) if re.fullmatch(VALUES_FILE, name)}
        yield from ((name.removesuffix("values.yaml"), found[name]) for name in sorted(found))
        return
    yield "", _file(path, "values.yaml") or b""
    for chart in sorted(path.glob("charts/*/Chart.yaml")):
        for place, content in _valuesfiles(chart.parent):
            yield f"charts/{chart.parent.name}/{place}", content


def _defaults(files: Mapping[str, bytes], place: str) -> dict[str, Any]:
    below: dict[str, Any] = {}
    for inner in files:
        name, rest = (
            inner.removeprefix(f"{place}charts/").split("/", 1) if inner.startswith(f"{place}charts/") else ("", "")
        )
        if name and not rest and (defaults := _defaults(files, inner)):
            below[name] = defaults
    own = kubeyaml.read(files.get(place, b"").decode(), source=f"{place}values.yaml")
    return coalesce(below, cast("dict[str, Any]", own or {}))


def coalesce(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates see: the chart's defaults under the given values; a null takes a default away, as in Helm."""
    result: dict[str, Any] = {key: copy.deepcopy(value) for key, value in defaults.items() if key not in values}
    for key, value in values.items():
        default = defaults.get(key)
        if value is None and key in defaults:
            continue
        both = isinstance(value, dict) and isinstance(default, dict)
        result[key] = coalesce(default, value) if both and isinstance(default, dict) else value
    return result


def _file(path: Path, name: str) -> bytes | None:
    """One file of a chart, None where the chart has none of that name. Of a package no more is read than is needed."""
    if path.is_file():
        return next((content for found, content in files(path) if found == name), None)
    try:
        return (path / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a chart, its name relative to the chart's folder. Links are followed, as Helm does."""
    if path.is_dir():
        for folder, folders, names in os.walk(path, followlinks=True):
            folders.sort()
            for name in names:
                file = Path(folder, name)
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    import tarfile  # noqa: PLC0415 - a folder, the usual case, needs none of it

    try:
        with tarfile.open(path, "r:gz") as archive:
            yield from _members(archive, path)
    except (tarfile.TarError, OSError, EOFError):
        raise ChartNotFound(f"{str(path)!r} is not a packaged chart", remedy="name a .tgz that Helm packaged") from None


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for member in archive:
        total += member.size
        if member.size > FILE_LIMIT or total > ARCHIVE_LIMIT:
            raise ChartNotFound(
                f"{str(path)!r} unpacks to more than Helm takes", remedy="leave large files out of the chart"
            )
        content = archive.extractfile(member) if member.isfile() else None
        if content is not None:
            yield member.name.partition("/")[2], content.read()

"""Sources of charts: lookup by name, path or reference, description, and digest.

A plain name means a chart that ships with Sidelane. Anything else means the same as to Helm: a folder, a packaged
.tgz, ``repo/chart``, an ``oci://`` reference. Helm fetches the last two (sidelane.helm).
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

#: Helm's own limits on the unpacked size of a packaged chart, in bytes.
ARCHIVE_LIMIT = 100 * 1024 * 1024
FILE_LIMIT = 5 * 1024 * 1024

#: Patterns that few calls need are strings: `re` compiles each on its first use.
VALUES_FILE = r"(charts/[^/]+/)*values\.yaml"

#: Template functions whose result differs each time (sprig's, and Helm's own).
_VARIES = (
    rb"\{\{(?!-? ?/\*)[^}]*\b(rand(Alpha|AlphaNum|Ascii|Numeric|Int|Bytes)|shuffle|now|ago|uuidv4|htpasswd|bcrypt"
    rb"|encryptAES|getHostByName|gen(PrivateKey|CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert"
    rb"|SignedCertWithKey))\b"
)

ASKS = re.compile(rb"\.Capabilities\b|\blookup\s+[\"$(.]")
#: The mark of a template that queries the cluster only on upgrades, such as charts/common's guard. An installation
#: renders the same without a cluster.
ASKS_ON_UPGRADE = b"sidelane.dev/asks: on-upgrade"


@dataclass(frozen=True)
class Chart:
    """A chart on this machine, with the data of its Chart.yaml."""

    path: Path
    name: str
    version: str
    app_version: str = ""
    description: str = ""
    type: str = "application"
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> ChartRef:
        """The chart's name and version."""
        return ChartRef(self.name, self.version)

    @classmethod
    def load(cls, path: Path) -> Chart:
        """Load a chart from its folder or .tgz. Raises ChartNotFound if there is none."""
        text = _file(path, "Chart.yaml")
        if text is None:
            raise ChartNotFound(
                f"{str(path)!r} has no Chart.yaml",
                remedy="give a chart's folder, its .tgz, or one of `sidelane charts`",
            )
        data = kubeyaml.read(text, source=f"{path}/Chart.yaml")
        if not isinstance(data, dict) or not isinstance(data.get("name"), str) or "version" not in data:
            raise ChartNotFound(f"the Chart.yaml of {str(path)!r} has no name or no version", remedy="fix the chart")
        return cls(
            path=path,
            name=data["name"],
            version=str(data["version"]),
            app_version=str(data.get("appVersion") or ""),
            description=str(data.get("description") or ""),
            type=str(data.get("type") or "application"),
            annotations=cast("dict[str, str]", data.get("annotations") or {}),
        )

    def file(self, name: str) -> bytes | None:
        """Return the content of one of the chart's files, or None."""
        return _file(self.path, name)

    @property
    def travels(self) -> bool:
        """Return whether the chart is installed with Sidelane."""
        return self.path.is_relative_to(carried.PACKAGE)

    @property
    def operational_values(self) -> frozenset[str]:
        """The values that may change on a deployed release, from the chart's annotation, as dotted paths."""
        return frozenset(filter(None, (key.strip() for key in self.annotations.get(OPERATIONAL_VALUES, "").split(","))))

    @property
    def release_pattern(self) -> str:
        """The pattern of its releases' names before the lane: the chart's name, or text with values as ``{key}``."""
        return str(self.annotations.get(RELEASE_NAME) or self.name)

    @functools.cached_property
    def values_text(self) -> str:
        """The text of the chart's values.yaml, with its comments."""
        return (_file(self.path, "values.yaml") or b"").decode()

    @functools.cached_property
    def defaults(self) -> dict[str, Any]:
        """The data of values.yaml, merged as in Helm over those of its subcharts, each under the subchart's name."""
        return _defaults(dict(_valuesfiles(self.path)), "")

    @functools.cached_property
    def schema(self) -> dict[str, Any] | None:
        """The chart's values.schema.json, or None. Raises InvalidManifest for invalid JSON."""
        text = _file(self.path, "values.schema.json")
        try:
            schema = json.loads(text) if text else None
            return schema if isinstance(schema, dict) else None  # `true` accepts everything
        except ValueError as error:
            raise InvalidManifest(f"the values.schema.json of {self.name} is not JSON: {error}") from None

    @functools.cached_property
    def digest(self) -> str:
        """The ``sha256:…`` digest of the chart's files, names and contents, independent of the folder's place.

        It is Go's dirhash (Hash1), so `sha256sum` can compute it: of every file, sorted by name, and then of that list.
        """
        import hashlib  # noqa: PLC0415 - only a record needs a digest

        total = hashlib.sha256()
        for name, content in sorted(files(self.path)):
            total.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
        return f"sha256:{total.hexdigest()}"

    @functools.cached_property
    def asks_the_cluster(self) -> bool:
        """Return whether its templates query the cluster, so that it may render differently without one."""
        return any(
            ASKS.search(content) and ASKS_ON_UPGRADE not in content if "templates/" in name else name.endswith(".tgz")
            for name, content in files(self.path)
        )

    @functools.cached_property
    def may_vary(self) -> bool:
        """Return whether its templates call functions that vary, so that only a second rendering shows a difference."""
        return any(
            re.search(_VARIES, content) if "templates/" in name else name.endswith(".tgz")
            for name, content in files(self.path)
        )

    def require_whole(self) -> None:
        """Raise InvalidManifest if Helm 4 would drop the last line of a values.yaml of the chart or a subchart.

        It drops a last line of n × 4,096 bytes without a line break (helm/helm#32506).
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
        """Return the JSON form."""
        return {
            "name": self.name,
            "version": self.version,
            "appVersion": self.app_version,
            "description": self.description,
        }


def bundled() -> tuple[Chart, ...]:
    """Return the charts that ship with Sidelane, by name, without library charts, which cannot be installed."""
    folder = _bundle()
    charts = (Chart.load(path.parent) for path in sorted(folder.glob("*/Chart.yaml")))
    return tuple(chart for chart in charts if chart.type == "application")


def is_bundled(chart: Chart) -> bool:
    """Return whether a chart ships with Sidelane, so that its name finds it."""
    return chart.path.resolve().parent == _bundle()


def is_remote(reference: str) -> bool:
    """Return whether Helm must fetch a reference: ``oci://…``, a URL, or ``repo/chart`` if it is not a path."""
    if "://" in reference:
        return True
    return "/" in reference and not reference.startswith(("/", ".")) and not os.path.lexists(reference)


def find(reference: str | os.PathLike[str], *, version: str | None = None) -> Chart:
    """Find a chart on this machine: a bundled chart's name, a folder or a .tgz.

    ``version`` is Helm's ``--version``: exact or a range such as ``^0.1``; as in Helm, it does not apply to a path.
    Raises ChartNotFound.
    """
    text = os.fspath(reference)
    if len(text) > 4000 or any(len(part) > 255 for part in text.split("/")):  # longer than any system allows
        raise ChartNotFound(f"there is no chart {text[:60]!r}…", remedy="see `sidelane charts`")
    path = Path(text)
    if text and not _is_name(text):
        if not path.exists():
            raise ChartNotFound(f"there is no chart at {text!r}", remedy="check the path, or see `sidelane charts`")
        return Chart.load(path)
    if text and (_bundle() / text / "Chart.yaml").is_file():
        return of_version(Chart.load(_bundle() / text), version)
    names = ", ".join(chart.name for chart in bundled())
    beside = "; for the folder of that name, write ./" + text if text and path.is_dir() else ""
    raise ChartNotFound(f"there is no chart {text!r}", remedy=f"the charts here are: {names}{beside}")


def of_version(chart: Chart, version: str | None) -> Chart:
    """Return the chart if it matches a version or a range, in Helm's syntax. Raises ChartNotFound."""
    try:
        fits = version is None or _satisfies(chart.version, version)
    except (ValueError, AttributeError, TypeError):  # also for a version that is not text
        raise ChartNotFound(
            f"{version!r} is not a chart version or a range of versions",
            remedy="write it such as '0.1.0', '^0.1' or '>=0.1.0, <2'",
        ) from None
    if not fits:
        raise ChartNotFound(
            f"the chart {chart.name} here is {chart.version}, not {version}",
            remedy="ask for another version, or give the chart's folder or repository",
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
    """Yield each values.yaml of a chart and its subcharts, by the chart's place: "", "charts/zookeeper/", …"""
    if path.is_file():
        contents = {name: content for name, content in files(path) if re.fullmatch(VALUES_FILE, name)}
        yield from ((name.removesuffix("values.yaml"), contents[name]) for name in sorted(contents))
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
    """Return the values as templates see them: given values over the chart's defaults; null removes a default."""
    result: dict[str, Any] = {key: copy.deepcopy(value) for key, value in defaults.items() if key not in values}
    for key, value in values.items():
        default = defaults.get(key)
        if value is None and key in defaults:
            continue
        both = isinstance(value, dict) and isinstance(default, dict)
        result[key] = coalesce(default, value) if both and isinstance(default, dict) else value
    return result


def _file(path: Path, name: str) -> bytes | None:
    """Return one file of a chart, or None. A package is read only as far as needed."""
    if path.is_file():
        return next((content for member, content in files(path) if member == name), None)
    try:
        return (path / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a chart, with its name relative to the chart's folder. Links are followed, as in Helm."""
    if path.is_dir():
        for folder, folders, names in os.walk(path, followlinks=True):
            folders.sort()
            for name in names:
                file = Path(folder, name)
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    import tarfile  # noqa: PLC0415 - a folder, the usual case, does not need it

    try:
        with tarfile.open(path, "r:gz") as archive:
            yield from _members(archive, path)
    except (tarfile.TarError, OSError, EOFError):
        raise ChartNotFound(f"{str(path)!r} is not a packaged chart", remedy="give a .tgz that Helm packaged") from None


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for member in archive:
        total += member.size
        if member.size > FILE_LIMIT or total > ARCHIVE_LIMIT:
            raise ChartNotFound(
                f"{str(path)!r} unpacks to more than Helm's limits", remedy="remove large files from the chart"
            )
        content = archive.extractfile(member) if member.isfile() else None
        if content is not None:
            yield member.name.partition("/")[2], content.read()

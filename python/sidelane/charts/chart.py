"""A chart on this machine: its name, values, schema and digest."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sidelane import kubeyaml
from sidelane.charts.files import file, files, values_files
from sidelane.charts.held import BY_CONTRACT, Held
from sidelane.errors import ChartNotFound, InvalidManifest
from sidelane.naming.chart_ref import ChartRef
from sidelane.naming.labels import OPERATIONAL_VALUES, RELEASE_NAME
from sidelane.support import carried

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
    """A chart on this machine, with the data of its Chart.yaml. held: the conventions of its installation."""

    path: Path
    name: str
    version: str
    app_version: str = ""
    description: str = ""
    type: str = "application"
    annotations: Mapping[str, str] = field(default_factory=dict)
    held: Held = BY_CONTRACT

    @property
    def ref(self) -> ChartRef:
        """The chart's name and version."""
        return ChartRef(self.name, self.version)

    @classmethod
    def load(cls, path: Path) -> Chart:
        """Load a chart from its folder or .tgz. Raises ChartNotFound if there is none."""
        text = file(path, "Chart.yaml")
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
        return file(self.path, name)

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
        return (file(self.path, "values.yaml") or b"").decode()

    @functools.cached_property
    def defaults(self) -> dict[str, Any]:
        """The data of values.yaml, merged as in Helm over those of its subcharts, each under the subchart's name."""
        return _defaults(dict(values_files(self.path)), "")

    @functools.cached_property
    def schema(self) -> dict[str, Any] | None:
        """The chart's values.schema.json, or None. Raises InvalidManifest for invalid JSON."""
        text = file(self.path, "values.schema.json")
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
        for place, content in values_files(self.path):
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

"""A chart that carries the record of its release: Helm makes it together with the release.

The chart itself is not changed: Helm gets a folder of links to what it is made of, and one template more, of a
ConfigMap that can't be changed. It is one of the release's objects, so it goes with the release. In all else the
release is what plain Helm makes of the chart, and so it is shown: without its record.

What a record says of the cluster Helm reads itself, in the one run in which it makes the release: a second Helm that
reads it before costs a third of the time of an installation.

A ConfigMap holds at most 1 MiB, and Helm keeps the release, with the chart and so with the record twice, in a Secret of
that size. So a large record is compressed; as text, for that is what the charts print again.

An upgrade with the bare chart would take the record away. Charts that use the library chart `common` print it again
then, by its template `sidelane.record`, which the carried template takes the place of. So it does with
`sidelane.installer`, by which their notes give Sidelane's commands.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from sidelane import kubeyaml
from sidelane.charts.sources import Chart, files
from sidelane.errors import ChartNotFound, TooLarge
from sidelane.manifest.fields import at
from sidelane.naming.labels import INSTANCE, LANE, RECORD
from sidelane.releases.provenance import COMPRESSED, KEY, config_map

#: The template's name. No chart of anybody's has one of this name, unless it came from here.
TEMPLATE: Final = "templates/sidelane-record.yaml"

_RECORD: Final = """\
{{{{- define "sidelane.installer" }}}}sidelane{{{{ end -}}}}
{{{{- define "sidelane.record" }}}}{{{{ "" }}}}{{{{ end -}}}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {labels}
immutable: true
data:
  {key}: {{{{ {content} | toJson }}}}
"""

#: What a record says of the cluster, as Facts.to_json has it.
_FACTS: Final = """\
{{- $quotas := dict }}
{{- range (lookup "v1" "ResourceQuota" .Release.Namespace "").items }}
  {{- $_ := set $quotas .metadata.name (dig "spec" "hard" dict .) }}
{{- end }}
{{- $facts := dict
  "kubernetes" .Capabilities.KubeVersion.Version
  "namespaceLabels" (dig "metadata" "labels" dict (lookup "v1" "Namespace" "" .Release.Namespace))
  "namespaceQuotas" $quotas
  "uid" (lookup "v1" "Namespace" "" "kube-system").metadata.uid }}
"""

#: Bytes of a statement that is written as it is; a larger one is compressed.
TEXT_LIMIT: Final = 64 * 1024
#: Bytes that the API server takes in the data of a ConfigMap (MaxSecretSize), less what may be added to it.
DATA_LIMIT: Final = 2**20 - 1024
#: Bytes that a record may unpack to: Helm keeps no values of that size.
UNPACKED_LIMIT: Final = 64 * 2**20


class Told(NamedTuple):
    """A release's manifest in two: text is what plain Helm makes of the chart; statement is of the record, None where
    there is none, and data is what its ConfigMap holds.
    """

    text: str
    statement: str | None
    data: Mapping[str, str] | None = None


def apart(manifest: str, release: str) -> Told:
    """A release's manifest, and the record that it carries."""
    kept: list[str] = []
    statement, data = None, None
    for part in re.split(r"^---\n", manifest, flags=re.MULTILINE):
        # The charts that print it again write its name in quotes.
        if RECORD in part and re.search(rf'\n  name: "?{re.escape(config_map(release))}"?\n', part):
            data = at(kubeyaml.read(part, source=release), "data")
            statement = in_config_map(data)
        else:
            kept.append(part)
    return Told("---\n".join(kept), statement, data if statement is not None else None)


def in_config_map(data: object) -> str | None:
    """The statement in a ConfigMap's data, None where it has none. A damaged one is returned as it is, and refused by
    whoever reads the record.
    """
    packed = at(data, COMPRESSED)
    if not isinstance(packed, str):
        text = at(data, KEY)
        return text if isinstance(text, str) else None
    try:
        unpacking = zlib.decompressobj(wbits=31)
        return unpacking.decompress(base64.b64decode(packed, validate=True), UNPACKED_LIMIT).decode()
    except (ValueError, zlib.error):
        return packed


def is_large(statement: str) -> bool:
    """Whether a record is compressed."""
    return len(statement.encode()) > TEXT_LIMIT


def config_map_data(statement: str, there: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the ConfigMap of a record holds. Raises TooLarge for a record that does not fit.

    there: what it holds now, which is kept where it is the same record: another zlib may compress otherwise, and the
    ConfigMap can't be changed.
    """
    if not is_large(statement):
        return {KEY: statement}
    if there is not None and in_config_map(there) == statement:
        return dict(there)
    import gzip  # noqa: PLC0415 - few records are large

    packed = base64.b64encode(gzip.compress(statement.encode(), 9, mtime=0)).decode()
    if len(packed) > DATA_LIMIT:
        raise TooLarge(
            f"the record of this release has {len(packed)} bytes, compressed, and a ConfigMap holds {DATA_LIMIT}",
            remedy="give the chart the name of a ConfigMap or volume that holds the data, in the place of the data",
        )
    return {COMPRESSED: packed}


class Carrier:
    """The chart as Helm gets it: a folder at ``path``, which has the record once it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self, release: str, lane: str, statement: str, there: Mapping[str, str] | None = None, mark: str = ""
    ) -> None:
        """Puts the record into the chart. Helm reads the chart when it has its values, so before these are given.

        there: see ``config_map_data``, which also says what is raised. mark: of the facts that Helm is to read, in a
        record that is not large.
        """
        ((key, text),) = config_map_data(statement, there).items()
        content = f'"{text}"' if key == COMPRESSED else _decoded(text)
        if mark:
            before, _, after = text.partition(f'"{mark}": ""')
            facts = '($facts | toJson | trimPrefix "{" | trimSuffix "}")'
            content = f'printf "%s%s%s" ({_decoded(before)}) {facts} ({_decoded(after)})'
        labels = json.dumps({RECORD: "statement", LANE: lane, INSTANCE: release})
        template = _RECORD.format(name=config_map(release), labels=labels, key=key, content=content)
        (self.path / TEMPLATE).write_text((_FACTS if mark else "") + template)


def _decoded(text: str) -> str:
    """A text in base64 in a template, so that nothing in it is a template to Helm."""
    return f'b64dec "{base64.b64encode(text.encode()).decode()}"'


@contextmanager
def carrying(chart: Chart) -> Iterator[Carrier]:
    """A chart that can be given a record, for as long as the block lasts. Raises ChartNotFound for a broken package."""
    with tempfile.TemporaryDirectory(prefix="sidelane-") as parent:
        folder = Path(parent) / "chart"
        (folder / "templates").mkdir(parents=True)
        if chart.path.is_dir():
            _link(chart.path, folder)
        else:
            _unpack(chart, folder)
        yield Carrier(folder)


def _link(chart: Path, folder: Path) -> None:
    """Links to all that is in the chart's folder, which is read, and may be large."""
    for entry in chart.iterdir():
        if entry.name != "templates":
            (folder / entry.name).symlink_to(entry.resolve())
    if (chart / "templates").is_dir():
        for entry in (chart / "templates").iterdir():
            if entry.name != PurePosixPath(TEMPLATE).name:
                (folder / "templates" / entry.name).symlink_to(entry.resolve())


def _unpack(chart: Chart, folder: Path) -> None:
    for name, content in files(chart.path):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ChartNotFound(f"{str(chart.path)!r} would unpack beside itself: {name!r}", remedy="package it again")
        if name != TEMPLATE:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

"""A chart that carries the record of its release, which Helm then creates with the release.

The chart itself is not changed: Helm gets a folder of links to the chart's files, and one more template, for an
immutable ConfigMap. This is one of the release's objects, and is removed with the release. Otherwise the release equals
the one that plain Helm makes, and is shown without its record.

Helm reads the record's facts about the cluster itself while it makes the release: a second Helm that reads them first
would take a third of the time of an installation.

A ConfigMap holds at most 1 MiB, and Helm stores the release, which includes the chart and so the record twice, in a
Secret of that size. So a large record is compressed, and encoded as text, which the charts can print again.

An upgrade with the bare chart would remove the record. Therefore charts that use the library chart `common` print it
again with the template `sidelane.record`, which the carried template replaces. It also replaces `sidelane.installer`,
so that the notes give Sidelane's commands.
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
from sidelane.charts.chart import Chart
from sidelane.charts.files import files
from sidelane.errors import ChartNotFound, TooLarge
from sidelane.manifest.fields import at
from sidelane.naming.labels import INSTANCE, LANE, RECORD
from sidelane.releases.provenance import COMPRESSED, KEY, config_map

#: The template's name, which only charts from here have.
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

#: The template of the record's facts about the cluster, in the form of Facts.to_json.
_FACTS: Final = Path(__file__).parent / "_facts" / "templates" / "_facts.tpl"

#: The most bytes of an uncompressed statement.
TEXT_LIMIT: Final = 64 * 1024
#: The most bytes in the data of a ConfigMap (the API server's MaxSecretSize), minus a margin.
DATA_LIMIT: Final = 2**20 - 1024
#: The most bytes of an unpacked record: Helm cannot store values of that size.
UNPACKED_LIMIT: Final = 64 * 2**20


class Parts(NamedTuple):
    """A release's manifest in two parts. text: the manifest of plain Helm. statement: the record's, None if there is
    none. data: of the record's ConfigMap.
    """

    text: str
    statement: str | None
    data: Mapping[str, str] | None = None


def apart(manifest: str, release: str) -> Parts:
    """Separates a release's manifest from the record that it carries."""
    text: list[str] = []
    statement, data = None, None
    for part in re.split(r"^---\n", manifest, flags=re.MULTILINE):
        # Charts that print the record again write its name in quotes.
        if RECORD in part and re.search(rf'\n  name: "?{re.escape(config_map(release))}"?\n', part):
            data = at(kubeyaml.read(part, source=release), "data")
            statement = in_config_map(data)
        else:
            text.append(part)
    return Parts("---\n".join(text), statement, data if statement is not None else None)


def in_config_map(data: object) -> str | None:
    """Returns the statement in a ConfigMap's data, None if there is none. A damaged one is returned unchanged, and
    refused when the record is parsed.
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
    """Tells whether a record must be compressed."""
    return len(statement.encode()) > TEXT_LIMIT


def config_map_data(statement: str, there: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the data of a record's ConfigMap. Raises TooLarge for a record that does not fit.

    there: the present data, which is kept for the same record: another zlib may compress differently, and the ConfigMap
    is immutable.
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
            remedy="give the chart the name of a ConfigMap or volume that holds the data, instead of the data",
        )
    return {COMPRESSED: packed}


class Carrier:
    """The chart for Helm: a folder at ``path``, which has the record after ``write``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self, release: str, lane: str, statement: str, there: Mapping[str, str] | None = None, mark: str = ""
    ) -> None:
        """Puts the record into the chart. Call it before Helm gets its values, because Helm then reads the chart.

        there: see ``config_map_data``; raises as that does. mark: the placeholder of the facts that Helm reads, in an
        uncompressed record.
        """
        ((key, text),) = config_map_data(statement, there).items()
        content = f'"{text}"' if key == COMPRESSED else _decoded(text)
        if mark:
            before, _, after = text.partition(f'"{mark}": ""')
            facts = '(include "sidelane.facts" . | trimPrefix "{" | trimSuffix "}")'
            content = f'printf "%s%s%s" ({_decoded(before)}) {facts} ({_decoded(after)})'
        labels = json.dumps({RECORD: "statement", LANE: lane, INSTANCE: release})
        template = _RECORD.format(name=config_map(release), labels=labels, key=key, content=content)
        (self.path / TEMPLATE).write_text((_FACTS.read_text() if mark else "") + template)


def _decoded(text: str) -> str:
    """Returns a template expression with the text in base64, so that Helm interprets nothing in it."""
    return f'b64dec "{base64.b64encode(text.encode()).decode()}"'


@contextmanager
def carrying(chart: Chart) -> Iterator[Carrier]:
    """Prepares a chart for a record during the block. Raises ChartNotFound for a broken package."""
    with tempfile.TemporaryDirectory(prefix="sidelane-") as parent:
        folder = Path(parent) / "chart"
        (folder / "templates").mkdir(parents=True)
        if chart.path.is_dir():
            _link(chart.path, folder)
        else:
            _unpack(chart, folder)
        yield Carrier(folder)


def _link(chart: Path, folder: Path) -> None:
    """Links to all files in the chart's folder, which may be large."""
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
            raise ChartNotFound(
                f"{str(chart.path)!r} has a path outside its folder: {name!r}", remedy="package it again"
            )
        if name != TEMPLATE:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

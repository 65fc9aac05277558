"""A chart that carries the record of its release: Helm makes it together with the release.

The chart itself is not changed: Helm gets a folder of links to what it is made of, and one template more, of a
ConfigMap that can't be changed. It is one of the release's objects, so it goes with the release. In all else the
release is what plain Helm makes of the chart, and so it is shown: without its record.

An upgrade with the bare chart would take the record away. Charts that use the library chart `common` print it again
then, by its template `common.statement`, which the carried template takes the place of.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from sidelane import kubeyaml
from sidelane.charts import Chart, files
from sidelane.errors import ChartNotFound
from sidelane.record import KEY, LABEL, config_map

#: The template's name. No chart of anybody's has one of this name, unless it came from here.
TEMPLATE: Final = "templates/sidelane-record.yaml"

_RECORD: Final = """\
{{{{- define "common.statement" }}}}{{{{ "" }}}}{{{{ end -}}}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {labels}
immutable: true
data:
  {key}: {{{{ b64dec "{content}" | toJson }}}}
"""


class Told(NamedTuple):
    """A release's manifest in two: text is what plain Helm makes of the chart; statement is of the record, None where
    there is none.
    """

    text: str
    statement: str | None


def apart(manifest: str, release: str) -> Told:
    """A release's manifest, and the record that it carries."""
    kept, statement = [], None
    for part in re.split(r"^---\n", manifest, flags=re.MULTILINE):
        if f"\n  name: {config_map(release)}\n" in part and LABEL in part:
            statement = in_config_map(kubeyaml.read(part, source=release))
        else:
            kept.append(part)
    return Told("---\n".join(kept), statement)


def in_config_map(body: object) -> str | None:
    """The statement in a ConfigMap, None where it has none."""
    data = body.get("data") if isinstance(body, dict) else None
    text = data.get(KEY) if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


class Carrier:
    """The chart as Helm gets it: a folder at ``path``, which has the record once it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, release: str, lane: str, statement: str) -> None:
        """Puts the record into the chart. Helm reads the chart when it has its values, so before these are given."""
        content = base64.b64encode(statement.encode()).decode()  # so that no text in it is a template to Helm
        labels = json.dumps({LABEL: "statement", "sidelane.dev/lane": lane, "app.kubernetes.io/instance": release})
        text = _RECORD.format(name=config_map(release), labels=labels, key=KEY, content=content)
        (self.path / TEMPLATE).write_text(text)


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

"""A chart that carries the record of its release: Helm makes it together with the release.

The chart itself is not changed: Helm gets a folder of links to what it is made of, and one template more. Its hooks are

- before the install, the record: a ConfigMap that can't be changed. As a hook it is no part of the manifest, which
  stays what plain Helm makes of the chart, and a later `helm upgrade` with the bare chart does not take it away;
- after the uninstall, the same name once more, removed as soon as it is there: so the record goes with its release.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from sidelane.charts import Chart, files
from sidelane.errors import ChartNotFound
from sidelane.record import KEY, LABEL, config_map

#: The template's name. No chart of anybody's has one of this name, unless it came from here.
TEMPLATE: Final = "templates/sidelane-record.yaml"

_HOOKS: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {labels}
  annotations:
    # Before a rollback, too: it is how a release that a killed process left half-made is finished.
    helm.sh/hook: pre-install,pre-rollback
    # What a release of this name left, before it was uninstalled, makes room.
    helm.sh/hook-delete-policy: before-hook-creation
immutable: true
data:
  {key}: {{{{ b64dec "{content}" | toJson }}}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {labels}
  annotations:
    helm.sh/hook: post-delete
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
"""


class Carrier:
    """The chart as Helm gets it: a folder at ``path``, which has the record once it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, release: str, lane: str, statement: str) -> None:
        """Puts the record into the chart. Helm reads the chart when it has its values, so before these are given."""
        content = base64.b64encode(statement.encode()).decode()  # so that no text in it is a template to Helm
        labels = json.dumps({LABEL: "statement", "sidelane.dev/lane": lane, "app.kubernetes.io/instance": release})
        text = _HOOKS.format(name=config_map(release), labels=labels, key=KEY, content=content)
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

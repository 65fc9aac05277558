"""Snapshots of rendered objects, stored by syrupy as one YAML file for each test: sidelane[snapshots]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Manifest, Object, diff
from sidelane.pytest_plugin.rendered import Rendered, Resource
from sidelane.support.harmless import in_line


class ManifestExtension(SingleFileSnapshotExtension):
    """Stores a Rendered or a Resource as YAML, sorted by object, with templates and without secrets.

    A difference is shown by field, with its object and template, not as lines of text.
    """

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: Any, **options: Any) -> str:  # noqa: ARG002 - syrupy's filters are for its own format
        """Return the text of a snapshot. Raises TypeError for anything but a Rendered or a Resource."""
        if not isinstance(data, Rendered | Resource):
            raise TypeError(f"a snapshot of objects takes what render returns, not {type(data).__name__}")
        resources = sorted([data] if isinstance(data, Resource) else data, key=lambda each: each.object.identity.path)
        return "".join(
            f"---\n# Source: {each.object.source}\n{dump(each.object.without_secrets(frozenset()).body)}"
            for each in resources
        )

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Yield a line for each field that differs: its template, its object, and both values."""
        old, new = (Manifest.read(text, source="snapshot") for text in (str(snapshot_data), str(serialized_data)))
        templates = {str(obj.identity): obj for obj in (*old.objects, *new.objects)}
        for line in diff(old, new, names=("the snapshot", "the rendering")):
            obj = next((templates[name] for name in templates if line.startswith((f"{name}:", f"{name} "))), None)
            yield in_line(f"{_template(obj)}{line}")


def _template(obj: Object | None) -> str:
    return f"{obj.source}: " if obj is not None else ""

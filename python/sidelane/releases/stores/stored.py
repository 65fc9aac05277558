"""A release as it is stored, with its manifest, values and record."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sidelane.charts.rendering import Rendering, documents, read_manifest
from sidelane.releases.stores.release import Release
from sidelane.support.secrets import learn_values

if TYPE_CHECKING:
    from sidelane.manifest import Manifest


@dataclass(frozen=True)
class Stored:
    """The stored form of a release, which can be compared with a rendering.

    record: the in-toto Statement of the release's installation, None if there is none. record_data: the data of the
    record's ConfigMap, None if there is none. odd: other differences from the files that Sidelane wrote, as lines.
    hooks: Helm's own fields of the hooks, which the manifest has too.
    """

    release: Release
    values: Mapping[str, Any]
    text: str  # Helm's output
    record: str | None = None
    record_data: Mapping[str, str] | None = None
    odd: tuple[str, ...] = ()
    hooks: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        learn_values(self.values)

    @functools.cached_property
    def manifest(self) -> Manifest:
        """The manifest, parsed as Kubernetes does. Raises InvalidManifest."""
        return read_manifest(self.text, self.release.namespace, self.release.name)

    def differences(self, rendering: Rendering, *, just_made: bool = False) -> tuple[str, ...]:
        """Returns the fields that a rendering would change, one line each; empty for the same content. just_made: the
        release was made from it, so data that both read from the cluster may have changed in between.
        """
        if sorted(documents(self.text)) == sorted(documents(rendering.text)):
            return ()
        from sidelane.manifest import diff_objects  # noqa: PLC0415 - see rendering.py
        from sidelane.manifest.autoscaled import without_their_replicas  # noqa: PLC0415

        # The same namespace for both: the rendering may not know Helm's choice yet.
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        both = without_their_replicas(self.manifest.installed, new.installed, numbers=just_made)
        return tuple(diff_objects(*both, names=("the release", "the chart")))

    def sources(self, rendering: Rendering) -> tuple[str, ...]:
        """Returns the templates of the objects that a rendering would change."""
        new = read_manifest(rendering.text, self.release.namespace, self.release.name)
        odd = {(obj.identity, obj.canonical()): obj.source for obj in self.manifest.installed}
        for obj in new.installed:
            key = (obj.identity, obj.canonical())
            if odd.pop(key, None) is None:
                odd[key] = obj.source
        return tuple(sorted(set(odd.values())))

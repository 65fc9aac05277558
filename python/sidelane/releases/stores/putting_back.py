"""Restore a release's objects to one of its revisions, only through Helm.

Helm changes an object by the difference between its last revision and the new one. It does not remove fields that
others added, and does not notice changes of a custom resource. So Sidelane first creates a revision of the objects as
they are: Helm creates the missing ones, and changes no others. The step from this revision to the wanted one is the
repair.

If a process is killed in between, the revision's description shows it, and the next repair continues.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sidelane.charts.rendering import Rendering
from sidelane.helm.client import Helm
from sidelane.helm.flags import Flags
from sidelane.helm.values import json_text
from sidelane.manifest import Manifest
from sidelane.releases.provenance import carried
from sidelane.releases.stores import Options, PutBack, Release, leases
from sidelane.releases.stores.answers import release_of
from sidelane.releases.stores.creating import as_checked

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget

#: The description of the revision of objects as they are.
_SAYS: Final = "objects as found by sidelane repair, before it restores revision {}"
_SAID: Final = re.compile(re.escape(_SAYS).replace(r"\{\}", "([0-9]+)"))

_TEMPLATE: Final = '{{ .Files.Get "objects.yaml" }}\n'


async def put_back(target: ClusterTarget, name: str, work: PutBack, options: Options) -> None:
    """Restores a release to a revision. Raises as ``Target.put_back`` does."""
    release = release_of(await target.answer(name))
    async with leases.takeover(target, release), leases.working(target, name, options) as labels:
        await _as_they_are(target.helm, release, work, labels=labels, options=options)
        if work.rendering is None:
            await target.helm.rollback(
                name, work.revision, namespace=target.namespace, timeout=options.timeout, patch=True
            )
            return
        if None in work.live.values():
            # The chart's guard must find its own ConfigMap again.
            rest = {identity: body for identity, body in work.live.items() if body is not None}
            await _as_they_are(target.helm, release, work._replace(live=rest), labels=labels, options=options)
        await _to_rendering(target, work.rendering, work, labels, options)


async def _to_rendering(
    target: ClusterTarget, rendering: Rendering, work: PutBack, labels: Mapping[str, str], options: Options
) -> None:
    """Upgrades the release to the wanted objects, with its record."""
    name = rendering.release
    with carried.carrying(rendering.chart) as carrier:
        if work.record is not None:
            present = (await target.stored(name, revision=work.revision)).record_data
            carrier.write(name, str(rendering.lane), work.record, present)
        answer = await target.helm.upgrade(
            name,
            carrier.path,
            rendering.values,
            namespace=target.namespace,
            flags=Flags(labels, timeout=options.timeout),
            over="hooks",
        )
    as_checked(answer, rendering, "repaired")


async def _as_they_are(
    helm: Helm, release: Release, work: PutBack, *, labels: Mapping[str, str], options: Options
) -> None:
    """Creates a revision of the present objects: a chart with the release's name and values, and these objects."""
    namespace = release.namespace
    about = await helm.metadata(release.name, namespace=namespace)
    answer = await helm.status(release.name, namespace=namespace, revision=work.revision)
    manifest = Manifest.read(answer.get("manifest") or "", namespace=namespace, source=release.name)
    bodies = [work.live.get(obj.identity, obj.body) for obj in manifest.objects]
    texts = [f"---\n{json_text(body)}\n" for body in bodies if body is not None]
    chart = {
        "apiVersion": "v2",
        "name": about["chart"],
        "version": about["version"],
        "appVersion": about.get("appVersion") or "",
    }
    with tempfile.TemporaryDirectory(prefix="sidelane-") as parent:
        folder = Path(parent)
        (folder / "templates").mkdir()
        (folder / "Chart.yaml").write_text(json_text(chart) + "\n")
        (folder / "objects.yaml").write_text("".join(texts))
        (folder / "templates" / "objects.yaml").write_text(_TEMPLATE)
        await helm.upgrade(
            release.name,
            folder,
            answer.get("config") or {},
            namespace=namespace,
            flags=Flags(labels, _SAYS.format(work.revision), timeout=options.timeout),
            over="hooks",
        )


def interrupted(history: Sequence[Mapping[str, Any]]) -> int | None:
    """Returns the target revision of an interrupted repair, from a release's history."""
    for row in reversed(history):
        said = _SAID.fullmatch(str(row.get("description")))
        if said is not None:
            return int(said[1])
        if row["status"] not in ("failed", "pending-rollback", "pending-upgrade"):
            return None
    return None

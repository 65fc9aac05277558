"""Objects of a release brought back to what one of its revisions says, with Helm as the only door.

Helm changes an object by the difference between its last revision and the new one. It does not remove what somebody
else added, and it does not notice a change of a custom resource at all. So Helm first gets a revision that has the
objects as they are: it makes those that are missing, and changes no other. The step from there to the wanted revision
is the repair.

A process that is killed between the two leaves a revision whose description says so, and the next repair goes on.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sidelane.helm.client import Helm
from sidelane.helm.flags import Flags
from sidelane.helm.values import json_text
from sidelane.manifest import Manifest
from sidelane.releases.stores import Options, PutBack, Release

#: The description of a revision that says what was found.
_SAYS: Final = "found by sidelane repair, which is to bring back revision {}"
_SAID: Final = re.compile(re.escape(_SAYS).replace(r"\{\}", "([0-9]+)"))

_TEMPLATE: Final = '{{ .Files.Get "objects.yaml" }}\n'


async def tell(helm: Helm, release: Release, work: PutBack, *, labels: Mapping[str, str], options: Options) -> None:
    """Makes a revision of what is there: a chart of the release's own name and values, and of the objects as found."""
    namespace = release.namespace
    about = await helm.metadata(release.name, namespace=namespace)
    answer = await helm.status(release.name, namespace=namespace, revision=work.revision)
    said = Manifest.read(answer.get("manifest") or "", namespace=namespace, source=release.name)
    bodies = [work.there.get(obj.identity, obj.body) for obj in said.objects]
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
    """The revision that a repair was to bring back and did not, by a release's history."""
    for row in reversed(history):
        said = _SAID.fullmatch(str(row.get("description")))
        if said is not None:
            return int(said[1])
        if row["status"] not in ("failed", "pending-rollback", "pending-upgrade"):
            return None
    return None

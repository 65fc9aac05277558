"""The SDK's verbs for what was deployed: a part of AsyncClient's face.

client.record("svc1-v1", "2-coco-1")
client.verify(lane="2-coco-1")
client.diff("coco-1", "2-coco-1")
client.bundle("2-coco-1", "lane.tar.gz")
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sidelane.connection import Connection, lane_of, meant, named, path_of
from sidelane.naming.lane import Lane
from sidelane.releases import installing
from sidelane.releases.stores import Options
from sidelane.support.concurrency import together

if TYPE_CHECKING:
    from sidelane.lanes.bundle.archives import Bundle
    from sidelane.lanes.bundle.making import Replayed
    from sidelane.lanes.diff import Comparison
    from sidelane.releases.provenance import Record
    from sidelane.releases.repair import Repair
    from sidelane.releases.verify import Verification


class RecordVerbs(Connection):
    """Records of releases, and what is held against them; a lane in one file, and again from it."""

    async def record(self, name: str, lane: Lane | str | None = None) -> Record:
        """Where a release comes from: its record, an in-toto Statement. Named as in ``status``.

        Raises ReleaseNotFound where there is no such release, and where it was installed without a record.
        """
        return await installing.record(self._target, named(name, lane))

    async def verify(self, name: Lane | str | None = None, lane: Lane | str | None = None) -> tuple[Verification, ...]:
        """Whether releases still are what was deployed: one, named as in ``status``, or a whole lane.

        Each is held against its record and against the cluster: what was changed, by whom, and what is missing.
        Raises ReleaseNotFound.
        """
        from sidelane.releases import verify  # noqa: PLC0415 - few need it

        which = meant(name, lane)
        if isinstance(which, Lane):
            return await verify.lane(self._target, which)
        return await verify.releases(self._target, [which])

    async def repair(
        self,
        name: Lane | str | None = None,
        lane: Lane | str | None = None,
        *,
        dry_run: bool = False,
        wait: bool = False,
        timeout: str | None = None,
    ) -> tuple[Repair, ...]:
        """Brings a release, named as in ``status``, or every release of a lane back to exactly what is deployed.

        Missing objects are made again and drifted fields put back, whoever owns them; numbers of pods that may differ
        stay. dry_run: only look. Raises Refused where Helm's own state was changed, and NotOurs where a release that
        Sidelane did not make would be changed, and has then changed nothing.
        """
        from sidelane.releases import repair, verify  # noqa: PLC0415 - few need it

        which = meant(name, lane)
        names = await verify.names(self._target, which) if isinstance(which, Lane) else [which]
        options = Options(wait, timeout, progress=self._progress)
        return await repair.releases(
            self._target, self._renderer, names, dry_run=dry_run, options=options, progress=self._progress
        )

    async def diff(self, a: str, b: str | None = None, *, namespace: str | None = None) -> Comparison:
        """What differs between two lanes, releases or files, with the lane taken out of the names; without ``b``
        between a lane or a release and the cluster.

        a, b: a lane (``coco-1``), a release's own name, a deployment file (.yaml) or a bundle (.tar.gz). namespace: in
        the place of the file's, which a lane or release beside it is looked for in. The client's own namespace is for
        files that name none.
        """
        from sidelane.lanes import diff, sides  # noqa: PLC0415 - few need it
        from sidelane.releases import verify  # noqa: PLC0415 - few need it

        path_of(a), path_of(a if b is None else b)
        if b is not None:
            files = [sides.opened(each) for each in (a, b)]
            beside = namespace or next((file.namespace for file in files if file and file.namespace), None)
            both = (
                RecordVerbs._side(self._in(namespace or (file.namespace if file else beside)), each, file)
                for each, file in zip((a, b), files, strict=True)
            )
            return diff.compare(*await together(*both))
        names = await sides.names(self._target, a)
        return diff.of_cluster(a, await verify.releases(self._target, names))

    async def bundle(
        self, lane: Lane | str, file: str | os.PathLike[str], *, charts: Sequence[str | os.PathLike[str]] = ()
    ) -> Bundle:
        """Writes all that it takes to deploy a lane again into one file: a .tar.gz whose bytes its content gives.

        charts: those of the lane that do not travel with Sidelane. Raises ReleaseNotFound, ChartNotFound for a chart
        that is not the one that was deployed, and Refused when a replay could not make what is deployed.
        """
        from sidelane.lanes.bundle import archives, making  # noqa: PLC0415 - few need it

        place = Path(path_of(file))
        async with AsyncExitStack() as stack:
            known = [await stack.enter_async_context(self._chart(chart, None, None)) for chart in charts]
            made = await making.make(
                self._target,
                self._helm,
                lane_of(lane),
                known,
                allow_secrets=self._allow_secrets,
                progress=self._progress,
            )
        return dataclasses.replace(made, digest=archives.write(made, place))

    async def replay(
        self,
        file: str | os.PathLike[str],
        *,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
        create_namespace: bool = False,
    ) -> Replayed:
        """Deploys a bundled lane again, with the same objects byte for byte, into the client's namespace or else the
        bundle's. Raises Refused, with every field that would differ, and has then installed nothing.
        """
        from sidelane.lanes.bundle import archives  # noqa: PLC0415 - few need it

        opened = archives.read(path_of(file))
        at = self._in(None if self._settings["namespace"] else opened.namespace)
        options = Options(wait, timeout, rollback_on_failure, create_namespace)
        with RecordVerbs._advising(at):
            return await RecordVerbs._replayed(at, opened, options)

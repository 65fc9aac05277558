"""The SDK's verbs for whole lanes: a part of AsyncClient's face.

client.plan("lane.yaml")
client.apply("lane.yaml", wait=True)
client.retire("2-coco-1")
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from sidelane.connection import Connection, lane_of, meant, named, path_of
from sidelane.naming.lane import Lane
from sidelane.releases.stores import Options

if TYPE_CHECKING:
    from sidelane.lanes.deployment import Applied, Deployment, Plan
    from sidelane.lanes.lane_status import LaneStatus
    from sidelane.lanes.retire import Retirement
    from sidelane.releases.readiness import Readiness


class LaneVerbs(Connection):
    """A lane brought in as one, from a deployment file, and retired as one."""

    async def plan(
        self,
        file: str | os.PathLike[str],
        *,
        namespace: str | None = None,
        version: str | None = None,
        build: str | int | None = None,
        parallel: int | None = None,
        reset_operational: bool = False,
    ) -> Plan:
        """What a deployment file would do; nothing is changed.

        namespace, version, build: in the place of the file's namespace, Version and Build. The client's own namespace
        is for files that name none. parallel: how many releases are worked on at a time. reset_operational: operational
        values that the file does not say go back to the chart's defaults; without it they stay as they are deployed.
        Raises InvalidDeployment, CheckFailed, and HelmError's family; what is refused is in the plan.
        """
        deployment = _deployment(file, namespace, version, build)
        at = self._in(deployment.namespace)
        with LaneVerbs._advising(at):
            async with LaneVerbs._charts(at, deployment) as found:
                plan = await LaneVerbs._planned(at, deployment, found, parallel, reset=reset_operational)
                return LaneVerbs._whole(at, await LaneVerbs._plan_with_drift(at, plan))

    async def apply(
        self,
        file: str | os.PathLike[str],
        *,
        namespace: str | None = None,
        version: str | None = None,
        build: str | int | None = None,
        parallel: int | None = None,
        wait: bool = False,
        timeout: str | None = None,
        atomic: bool = False,
        create_namespace: bool = False,
        reset_operational: bool = False,
    ) -> Applied:
        """Brings a lane to what a deployment file says: independent releases side by side, what others need first.

        The same again changes nothing; a run that was ended, however it was, is taken up by the next. atomic: when a
        release fails, what this run created is removed again, and nothing else. The rest is as in plan and install.
        Raises what plan raises, ReleaseConflict when anything is refused, and ApplyFailed.
        """
        deployment = _deployment(file, namespace, version, build)
        options = Options(wait, timeout, create_namespace=create_namespace)
        at = self._in(deployment.namespace)
        with LaneVerbs._advising(at):
            return await LaneVerbs._applied(
                at, deployment, options=options, parallel=parallel, atomic=atomic, reset=reset_operational
            )

    async def lane_status(self, lane: Lane | str) -> LaneStatus:
        """Returns the releases of a lane, each with its present readiness. Raises ReleaseNotFound when it has none."""
        from sidelane.lanes import lane_status  # noqa: PLC0415 - other verbs need none of it

        return await lane_status.status(self._target, lane_of(lane))

    async def wait(
        self, name: Lane | str | None = None, lane: Lane | str | None = None, *, timeout: str | None = None
    ) -> Readiness:
        """Returns when a release, named as in ``status``, or every release of a lane is ready. Changes nothing.

        timeout: in Helm's form; 5m by default. Raises TimedOut, or NotReady for a release that can't get ready: the
        ``readiness`` of both has each pod that is not ready. Raises Refused in a directory, where nothing runs.
        """
        from sidelane.lanes import lane_status  # noqa: PLC0415 - other verbs need none of it

        which = meant(name, lane)
        release, own = (None, which) if isinstance(which, Lane) else (which, None)
        options = Options(timeout=timeout, progress=self._progress)
        return await lane_status.wait(self._target, release, own, options)

    async def retire(
        self,
        lane: Lane | str,
        release: str | None = None,
        *,
        min_age: str = "0s",
        drain: str = "30s",
        delete_claims: bool = False,
        timeout: str | None = None,
        foreign: Collection[str] = (),
        delete_cluster_objects: bool = False,
        dry_run: bool = False,
    ) -> Retirement:
        """Removes a lane, or one release of it, when nothing needs it: see sidelane.lanes.retire.

        min_age: how long ago it was last changed at least. drain: how long what a route led there is given, after the
        route has left it. delete_claims: with the claims of its stateful sets. foreign: releases to remove although
        Sidelane did not make them, by name; without it they stay. delete_cluster_objects: remove objects that are not
        of the namespace, too. dry_run: only look. Lengths of time are written as Helm's, ``24h``. Raises StillHeld with
        everything that is in the way, and NotOurs where Sidelane made nothing of it.
        """
        from sidelane.lanes import retire  # noqa: PLC0415 - other verbs need none of it

        own, name = lane_of(lane), None if release is None else named(release, lane)
        allowed = retire.Allowed(frozenset(foreign), delete_cluster_objects)
        if dry_run:
            return await retire.look(
                self._target, own, release=name, min_age=min_age, delete_claims=delete_claims, allowed=allowed
            )
        return await retire.retire(
            self._target,
            own,
            release=name,
            min_age=min_age,
            drain=drain,
            delete_claims=delete_claims,
            timeout=timeout,
            allowed=allowed,
            progress=self._progress,
        )

    async def outdated(
        self,
        keep: int,
        *,
        version: str | None = None,
        min_age: str = "0s",
        foreign: Collection[str] = (),
        delete_cluster_objects: bool = False,
    ) -> tuple[Retirement, ...]:
        """The lanes beyond the ``keep`` youngest of each Version, the oldest first, and what is in the way of each.

        version: look at the lanes of this Version alone. The rest is as in ``retire``. Nothing is changed.
        """
        from sidelane.lanes import retire  # noqa: PLC0415 - other verbs need none of it

        allowed = retire.Allowed(frozenset(foreign), delete_cluster_objects)
        return await retire.propose(self._target, keep, version=version, min_age=min_age, allowed=allowed)


def _deployment(
    file: str | os.PathLike[str], namespace: str | None, version: str | None, build: str | int | None
) -> Deployment:
    from sidelane.lanes import deployment as deployments  # noqa: PLC0415 - other verbs need none of it

    read = deployments.read(path_of(file), version=version, build=build)
    return read if namespace is None else dataclasses.replace(read, namespace=namespace)

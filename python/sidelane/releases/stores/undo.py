"""Undo a failed call: remove an installed release, or roll back an upgraded one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidelane.errors import HelmError, SidelaneError
from sidelane.naming.labels import HOLDER
from sidelane.releases.stores import Options, finishing
from sidelane.releases.stores.holding import holder

if TYPE_CHECKING:
    from sidelane.releases.stores.cluster import ClusterTarget


async def undo(target: ClusterTarget, name: str, error: BaseException, options: Options) -> None:
    """Undoes the last revision of a release if this process created it and it failed.

    error: the reason; its remedy gets the result of the undo. Raises only cancellation.
    """
    try:
        undone = await _undone(target, name, options)
    except SidelaneError as problem:
        remedy = f"the undo failed too ({problem.problem.splitlines()[0]}): see `sidelane status {name}`"
    else:
        remedy = "the release was undone; fix the causes and run it again" if undone else ""
    if remedy and isinstance(error, HelmError):
        error.remedy = remedy


async def _undone(target: ClusterTarget, name: str, options: Options) -> bool:
    """Returns False if there was nothing to undo."""
    mine = await target.labelled(f"{HOLDER}={holder().token}")
    if name not in mine:
        return False  # Helm refused before it started, or another process works on it
    history = await target.helm.history(name, namespace=target.namespace)
    if history[-1]["status"] in ("deployed", "pending-rollback"):
        return False  # pending-rollback: another process finishes it
    deployed = [int(row["revision"]) for row in history if row["status"] in ("deployed", "superseded")]
    if deployed:
        options.progress(f"{name}: not ready; going back to revision {deployed[-1]}")
        await finishing.roll_back(target, name, deployed[-1], options._replace(wait=True))
    else:
        options.progress(f"{name}: not ready; removing it again")
        await target.helm.uninstall(name, namespace=target.namespace, wait=True, timeout=options.timeout)
    return True

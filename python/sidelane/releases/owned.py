"""Find fields of a release's objects with other owners, before an upgrade writes them (server-side apply).

Helm 4 uses server-side apply, which refuses a field that another manager has set to another value: `kubectl scale`, or
an autoscaler. Helm then leaves the release failed, with some of its objects changed. So Sidelane checks first: the
upgrade takes operational fields over, and any other such field stops it, with the owner's name.
"""

from __future__ import annotations

from typing import Any, Final

from sidelane.charts.chart import coalesce
from sidelane.charts.rendering import Renderer, Rendering, read_manifest
from sidelane.errors import HelmError, Refused, ReleaseConflict
from sidelane.manifest import Identity
from sidelane.manifest.autoscaled import autoscaled
from sidelane.manifest.differences import ABSENT, differences
from sidelane.manifest.drift import Drift, drift
from sidelane.manifest.fields import at, mapping
from sidelane.releases.comparing import Comparison
from sidelane.releases.stores import Target

_REPLICAS: Final = "spec.replicas"


async def takes_over(target: Target, renderer: Renderer, comparison: Comparison, after: Rendering) -> bool:
    """Returns True if an upgrade to this rendering takes fields over from other owners.

    Raises ReleaseConflict if one of these is not operational.
    """
    stored = comparison.stored
    manifest = read_manifest(after.text, stored.release.namespace, stored.release.name)
    objects = [obj for obj in manifest.objects if not obj.is_hook]
    live = await target.live(objects)
    if live is None:
        return False  # nothing runs
    changed = {(difference.identity, difference.path) for difference in differences(stored.manifest.objects, objects)}
    drifted = [
        difference
        for obj in objects
        if obj.identity in live
        for difference in drift(obj, live[obj.identity])
        if difference.expected is not ABSENT  # Helm writes nothing there
    ]
    scalable = autoscaled(objects)
    if any(difference.path == _REPLICAS and difference.identity not in scalable for difference in drifted):
        scalable |= await _scalable(renderer, comparison)
    own = [
        difference
        for difference in drifted
        if (difference.identity, difference.path) in changed
        or (difference.path == _REPLICAS and difference.identity in scalable)
    ]
    if others := [difference for difference in drifted if difference.by and difference not in own]:
        raise _refused(stored.release.name, others)
    # The autoscaler may have changed the replicas of its workload since they were read.
    looked_up = any(at(obj.body, "spec", "replicas") is not None for obj in objects if obj.identity in scalable)
    return looked_up or any(difference.by or difference.path == _REPLICAS for difference in own)


async def _scalable(renderer: Renderer, comparison: Comparison) -> set[Identity]:
    """Returns the objects whose replicas an operational value sets: those that differ with another number."""
    rendering = comparison.rendering
    try:
        other = await renderer.render(rendering.chart, rendering.lane, _with_more(rendering))
    except (Refused, HelmError):
        return set()
    namespace, name = comparison.stored.release.namespace, comparison.stored.release.name
    before, after = (read_manifest(each.text, namespace, name).objects for each in (rendering, other))
    return {difference.identity for difference in differences(before, after) if difference.path == _REPLICAS}


def _with_more(rendering: Rendering) -> dict[str, Any]:
    """Returns the values with one more pod for each operational value that is a number of pods."""
    values = coalesce(rendering.chart.defaults, rendering.values)
    for name in rendering.chart.operational_values:
        *above, last = name.split(".")
        node = mapping(values, *above) if above else values
        if last == "replicas" and isinstance(node.get(last), int):
            node[last] += 1
    return values


def _refused(name: str, others: list[Drift]) -> ReleaseConflict:
    lines = tuple(map(str, others))
    return ReleaseConflict(
        f"other managers changed fields of {name} that are not operational, and an upgrade would reset them:\n  "
        + "\n  ".join(lines),
        differences=lines,
        remedy=f"revert these changes, then upgrade again; `sidelane verify {name}` shows all of them",
    )

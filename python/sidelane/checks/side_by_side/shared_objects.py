"""No object is in both releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import HOOK, Clash, Side, Touch
from sidelane.manifest import Object

_CONFIG: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
"""
_HOOK: Final = """\
apiVersion: {version}
kind: {kind}
metadata:
  name: app-check
  annotations: {{helm.sh/hook: {events}, helm.sh/hook-delete-policy: "{policy}"}}
"""
_POLICY: Final = f"{HOOK}-delete-policy"
_RUNS: Final = frozenset({"Job", "Pod"})


def shared(mine: Side, theirs: Side) -> Iterator[tuple[Object, Object]]:
    """Yield every object of one side with its namesake of the other."""
    other = theirs.by_identity
    for identity, obj in mine.by_identity.items():
        if identity in other:
            yield obj, other[identity]


def touch_of(obj: Object, other: Object) -> Touch | None:
    """Return how the two objects of one name touch, or None if one is gone before the other comes."""
    if not (obj.is_hook and other.is_hook):
        return Touch(obj, "", "is in both releases, so Helm refuses to install the second", other)
    policies = str(obj.annotations.get(_POLICY) or "before-hook-creation")
    if "hook-succeeded" in policies:
        return None
    if "before-hook-creation" not in policies:
        return Touch(obj, "", "is a hook in both releases and stays, so the second's hook fails", other)
    if obj.kind in _RUNS:
        message = "is a hook in both releases: the second's deletes the first's, even while it runs"
        return Touch(obj, "", message, other, severity="warning")
    return Touch(obj, "", "is a hook in both releases: the second's replaces the first's", other)


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    for obj, other in shared(mine, theirs):
        if not mine.is_cluster_wide(obj) and (touch := touch_of(obj, other)):
            yield touch


def _hooks(policy: str, kind: str = "ConfigMap", events: str = "pre-install") -> tuple[str, str]:
    text = _HOOK.format(version="batch/v1" if kind == "Job" else "v1", kind=kind, policy=policy, events=events)
    return text, text


CLASH: Final[Clash] = Clash(
    id="shared-objects",
    title="No object is in both releases",
    explanation=(
        "The API server identifies an object by group, kind, namespace and name. Helm refuses to install a release "
        "whose object belongs to another one. Of hooks it does not know the owner: it deletes the other's and "
        "creates its own. The usual causes are a fixed name, and a name that is cut so that its end is lost."
    ),
    remedy="put the whole name of the release, or the lane, into its name",
    wrong=(
        (_CONFIG.format(name="app"), _CONFIG.format(name="app")),
        _hooks(""),
        _hooks("hook-failed"),
        _hooks("", "Job"),
    ),
    right=(
        (_CONFIG.format(name="app-coco-1"), _CONFIG.format(name="app-coco-2")),
        (_CONFIG.format(name="app"), "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\n"),
        (_CONFIG.format(name="app, namespace: a"), _CONFIG.format(name="app, namespace: b")),
        _hooks("before-hook-creation,hook-succeeded"),
        _hooks("", "Job", "test"),
    ),
    find=_find,
    origin="Helm, Chart Hooks, and Kubernetes, Object Names and IDs",
)

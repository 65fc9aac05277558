"""Objects outside its namespace that are deleted with a release: cluster-scoped ones, and those that depend on them.

Uninstalling a release with a CustomResourceDefinition deletes every object of that kind in every namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sidelane.errors import ClusterDenied, KindNotServed
from sidelane.helm.lookup import ClusterReader
from sidelane.manifest import Identity, Manifest, Object
from sidelane.manifest.fields import at, walk
from sidelane.manifest.objects import CLUSTER_KINDS
from sidelane.releases.stores import Stored, live
from sidelane.support.harmless import in_line

_KEPT: Final = "helm.sh/resource-policy"
#: Groups of Kubernetes' own kinds; groups without a dot in their name are also Kubernetes' own.
_OWN_GROUPS: Final = frozenset({
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "rbac.authorization.k8s.io",
})  # fmt: skip
#: The most objects of a definition that are named.
_NAMED: Final = 3


def of_manifest(manifest: Manifest) -> tuple[str, ...]:
    """Returns the cluster-scoped objects of a manifest, only of Kubernetes' own kinds."""
    return tuple(_line(obj) for obj in _going(manifest) if _is_cluster_kind(obj))


async def of_cluster(reader: ClusterReader, stored: Sequence[Stored]) -> dict[str, tuple[str, ...]]:
    """Returns the lines of each release, by its name. Raises ClusterUnreachable."""
    suspects = {
        each.release.name: [obj for obj in _going(each.manifest) if _may_be_cluster_scoped(obj)] for each in stored
    }
    objects = [obj for some in suspects.values() for obj in some]
    if not objects:
        return {}
    try:
        bodies: Mapping[Identity, Mapping[str, Any]] = await live.read(reader, objects)
    except ClusterDenied:  # without the permission to read them, all possible ones are reported
        bodies = {obj.identity: {} for obj in objects if _is_cluster_kind(obj)}
    # A custom object's manifest does not show whether its kind is namespaced.
    own = {id_ for each in stored for obj in each.manifest.objects for id_ in (obj.identity, _nowhere(obj.identity))}
    lines = {}
    for name, some in suspects.items():
        scoped = [obj for obj in some if _is_cluster_scoped(obj, bodies)]
        if scoped:
            lines[name] = tuple([f"{_line(obj)}{await _with_it(reader, obj, bodies, own)}" for obj in scoped])
    return lines


def _going(manifest: Manifest) -> Iterator[Object]:
    """Yields the objects that Helm deletes with the release: no hooks, and none with the policy to keep them."""
    return (obj for obj in manifest.objects if not obj.is_hook and str(obj.annotations.get(_KEPT)).strip() != "keep")


def _is_cluster_kind(obj: Object) -> bool:
    return (obj.identity.group, obj.kind) in CLUSTER_KINDS


def _may_be_cluster_scoped(obj: Object) -> bool:
    """Tells whether only the cluster knows the scope, as for custom kinds."""
    return _is_cluster_kind(obj) or ("." in obj.identity.group and obj.identity.group not in _OWN_GROUPS)


def _is_cluster_scoped(obj: Object, bodies: Mapping[Identity, Mapping[str, Any]]) -> bool:
    body = bodies.get(obj.identity)
    return body is not None and (_is_cluster_kind(obj) or not at(body, "metadata", "namespace"))


def _line(obj: Object) -> str:
    return f"{obj.identity}{', with all that is in it' if obj.kind == 'Namespace' else ''}"


async def _with_it(
    reader: ClusterReader, obj: Object, bodies: Mapping[Identity, Mapping[str, Any]], own: set[Identity]
) -> str:
    """Returns the objects that are deleted with a definition, without those of the other removed releases."""
    if obj.kind != "CustomResourceDefinition":
        return ""
    body = bodies[obj.identity] or obj.body
    group, kind = str(at(body, "spec", "group")), str(at(body, "spec", "names", "kind"))
    versions = [str(version.get("name")) for _, version in walk(body, "spec.versions[]") if version.get("served")]
    try:
        customs = await reader.list(f"{group}/{versions[0]}", kind, namespace="") if versions else ()
    except KindNotServed:
        return ""
    except ClusterDenied:
        return f", with every {in_line(kind, 80)} of the cluster"
    others = [
        metadata
        for metadata in (custom["metadata"] for custom in customs)
        if Identity(group, kind, metadata.get("namespace") or "", metadata["name"]) not in own
    ]
    if not others:
        return ""
    names = ["/".join(filter(None, (other.get("namespace"), other["name"]))) for other in others]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f", with the {in_line(kind, 80)} objects {', '.join(names[:_NAMED])}{more}"


def _nowhere(identity: Identity) -> Identity:
    return identity._replace(namespace="")

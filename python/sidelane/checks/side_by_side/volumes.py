"""No volume is written by both releases: claims, persistent volumes and their storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, Use, both_use, containers
from sidelane.manifest import Object, PodTemplate
from sidelane.manifest.fields import at, walk

#: The fields of a PersistentVolume that name its storage.
_STORAGE: Final = (
    "hostPath",
    "local",
    "nfs",
    "csi",
    "iscsi",
    "rbd",
    "cephfs",
    "awsElasticBlockStore",
    "gcePersistentDisk",
)
#: What a release needs for itself: its kind, its name, and the namespace unless it has none.
_Need = tuple[str, str, str]

_POD: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    spec:
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]
      containers: [{{name: main, volumeMounts: [{{name: data, mountPath: /data{more}}}]}}]
"""
_CLAIM: Final = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{volumeName: {volume}}}\n"
)
_VOLUME: Final = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
_REF: Final = "claimRef: {name: data, namespace: default}"


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    for use, other in both_use(mine, theirs, _uses):
        what, name, _ = use.key
        message = f"uses the {what} {name}, as {other.obj.identity} of the other release does"
        yield Touch(use.obj, use.path, message, other.obj, other.path)


def _uses(side: Side) -> Iterator[Use[_Need]]:
    return (Use(obj, path, need) for obj in side.objects for need, path in _needs(obj))


def _needs(obj: Object) -> Iterator[tuple[_Need, str]]:
    if (template := obj.pod_template) and not obj.is_hook:
        for path, name in _claims(template):
            yield ("claim", name, obj.identity.namespace), path
    if (obj.identity.group, obj.kind) == ("", "PersistentVolumeClaim"):
        for path, name in walk(obj.body, "spec.volumeName"):
            yield ("volume", str(name), ""), path
    elif (obj.identity.group, obj.kind) == ("", "PersistentVolume"):
        for path, ref in walk(obj.body, "spec.claimRef"):
            yield ("claim", str(at(ref, "name")), str(at(ref, "namespace") or "")), path
        for kind in _STORAGE:
            for path, storage in walk(obj.body, f"spec.{kind}"):
                yield ("storage", f"{kind} {json.dumps(storage, sort_keys=True)}", ""), path


def _claims(template: PodTemplate) -> Iterator[tuple[str, str]]:
    """Yield the claims that a pod can write to."""
    writes = {
        str(at(mount, "name"))
        for _, container in containers(template)
        for _, mount in walk(container, "volumeMounts[]")
        if at(mount, "readOnly") is not True
    }
    for path, volume in walk(template.spec, "volumes[]", template.within("spec")):
        claim = at(volume, "persistentVolumeClaim")
        name = at(claim, "claimName")
        if isinstance(name, str) and at(claim, "readOnly") is not True and str(at(volume, "name")) in writes:
            yield f"{path}.persistentVolumeClaim.claimName", name


def _pod(name: str, claim: str, more: str = "") -> str:
    return _POD.format(name=name, claim=claim, more=more)


CLASH: Final[Clash] = Clash(
    id="shared-volumes",
    title="No volume is written by both releases",
    explanation=(
        "Two releases that write to one claim overwrite each other's data, or the second's pods wait for a disk that "
        "the first's node holds. A volume is bound to one claim, and two volumes of one storage are one."
    ),
    remedy="give each release a claim of its own, or mount it with readOnly",
    wrong=(
        (_pod("a", "data"), _pod("b", "data")),
        (_CLAIM.format(name="a", volume="disk"), _CLAIM.format(name="b", volume="disk")),
        (_VOLUME.format(name="a", spec=_REF), _VOLUME.format(name="b", spec=_REF)),
        (
            _VOLUME.format(name="a", spec="nfs: {server: nas, path: /data}"),
            _VOLUME.format(name="b", spec="nfs: {server: nas, path: /data}"),
        ),
    ),
    right=(
        (_pod("a", "data-a"), _pod("b", "data-b")),
        (_pod("a", "data", ", readOnly: true"), _pod("b", "data", ", readOnly: true")),
        (_CLAIM.format(name="a", volume="disk-a"), _CLAIM.format(name="b", volume="disk-b")),
        (
            _VOLUME.format(name="a", spec="nfs: {server: nas, path: /a}"),
            _VOLUME.format(name="b", spec="nfs: {server: nas, path: /b}"),
        ),
    ),
    find=_find,
    origin="Kubernetes, Persistent Volumes: Binding, Access Modes",
)

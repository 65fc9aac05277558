"""No directory of a node is written by both releases."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, Use, both_use, containers
from sidelane.manifest import PodTemplate
from sidelane.manifest.fields import at, walk

#: Types of host paths that hold no data.
_NO_DATA: Final = ("Socket", "CharDevice", "BlockDevice")
#: Paths of the node's kernel and its runtimes, which programs read or use together.
_SYSTEM: Final = ("/dev", "/proc", "/sys", "/run", "/var/run", "/lib/modules", "/usr/src", "/etc/localtime")

_POD: Final = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: {name}}}
spec:
  template:
    spec:
      volumes: [{{name: data, hostPath: {{path: {path}}}}}]
      containers: [{{name: main, volumeMounts: [{{name: data, mountPath: /data{more}}}]}}]
"""


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    for use, other in both_use(mine, theirs, _uses):
        message = f"can write to {use.key} of its node, as {other.obj.identity} of the other release can"
        yield Touch(use.obj, use.path, message, other.obj, other.path)


def _uses(side: Side) -> Iterator[Use[str]]:
    return (Use(obj, place, path) for obj, template in side.pods for place, path in _written(template))


def _written(template: PodTemplate) -> Iterator[tuple[str, str]]:
    """Yield the directories of the node that a pod can write to, with the places of their fields."""
    written = {
        (str(at(mount, "name")), str(at(mount, "subPath") or ""))
        for _, container in containers(template)
        for _, mount in walk(container, "volumeMounts[]")
        if at(mount, "readOnly") is not True and at(mount, "subPathExpr") is None
    }
    for place, volume in walk(template.spec, "volumes[]", template.within("spec")):
        path, kind = at(volume, "hostPath", "path"), at(volume, "hostPath", "type")
        if not isinstance(path, str) or kind in _NO_DATA or _is_system(path):
            continue
        for name, below in sorted(written):
            if name == str(at(volume, "name")):
                yield f"{place}.hostPath.path", posixpath.normpath(posixpath.join(path, below))


def _is_system(path: str) -> bool:
    clean = posixpath.normpath(path)
    return clean == "/" or clean.endswith(".sock") or any(f"{clean}/".startswith(f"{root}/") for root in _SYSTEM)


def _pod(name: str, path: str, more: str = "") -> str:
    return _POD.format(name=name, path=path, more=more)


CLASH: Final[Clash] = Clash(
    id="host-paths",
    title="No directory of a node is written by both releases",
    explanation=(
        "A hostPath is a directory of the node: pods of both releases that run there write to the same files, in "
        "whatever namespaces they are. Paths of the kernel, of sockets and of devices are left out."
    ),
    remedy="put the release's name into the path, mount it with readOnly, or use a claim",
    severity="warning",
    wrong=((_pod("a", "/var/lib/app"), _pod("b", "/var/lib/app/")),),
    right=(
        (_pod("a", "/var/lib/a"), _pod("b", "/var/lib/b")),
        (_pod("a", "/var/log", ", readOnly: true"), _pod("b", "/var/log", ", readOnly: true")),
        (_pod("a", "/proc"), _pod("b", "/proc")),
        (_pod("a", "/data", ", subPath: a"), _pod("b", "/data", ", subPath: b")),
    ),
    find=_find,
    origin="Kubernetes, Volumes: hostPath",
)

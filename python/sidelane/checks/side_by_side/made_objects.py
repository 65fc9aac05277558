"""No object that a controller makes for one release has the name of the other's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch
from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import at, walk

#: Kinds that name the object that their controller makes: the name's path, and the kind made.
_NAMED: Final = {
    ("cert-manager.io", "Certificate"): (("spec.secretName", "Secret"),),
    ("external-secrets.io", "ExternalSecret"): (("spec.target.name", "Secret"),),
    ("bitnami.com", "SealedSecret"): (("spec.template.metadata.name", "Secret"),),
}
#: Names of more pods than this are not compared.
_PODS: Final = 20

_SET: Final = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  replicas: 3
  template: {{}}
  volumeClaimTemplates: [{{metadata: {{name: {claim}}}}}]
"""
_CERTIFICATE: Final = """\
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: {name}}}
spec: {{secretName: {made}}}
"""
_CLAIM: Final = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data-app-0}\n"


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    made: dict[Identity, tuple[Object, str]] = {}
    for obj in theirs.objects:
        for path, identity in _made(obj):
            made.setdefault(identity, (obj, path))
    for obj in mine.objects:
        # Two of one name are a finding themselves.
        for path, identity in _made(obj):
            other, other_path = made.get(identity) or (theirs.by_identity.get(identity), "")
            if other is not None and theirs.identity(other) != mine.identity(obj):
                message = f"makes {identity}, which {other.identity} of the other release also has"
                yield Touch(obj, path, message, other, other_path)
                break
        else:
            if others := made.get(mine.identity(obj)):
                yield Touch(obj, "", f"has the name that {others[0].identity} of the other release makes", *others)


def _made(obj: Object) -> Iterator[tuple[str, Identity]]:
    """Yield the objects that controllers make for an object, with the paths of their names."""
    group, kind, namespace, name = obj.identity
    for path, made in _NAMED.get((group, kind), ()):
        for where, value in walk(obj.body, path):
            if isinstance(value, str):
                yield where, Identity("", made, namespace, value)
    if (group, kind) != ("apps", "StatefulSet"):
        return
    replicas = at(obj.body, "spec", "replicas")
    for ordinal in range(min(replicas if isinstance(replicas, int) else 1, _PODS)):
        yield "", Identity("", "Pod", namespace, f"{name}-{ordinal}")
        for where, claim in walk(obj.body, "spec.volumeClaimTemplates[].metadata.name"):
            yield where, Identity("", "PersistentVolumeClaim", namespace, f"{claim}-{name}-{ordinal}")


CLASH: Final[Clash] = Clash(
    id="made-objects",
    title="No object that a controller makes is in both releases",
    explanation=(
        "A StatefulSet names its pods and claims by itself and its templates, and a Certificate names the Secret that "
        "cert-manager writes. Helm does not know of these: two releases that name one alike overwrite each other, or "
        "share data."
    ),
    remedy="put the release's name, or the lane, into the name",
    wrong=(
        (_SET.format(name="a-b", claim="data"), _SET.format(name="b", claim="data-a")),
        (_CERTIFICATE.format(name="a", made="tls"), _CERTIFICATE.format(name="b", made="tls")),
        (_SET.format(name="app", claim="data"), _CLAIM),
        (_CLAIM, _SET.format(name="app", claim="data")),
    ),
    right=(
        (_SET.format(name="app-coco-1", claim="data"), _SET.format(name="app-coco-2", claim="data")),
        (_CERTIFICATE.format(name="a", made="a-tls"), _CERTIFICATE.format(name="b", made="b-tls")),
    ),
    find=_find,
    origin="Kubernetes, StatefulSets: Stable Network ID, Stable Storage; cert-manager, Certificate resource",
)

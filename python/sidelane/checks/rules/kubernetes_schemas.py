"""Every object is valid in the schemas of a range of Kubernetes versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.apis import ENDINGS
from sidelane.checks.rules.examples import RELEASE, edited, made
from sidelane.checks.rules.rule import Context, Problem, Rule

_DEFINITION: Final = """\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: backups.acme.example
  labels: {app: svc1-2-coco-1, sidelane.dev/version: 2-coco, sidelane.dev/build: "1", sidelane.dev/lane: 2-coco-1}
  annotations: {except.sidelane.dev/lane-suffix: the API server demands this name}
spec:
  group: acme.example
  names: {kind: Backup, plural: backups, singular: backup, listKind: BackupList}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {days: {type: integer}}}}}}
"""
_BACKUP: Final = _DEFINITION + made("acme.example/v1", "Backup", "spec: {days: 7}")


def _check(context: Context) -> Iterator[Problem]:
    from sidelane.checks.kubernetes import versions  # noqa: PLC0415 - few checks have schemas
    from sidelane.checks.kubernetes.validating import Validation  # noqa: PLC0415

    minors, folders = context.conventions.kubernetes, context.conventions.schemas
    validation = Validation(context.manifest, minors, folders)
    for obj in context.manifest.objects:
        api_version = str(obj.body.get("apiVersion"))
        ending = ENDINGS.get((api_version, obj.kind))
        # The rule removed-apis reports what a version removes.
        missing = tuple(each for each in validation.missing(obj) if ending is None or each < ending.removed)
        if missing:
            where = versions.shown(missing)
            yield Problem(obj, "apiVersion", f"Kubernetes {where} has no {obj.kind} in {api_version}", _OTHER)
        for fault in validation.faults(obj):
            yield Problem(obj, "" if fault.path.startswith("(") else fault.path, fault.message)


def unknown(context: Context) -> tuple[str, ...]:
    """Return a sentence about the kinds without a schema, which the rule did not check; none if there are none."""
    from sidelane.checks.kubernetes.validating import Validation  # noqa: PLC0415 - few checks have schemas

    validation = Validation(context.manifest, context.conventions.kubernetes, context.conventions.schemas)
    unchecked = (obj for obj in context.manifest.objects if not validation.knows(obj))
    kinds = sorted({f"{obj.kind}.{obj.identity.group}".rstrip(".") for obj in unchecked})
    return (f"No schema is known for {', '.join(kinds[:20])}: see --schemas.",) if kinds else ()


_OTHER: Final = "use an API version that every version of the range has, or narrow the range"

RULE: Final[Rule] = Rule(
    id="kubernetes-schemas",
    title="Every object is valid in the schemas of Kubernetes",
    explanation=(
        "The API server refuses a field of the wrong type, and drops or refuses a field that it does not know: a "
        "typing error then has no effect. With --kubernetes-versions 1.30-1.36 the rule checks Kubernetes' own kinds "
        "in every version of the range; this needs sidelane[kubernetes]. It checks custom resources by definitions in "
        "the manifest and in the folders of --schemas. It does not evaluate rules in CEL."
    ),
    remedy="write the field as the schema says",
    wrong=(
        edited(RELEASE, ("replicas: 1", "replicas: one")),
        edited(RELEASE, ("replicas: 1", "replica: 1")),
        made("batch/v1", "Deployment", "spec: {}"),
        edited(_BACKUP, ("days: 7", "day: 7")),
    ),
    right=(RELEASE, _BACKUP),
    check=_check,
    origin="Kubernetes, API Concepts: field validation; the OpenAPI documents of Kubernetes",
    scope="asked",
    conventions="kubernetes: {versions: 1.30-1.36}",
)

"""Every mount has its volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers
from sidelane.manifest import Object, PodTemplate
from sidelane.manifest.fields import walk


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        if template := obj.pod_template:
            volumes = _volumes(obj, template)
            for base, container in containers(template):
                for mounts in ("volumeMounts[].name", "volumeDevices[].name"):
                    for path, name in walk(container, mounts, base):
                        if isinstance(name, str) and name not in volumes:
                            yield Problem(obj, path, f"the pod has no volume {shown(name)}")


def _volumes(obj: Object, template: PodTemplate) -> set[str]:
    names = {str(name) for _, name in walk(template.spec, "volumes[].name")}
    if obj.kind == "StatefulSet":
        names |= {str(name) for _, name in walk(obj.body, "spec.volumeClaimTemplates[].metadata.name")}
    return names


RULE: Final[Rule] = Rule(
    id="volumes-exist",
    title="Every mount has its volume",
    explanation=(
        "The API server refuses a pod whose container mounts a volume that the pod does not have. Of a StatefulSet, "
        "the volume can also be one of its volume claim templates."
    ),
    remedy="add the volume to the pod, or remove the mount",
    wrong=(edited(RELEASE, ("{name: settings, mountPath", "{name: setting, mountPath")),),
    right=(RELEASE,),
    check=_check,
    origin="Kubernetes, API validation of pods (ValidateVolumeMounts)",
    scope="all",
)

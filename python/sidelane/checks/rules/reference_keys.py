"""Referenced keys of ConfigMaps and Secrets exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers, templates
from sidelane.manifest import Identity, Object, PodTemplate
from sidelane.manifest.fields import Fields, at, walk

#: The references with their target's kind, and the key with the target's name.
_VARIABLES: Final = Fields([
    ("env[].valueFrom.configMapKeyRef", "ConfigMap"), ("env[].valueFrom.secretKeyRef", "Secret"),
])  # fmt: skip
_VOLUMES: Final = Fields(
    [
        ("volumes[].configMap", ("ConfigMap", "name")),
        ("volumes[].secret", ("Secret", "secretName")),
        ("volumes[].projected.sources[].configMap", ("ConfigMap", "name")),
        ("volumes[].projected.sources[].secret", ("Secret", "name")),
    ]
)
_VARIABLE: Final = "env:\n            - {name: LEVEL, valueFrom: {configMapKeyRef: {name: svc1-v1-2-coco-1, key: %s}}}"


def _check(context: Context) -> Iterator[Problem]:
    held = {obj.identity: keys for obj in context.manifest.objects if (keys := _held(obj))}
    if held:
        for obj, template in templates(context.manifest):
            yield from _of_variables(obj, template, held)
            yield from _of_volumes(obj, template, held)


def _held(obj: Object) -> frozenset[str] | None:
    """Return the keys of a ConfigMap or Secret; None for other kinds, and for one that others fill later."""
    if (obj.identity.group, obj.kind) not in {("", "ConfigMap"), ("", "Secret")}:
        return None
    parts = (at(obj.body, part) for part in ("data", "binaryData", "stringData"))
    return frozenset(str(key) for part in parts if isinstance(part, dict) for key in part) or None


_Held = Mapping[Identity, frozenset[str]]


def _of_variables(obj: Object, template: PodTemplate, held: _Held) -> Iterator[Problem]:
    for base, container in containers(template):
        for path, reference, kind in _VARIABLES.walk(container, base):
            target = _target(obj, kind, at(reference, "name"))
            if at(reference, "optional") is not True:
                yield from _missing(obj, f"{path}.key", at(reference, "key"), target, held)


def _of_volumes(obj: Object, template: PodTemplate, held: _Held) -> Iterator[Problem]:
    for path, volume, (kind, name) in _VOLUMES.walk(template.spec, template.within("spec")):
        if at(volume, "optional") is True:
            continue
        target = _target(obj, kind, at(volume, name))
        for inner, key in walk(volume, "items[].key", path):
            yield from _missing(obj, inner, key, target, held)


def _target(obj: Object, kind: str, name: Any) -> Identity:
    return Identity("", kind, obj.identity.namespace, str(name))


def _missing(obj: Object, path: str, key: Any, target: Identity, held: _Held) -> Iterator[Problem]:
    if isinstance(key, str) and target in held and key not in held[target]:
        keys = ", ".join(sorted(held[target])[:10])
        yield Problem(obj, path, f"{target} has no key {shown(key)}; it has {keys}")


RULE: Final[Rule] = Rule(
    id="reference-keys",
    title="Referenced keys of ConfigMaps and Secrets exist",
    explanation=(
        "A container with a variable from a missing key stays in CreateContainerConfigError, and a pod with a volume "
        "of a missing key is never created. The API server accepts both. The rule covers ConfigMaps and Secrets in "
        "the manifest that have data, unless the reference is optional."
    ),
    remedy="correct the key, or add it to the ConfigMap or Secret",
    wrong=(
        edited(RELEASE, ("env:", _VARIABLE % "levels")),
        edited(
            RELEASE,
            ("configMap: {name: svc1-v1-2-coco-1}", "configMap: {name: svc1-v1-2-coco-1, items: [{key: a, path: a}]}"),
        ),
    ),
    right=(
        edited(RELEASE, ("env:", _VARIABLE % "level")),
        edited(RELEASE, ("env:", _VARIABLE % "levels, optional: true")),
    ),
    check=_check,
    origin="Kubernetes, Configure a Pod to Use a ConfigMap: restrictions",
    scope="all",
)

"""Names, labels and annotations are valid for the API server and for Kubernetes' controllers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules import syntax
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.manifest import Object, selectors
from sidelane.manifest.fields import Fields, mapping
from sidelane.naming.contract import KIND_LIMITS

_OBJECT: Final = """\
apiVersion: {version}
kind: {kind}
metadata:
  name: {name}-2-coco-1
  labels: &labels
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
    app.kubernetes.io/version: {app_version}
spec:
  serviceName:
  selector: {selector}
  ports: [{{name: {port}, port: 2181}}]
  template:
    metadata: {{labels: *labels}}
    spec:
      containers:
        - name: {container}
          image: zookeeper:3.9.5
"""
_SERVICE: Final = {
    "version": "v1", "kind": "Service", "name": "zk", "port": "client", "container": "zookeeper",
    "app_version": "3.9.5", "selector": "{app: zk-2-coco-1}",
}  # fmt: skip
_STATEFULSET: Final = {
    **_SERVICE, "version": "apps/v1", "kind": "StatefulSet", "selector": "{matchLabels: {app: zk-2-coco-1}}"
}  # fmt: skip

_Syntax = Callable[[object], str]
_LabelProblems = Callable[[str, str], tuple[str, ...]]
_CONTAINERS: Final = ("containers[]", "initContainers[]", "ephemeralContainers[]")
_POD_NAMES: Final[Fields[_Syntax]] = Fields((
    *((f"{containers}.name", syntax.dns_label) for containers in _CONTAINERS),
    *((f"{containers}.ports[].name", syntax.port_name) for containers in _CONTAINERS[:2]),
    ("volumes[].name", syntax.dns_label),
    ("hostname", syntax.dns_label),
    ("subdomain", syntax.dns_label),
))  # fmt: skip
_NAMES: Final[dict[tuple[str, str], Fields[_Syntax]]] = {
    ("", "Service"): Fields([("spec.ports[].name", syntax.dns_label)]),
    ("apps", "StatefulSet"): Fields([("spec.volumeClaimTemplates[].metadata.name", syntax.dns_label)]),
}
# The API server accepts these names if they are valid path segments; the contract's own names are narrower.
_RBAC: Final = "rbac.authorization.k8s.io"


def _check(context: Context) -> Iterator[Problem]:
    known = functools.cache(_label_problems)  # most labels occur many times
    for obj in context.manifest.objects:
        if problem := _name_problem(obj):
            yield Problem(obj, "metadata.name", problem)
        yield from _labels(obj, obj.labels, "metadata.labels", known)
        if obj.annotations:
            yield from _annotations(obj)
        if names := _NAMES.get((obj.identity.group, obj.kind)):
            yield from _syntax(obj, obj.body, names, "")
        for selector in selectors(obj):
            yield from _labels(obj, selector.labels, selector.path, known)
        if obj.kind in {"ConfigMap", "Secret"} and not obj.identity.group:
            yield from _data_keys(obj)
        if template := obj.pod_template:
            yield from _labels(obj, template.labels, template.within("metadata.labels"), known) if template.path else ()
            yield from _syntax(obj, template.spec, _POD_NAMES, template.within("spec"))


def _name_problem(obj: Object) -> str:
    limit = KIND_LIMITS.get(obj.kind, 253)
    if obj.identity.group == _RBAC:
        return "has a slash or a percent sign" if {"/", "%"} & set(obj.name) or obj.name in {".", ".."} else ""
    if obj.kind == "Service" and not obj.identity.group:
        return syntax.dns_label_1035(obj.name)
    return syntax.dns_label(obj.name, limit) if obj.kind in KIND_LIMITS else syntax.dns_subdomain(obj.name)


def _labels(obj: Object, labels: Mapping[str, Any], path: str, known: _LabelProblems) -> Iterator[Problem]:
    for key, value in labels.items():
        for problem in known(key, value) if isinstance(value, str) else _label_problems(key, value):
            yield Problem(obj, f"{path}[{key}]", problem)


def _label_problems(key: str, value: object) -> tuple[str, ...]:
    of_key, of_value = syntax.label_key(key), syntax.label_value(value)
    problems = f"the key {of_key}" if of_key else "", f"the value {shown(value)} {of_value}" if of_value else ""
    return tuple(filter(None, problems))


def _annotations(obj: Object) -> Iterator[Problem]:
    for key, value in obj.annotations.items():
        # Unlike a label's prefix, an annotation's prefix may have upper case: the API server lowers it first.
        problem = syntax.label_key(key.lower()) or ("" if isinstance(value, str) else "has a value that is not text")
        if problem:
            yield Problem(obj, f"metadata.annotations[{key}]", problem)
    if problem := syntax.annotations_size(obj.annotations):
        yield Problem(obj, "metadata.annotations", problem)


def _data_keys(obj: Object) -> Iterator[Problem]:
    for part in ("data", "binaryData", "stringData"):
        for key in mapping(obj.body, part):
            if problem := syntax.data_key(key):
                yield Problem(obj, f"{part}[{key}]", f"the key {problem}")
    if problem := syntax.data_size(obj.body, encoded=obj.kind == "Secret"):
        yield Problem(obj, "data", problem, "split it into several objects, or keep it in a volume")


def _syntax(obj: Object, root: Any, names: Fields[_Syntax], base: str) -> Iterator[Problem]:
    for path, value, check in names.walk(root, base):
        if problem := check(value):
            yield Problem(obj, path, f"{shown(value)} {problem}")


RULE: Final[Rule] = Rule(
    id="name-limits",
    title="Names, labels and annotations are valid in Kubernetes",
    explanation=(
        "The API server refuses invalid names in the middle of an install. Some names that it accepts do not work: if "
        "a StatefulSet's name has more than 52 characters, its pods never start, because the label "
        "controller-revision-hash exceeds 63; if a Deployment's name has more than 46, it is cut in its pods' names; a "
        "Service's name may begin with a digit only from Kubernetes 1.36. Sidelane never cuts a name, because two "
        "lanes could then share it."
    ),
    remedy="choose a shorter or simpler one",
    wrong=(
        _OBJECT.format_map({**_STATEFULSET, "name": "z" + "k" * 44}),
        _OBJECT.format_map({**_STATEFULSET, "app_version": "1.4.0+b1"}),
        _OBJECT.format_map({**_STATEFULSET, "app_version": "3.9"}),
        _OBJECT.format_map({**_STATEFULSET, "container": "zoo_keeper"}),
        _OBJECT.format_map({**_SERVICE, "name": "z" * 55}),
        _OBJECT.format_map({**_SERVICE, "port": "Client"}),
    ),
    right=(
        _OBJECT.format_map({**_STATEFULSET, "name": "z" * 43}),
        _OBJECT.format_map(_SERVICE),
    ),
    check=_check,
    origin="Kubernetes, Object Names and IDs",
    scope="all",
)

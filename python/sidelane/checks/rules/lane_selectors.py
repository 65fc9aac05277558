"""Every selector matches only its own lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sidelane.checks.conventions import Conventions
from sidelane.checks.rules.rule import Context, Problem, Rule, is_route, lane_texts, parse_lane
from sidelane.manifest import LabelIndex, Object, Selector, selectors
from sidelane.naming.contract import parse_name
from sidelane.naming.lane import Lane

_LABELS: Final = """\
  labels: &labels
    app: zk-2-coco-1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
"""
_OBJECT: Final = f"""\
---
apiVersion: {{version}}
kind: {{kind}}
metadata:
  name: zk-2-coco-1
{_LABELS}spec:
  {{spec}}
"""
_WORKLOAD: Final = f"""\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: zk-2-coco-1
{_LABELS}spec:
  selector: {{selector}}
  template:
    metadata: {{{{labels: *labels}}}}
    spec:
      containers: [{{{{name: main, image: "zookeeper:3.9.5"}}}}]
"""
_POLICY: Final = """\
podSelector: {matchLabels: {app: zk-2-coco-1}}
  ingress: [{from: [{podSelector: %s}]}]"""
_ROUTE: Final = """\
apiVersion: v1
kind: Service
metadata:
  name: svc1-2-coco-1
  labels:
    app: svc1-2-coco-1
    app.kubernetes.io/name: {chart}
    helm.sh/chart: {chart}-0.1.0
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
spec:
  selector: {selector}
"""


def _check(context: Context) -> Iterator[Problem]:
    if not context.conventions.parts_lanes:  # selector-labels checks those
        return
    objects = context.manifest.objects
    # A test's pod is a hook: it is temporary, and no Service selects it alone.
    pods = ((obj, template.labels) for obj in objects if (template := obj.pod_template) and not obj.is_hook)
    services = ((obj, obj.labels) for obj in objects if obj.kind == "Service")
    indexes = {"pods": LabelIndex(pods), "services": LabelIndex(services)}
    for obj, lane in context.in_lanes():
        own = selectors(obj)
        known = context.known(obj, lane)
        for selector in own:
            if message := _message(obj, selector, _Wanted(context.conventions, lane, known), indexes[selector.selects]):
                yield Problem(obj, selector.path, message)
        if obj.identity.group == "apps" and obj.pod_template and not any(s.role == "template" for s in own):
            yield Problem(obj, "spec.selector", "is missing")


class _Wanted(NamedTuple):
    """The lane of an object, and the conventions for its selectors."""

    conventions: Conventions
    lane: Lane
    known: Mapping[str, str]


def _message(obj: Object, selector: Selector, wanted: _Wanted, index: LabelIndex) -> str:
    lane, key = wanted.lane, wanted.conventions.lane_label
    demanded = selector.demanded(key) if key else None
    if demanded is not None and is_route(obj):
        lane = parse_lane(demanded) or lane
        if not wanted.conventions.parts(selector, {**wanted.known, **lane_texts(lane)}, but=key):
            return f"requires no app of {lane}, the lane that this route leads to"
    elif is_route(obj) and any(map(_names_lane, selector.labels.values())):
        return ""  # the pods of a chart that knows no lanes, by a label that begins with the name of their release
    if demanded is not None and demanded != str(lane):
        return f"selects lane {demanded!r}, but this object is in {lane}"
    if selector.role == "peer" or selector.elsewhere:
        return ""
    if selector.is_empty:
        return f"is empty, so it selects all {selector.selects} of the namespace"
    if demanded is None and not wanted.conventions.parts(selector, wanted.known):
        return f"does not require {wanted.conventions.wanted(wanted.known)}"
    if selector.role == "template":
        template = obj.pod_template
        matches = template is None or selector.matches(template.labels)
        return "" if matches else "does not match the labels of its own pod template"
    namespace = obj.identity.namespace  # a manifest without any there has nothing to compare with
    matches = namespace not in index.namespaces or any(True for _ in index.matches(namespace, selector))
    return "" if matches else f"matches none of the manifest's {selector.selects}"


def _names_lane(text: object) -> bool:
    """Tells whether a text begins with the name of something in a lane: ``podinfo-coco-1``, ``podinfo-coco-1-api``."""
    parts = str(text).split("-")
    return any(parse_name("-".join(parts[:end])) for end in range(3, len(parts) + 1))


RULE: Final[Rule] = Rule(
    id="lane-selectors",
    title="Every selector matches only its own lane",
    explanation=(
        "A Service, a disruption budget or a policy acts on every pod in the namespace that its selector matches. So "
        "`app: zk` also matches other lanes, and an empty selector matches everything. The same applies to topology "
        "spread and affinity: a new lane could prevent an old lane's pods from being scheduled. A workload's selector "
        "must match its own template, or the API server refuses it. Peers of a NetworkPolicy (`from` and `to`) may be "
        "outside the lane, because callers are, but must not select another lane by name. A route's Service may: it "
        "leads to one app of one lane, which may be another one; to pods of a chart without lanes it leads by a label "
        "whose value begins with the name of their release."
    ),
    remedy="use the library chart's selector labels: app: <component>-<lane>, or sidelane.dev/lane: <lane>",
    wrong=(
        _OBJECT.format(version="v1", kind="Service", spec="selector: {app: zk}"),
        _OBJECT.format(version="v1", kind="Service", spec="selector: {sidelane.dev/lane: 2-coco-2}"),
        _OBJECT.format(version="policy/v1", kind="PodDisruptionBudget", spec="selector: {}"),
        _WORKLOAD.format(selector="{matchLabels: {app: zk-2-coco-1, tier: db}}"),
        _WORKLOAD.format(selector="{matchExpressions: [{key: app, operator: Exists}]}"),
        _WORKLOAD.format(selector="{matchLabels: *labels}")
        + _OBJECT.format(version="v1", kind="Service", spec="selector: {app: zk-cs-2-coco-1}"),
        _OBJECT.format(
            version="networking.k8s.io/v1",
            kind="NetworkPolicy",
            spec=_POLICY % "{matchLabels: {sidelane.dev/lane: 2-coco-2}}",
        ),
        _ROUTE.format(chart="svc1", selector="{app: svc1-2-coco-2, sidelane.dev/lane: 2-coco-2}"),
        _ROUTE.format(chart="route", selector="{sidelane.dev/lane: 2-coco-2}"),
        _ROUTE.format(chart="route", selector="{app.kubernetes.io/instance: svc1}"),
        _ROUTE.format(chart="route", selector="{app: svc1-2-coco-1, sidelane.dev/lane: 2-coco-2}"),
    ),
    right=(
        _WORKLOAD.format(selector="{matchLabels: {sidelane.dev/lane: 2-coco-1}}")
        + _OBJECT.format(version="v1", kind="Service", spec="selector: {app: zk-2-coco-1}"),
        _WORKLOAD.format(selector="{matchExpressions: [{key: app, operator: In, values: [zk-2-coco-1]}]}"),
        _OBJECT.format(version="networking.k8s.io/v1", kind="NetworkPolicy", spec=_POLICY % "{}"),
        _OBJECT.format(version="v1", kind="Service", spec="externalName: zk.example"),
        _ROUTE.format(chart="route", selector="{app: svc1-2-coco-2, version: v1, sidelane.dev/lane: 2-coco-2}"),
        _ROUTE.format(chart="route", selector="{app.kubernetes.io/instance: svc1-2-coco-2}"),
        _ROUTE.format(chart="route", selector="{app: svc1-2-coco-2-api}"),
    ),
    check=_check,
    origin="Sidelane's naming contract; Kubernetes, Labels and Selectors",
    scope="lanes",
)

"""Objects as Kubernetes sees them: identity, selectors, references, digests and differences."""

from __future__ import annotations

import random

import pytest
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Identity, Manifest, diff, references, selectors

RENDERED = """\
---
# Source: zookeeper/templates/configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: zk-coco-1
data:
  zoo.cfg: |
    tickTime=2000
    initLimit=10
---
# Source: zookeeper/templates/empty.yaml
---
# Source: zookeeper/templates/statefulset.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: zk-coco-1, namespace: other, labels: {app: zk-coco-1}}
spec:
  replicas: 3
  template:
    spec:
      containers: [{name: zookeeper, image: "zookeeper:3.9.5"}, {name: exporter, image: "exporter:1"}]
"""


def manifest_of(text: str) -> Manifest:
    return Manifest.read(text, namespace="ns")


class TestRead:
    def test_helm_output(self) -> None:
        config, stateful = Manifest.read(RENDERED, namespace="ns", source="stdin").objects
        assert config.identity == Identity("", "ConfigMap", "ns", "zk-coco-1")
        assert stateful.identity == Identity("apps", "StatefulSet", "other", "zk-coco-1")
        assert (config.source, config.line) == ("zookeeper/templates/configmap.yaml", 0)
        assert (stateful.source, stateful.line) == ("zookeeper/templates/statefulset.yaml", 0)
        assert stateful.labels == {"app": "zk-coco-1"}
        assert config.labels == {}
        assert str(stateful.identity) == "StatefulSet zk-coco-1"

    def test_without_comment_the_source_is_the_input(self) -> None:
        (obj,) = Manifest.read("apiVersion: v1\nkind: Secret\nmetadata: {name: a}", source="x.yaml").objects
        assert (obj.source, obj.identity.namespace) == ("x.yaml", "default")

    def test_one_object_of_two_versions_has_one_identity(self) -> None:
        text = "apiVersion: {}\nkind: {}\nmetadata: {{name: a}}\n---\n"
        for kind, versions in {
            "Ingress": ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"),
            "Deployment": ("apps/v1", "apps/v1beta1", "extensions/v1beta1"),
        }.items():
            manifest = manifest_of("".join(text.format(version, kind) for version in versions))
            assert len({obj.identity for obj in manifest.objects}) == 1

    def test_what_lives_in_no_namespace(self) -> None:
        text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: x}"
        assert manifest_of(text).objects[0].identity.namespace == ""

    def test_lists_are_taken_apart(self) -> None:
        text = """
        {apiVersion: v1, kind: List, items: [
          {apiVersion: v1, kind: Secret, metadata: {name: a}},
          {apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: b}}, {metadata: {name: c}}]}]}
        """
        assert [str(obj.identity) for obj in manifest_of(text).objects] == ["Secret a", "ConfigMap b", "ConfigMap c"]

    def test_hooks(self) -> None:
        text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {helm.sh/hook: test}}"
        assert manifest_of(text).objects[0].is_hook
        assert not manifest_of(RENDERED).objects[0].is_hook

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("just text", "<input>, line 1: the document is not an object"),
            ("[a]", "not an object"),
            ("kind: A\nmetadata: {name: a}", "no apiVersion"),
            ("apiVersion: v1\nmetadata: {name: a}", "no kind"),
            ("apiVersion: v1\nkind: A", "no metadata.name"),
            ("apiVersion: v1\nkind: A\nmetadata: {name: ''}", "no metadata.name"),
            ("apiVersion: v1\nkind: A\nmetadata: {name: 7}", "metadata.name must be text"),
            ("apiVersion: 1\nkind: A\nmetadata: {name: a}", "apiVersion must be text"),
            ("apiVersion: v1\nkind: A\nmetadata: {generateName: a-}", "generateName"),
            ("apiVersion: v1\nkind: A\nmetadata: {name: a, labels: [b]}", "metadata.labels of A a"),
            ("# Source: c/t.yaml\napiVersion: v1\nkind: A", r"<input>, line 2 \(c/t.yaml\): an object has no"),
        ],
    )
    def test_refused(self, text: str, problem: str) -> None:
        with pytest.raises(InvalidManifest, match=problem) as raised:
            manifest_of(text)
        assert raised.value.remedy


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        ("v1/Pod", {"spec": {"hostname": "x"}, "metadata": {"labels": {"a": "b"}}}, ""),
        ("apps/v1/Deployment", {"spec": {"template": "POD"}}, "spec.template"),
        ("batch/v1/Job", {"spec": {"template": "POD"}}, "spec.template"),
        (
            "batch/v1/CronJob",
            {"spec": {"jobTemplate": {"spec": {"template": "POD"}}}},
            "spec.jobTemplate.spec.template",
        ),
        ("v1/Service", {"spec": {}}, None),
        ("apps/v1/Deployment", {"spec": {}}, None),
    ],
)
def test_pod_template(kind: str, body: dict, path: str | None) -> None:
    pod = '{"metadata": {"labels": {"a": "b"}}, "spec": {"hostname": "x"}}'
    template = _object(kind, dump(body).replace("POD", pod)).pod_template
    assert (template and template.path) == path
    if template:
        assert (template.labels["a"], template.spec["hostname"]) == ("b", "x")
        assert template.within("spec") == (f"{path}.spec" if path else "spec")


def _object(kind: str, body: str):
    version, _, name = kind.rpartition("/")
    data = kubeyaml.read(body)
    metadata = {"name": "a", **data.pop("metadata", {})}
    return manifest_of(dump({"apiVersion": version, "kind": name, "metadata": metadata, **data})).objects[0]


def _pod(spec: str) -> str:
    return f"spec: {{template: {{metadata: {{labels: {{a: b}}}}, spec: {spec}}}}}"


_ANTI = "spec.template.spec.affinity.podAntiAffinity"
SELECTORS = [
    ("v1/Service", "spec: {selector: {a: b}}", [("spec.selector", "pods", "subject")]),
    ("v1/Service", "spec: {selector: {}}", []),
    ("v1/ReplicationController", "spec: {selector: {a: b}}", [("spec.selector", "pods", "template")]),
    ("apps/v1/StatefulSet", "spec: {selector: {matchLabels: {a: b}}}", [("spec.selector", "pods", "template")]),
    ("policy/v1/PodDisruptionBudget", "spec: {selector: {}}", [("spec.selector", "pods", "subject")]),
    (
        "networking.k8s.io/v1/NetworkPolicy",
        "spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}], egress: [{to: [{}, {podSelector: {}}]}]}",
        [
            ("spec.podSelector", "pods", "subject"),
            ("spec.ingress[0].from[0].podSelector", "pods", "peer"),
            ("spec.egress[0].to[1].podSelector", "pods", "peer"),
        ],
    ),
    ("monitoring.coreos.com/v1/PodMonitor", "spec: {selector: {}}", [("spec.selector", "pods", "subject")]),
    ("monitoring.coreos.com/v1/ServiceMonitor", "spec: {selector: {}}", [("spec.selector", "services", "subject")]),
    (
        "apps/v1/Deployment",
        _pod(
            "{topologySpreadConstraints: [{labelSelector: {}}], affinity: {podAntiAffinity: {"
            "requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}],"
            "preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {labelSelector: {}}}]}}}"
        ),
        [
            ("spec.template.spec.topologySpreadConstraints[0].labelSelector", "pods", "subject"),
            (f"{_ANTI}.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector", "pods", "subject"),
            (
                f"{_ANTI}.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector",
                "pods",
                "subject",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("kind", "body", "expected"), SELECTORS)
def test_selectors(kind: str, body: str, expected: list) -> None:
    assert [(s.path, s.selects, s.role) for s in selectors(_object(kind, body))] == expected


def test_selectors_match() -> None:
    text = """
    spec: {selector: {matchLabels: {a: "1"}, matchExpressions: [
      {key: b, operator: In, values: [x]}, {key: c, operator: NotIn, values: [z]},
      {key: d, operator: Exists}, {key: e, operator: DoesNotExist}]}}
    """
    (selector,) = selectors(_object("apps/v1/Deployment", text))
    good = {"a": "1", "b": "x", "d": ""}
    assert selector.matches(good)
    for wrong in ({"a": "2"}, {"b": "z"}, {"c": "z"}, {"e": ""}):
        assert not selector.matches({**good, **wrong})
    assert not selector.matches({"a": "1", "b": "x"})
    assert [selector.demanded(key) for key in "abcd"] == ["1", "x", None, None]


REFERENCES = [
    ("apps/v1/StatefulSet", "spec: {serviceName: x}", ["spec.serviceName → Service x"]),
    ("networking.k8s.io/v1/Ingress", "spec: {tls: [{secretName: x}]}", ["spec.tls[0].secretName → Secret x"]),
    (
        "networking.k8s.io/v1/Ingress",
        "spec: {rules: [{http: {paths: [{backend: {service: {name: x}}}]}}]}",
        ["spec.rules[0].http.paths[0].backend.service.name → Service x"],
    ),
    (
        "gateway.networking.k8s.io/v1/HTTPRoute",
        "spec: {rules: [{backendRefs: [{name: x}, {name: y, namespace: other}]}]}",
        ["spec.rules[0].backendRefs[0].name → Service x"],
    ),
    (
        "networking.istio.io/v1/VirtualService",
        "spec: {http: [{route: [{destination: {host: x.ns.svc.cluster.local}}, {destination: {host: a.example}}]}]}",
        ["spec.http[0].route[0].destination.host → Service x"],
    ),
    ("networking.istio.io/v1/DestinationRule", "spec: {host: x}", ["spec.host → Service x"]),
    (
        "autoscaling/v2/HorizontalPodAutoscaler",
        "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: x}}",
        ["spec.scaleTargetRef.name → StatefulSet x"],
    ),
    ("keda.sh/v1alpha1/ScaledObject", "spec: {scaleTargetRef: {name: x}}", ["spec.scaleTargetRef.name → Deployment x"]),
    (
        "rbac.authorization.k8s.io/v1/RoleBinding",
        """
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
        subjects: [{kind: ServiceAccount, name: x}, {kind: User, name: z}]
        """,
        ["roleRef.name → ClusterRole view", "subjects[0].name → ServiceAccount x"],
    ),
    ("v1/ServiceAccount", "imagePullSecrets: [{name: x}]", ["imagePullSecrets[0].name → Secret x"]),
    (
        "apps/v1/Deployment",
        _pod(
            "{serviceAccountName: sa, imagePullSecrets: [{name: pull}],"
            "initContainers: [{envFrom: [{secretRef: {name: s}}]}],"
            "containers: [{env: [{valueFrom: {configMapKeyRef: {name: c}}}], envFrom: [{configMapRef: {name: d}}]}],"
            "volumes: [{configMap: {name: v}}, {secret: {secretName: w}}, {persistentVolumeClaim: {claimName: p}},"
            "{projected: {sources: [{configMap: {name: pc}}, {secret: {name: ps}}]}}]}"
        ),
        [
            "spec.template.spec.containers[0].env[0].valueFrom.configMapKeyRef.name → ConfigMap c",
            "spec.template.spec.containers[0].envFrom[0].configMapRef.name → ConfigMap d",
            "spec.template.spec.initContainers[0].envFrom[0].secretRef.name → Secret s",
            "spec.template.spec.volumes[0].configMap.name → ConfigMap v",
            "spec.template.spec.volumes[1].secret.secretName → Secret w",
            "spec.template.spec.volumes[2].persistentVolumeClaim.claimName → PersistentVolumeClaim p",
            "spec.template.spec.volumes[3].projected.sources[0].configMap.name → ConfigMap pc",
            "spec.template.spec.volumes[3].projected.sources[1].secret.name → Secret ps",
            "spec.template.spec.imagePullSecrets[0].name → Secret pull",
            "spec.template.spec.serviceAccountName → ServiceAccount sa",
        ],
    ),
    ("v1/Pod", "spec: {serviceAccountName: sa}", ["spec.serviceAccountName → ServiceAccount sa"]),
]


@pytest.mark.parametrize(("kind", "body", "expected"), REFERENCES)
def test_references(kind: str, body: str, expected: list[str]) -> None:
    referenced = references(_object(kind, body))
    assert [f"{reference.path} → {reference.target}" for reference in referenced] == expected
    assert all(reference.target.namespace in {"ns", ""} for reference in referenced)


class TestDigest:
    def test_has_a_stable_form(self) -> None:
        assert manifest_of("").digest() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    def test_order_and_spelling_do_not_matter(self) -> None:
        objects = [
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\ndata: {{a: '{n}', b: x}}" for n in range(5)
        ]
        digest = manifest_of("\n---\n".join(objects)).digest()
        random.Random(1).shuffle(objects)
        assert manifest_of("\n---\n".join(objects)).digest() == digest
        assert manifest_of("\n---\n".join(objects).replace("{a: '3', b: x}", "\n  b: x\n  a: '3'")).digest() == digest
        assert manifest_of("\n---\n".join(objects).replace("b: x", "b: y")).digest() != digest


class TestDiff:
    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            ("replicas: 3", "replicas: 5", "StatefulSet zk-coco-1: spec.replicas: 3 → 5"),
            ("replicas: 3", 'replicas: "3"', 'StatefulSet zk-coco-1: spec.replicas: 3 → "3"'),
            ("  replicas: 3\n", "", "StatefulSet zk-coco-1: spec.replicas: 3 → (absent)"),
            (
                "initLimit=10",
                "initLimit=20",
                'ConfigMap zk-coco-1: data[zoo.cfg]: line 2: "initLimit=10" → "initLimit=20"',
            ),
            (
                "exporter:1",
                "exporter:2",
                'StatefulSet zk-coco-1: spec.template.spec.containers[exporter].image: "exporter:1" → "exporter:2"',
            ),
            (
                '{name: zookeeper, image: "zookeeper:3.9.5"}, ',
                "",
                (
                    'StatefulSet zk-coco-1: spec.template.spec.containers[zookeeper]: {"name": "zookeeper", '
                    '"image": "zookeeper:3.9.5"} → (absent)'
                ),
            ),
        ],
    )
    def test_fields(self, old: str, new: str, line: str) -> None:
        assert old in RENDERED
        assert diff(manifest_of(RENDERED), manifest_of(RENDERED.replace(old, new))) == (line,)

    def test_two_items_of_one_name_are_told_apart_by_their_places(self) -> None:
        """As environment variables may be: a comparison by name would see the last of them alone."""
        text = (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n"
            "spec: {containers: [{name: x, env: [{name: A, value: first}, {name: A, value: last}]}]}\n"
        )
        assert diff(manifest_of(text), manifest_of(text.replace("first", "other"))) == (
            'Pod x: spec.containers[x].env[0].value: "first" → "other"',
        )
        assert diff(manifest_of(text), manifest_of(text.replace("{name: A, value: first}, ", ""))) == (
            'Pod x: spec.containers[x].env[0].value: "first" → "last"',
            'Pod x: spec.containers[x].env[1]: {"name": "A", "value": "last"} → (absent)',
        )

    def test_same_content_has_no_differences(self) -> None:
        assert diff(manifest_of(RENDERED), manifest_of("---\n".join(reversed(RENDERED.split("---\n"))))) == ()

    def test_objects_of_one_side(self) -> None:
        other = manifest_of("apiVersion: v1\nkind: Secret\nmetadata: {name: x}")
        assert diff(other, manifest_of(""), names=("the release", "the chart")) == ("Secret x: only in the release",)
        assert diff(manifest_of(""), other, names=("the release", "the chart")) == ("Secret x: only in the chart",)

    def test_values_of_secrets_are_hidden(self) -> None:
        text = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: hunter1}\n"
        assert diff(manifest_of(text), manifest_of(text.replace("hunter1", "hunter2"))) == (
            "Secret x: stringData.a: (hidden) → (hidden)",
        )
        assert diff(manifest_of(text), manifest_of(text.replace("{a: hunter1}", "{}"))) == (
            "Secret x: stringData.a: (hidden) → (absent)",
        )
        assert diff(manifest_of(text), manifest_of(text.replace("stringData: {a: hunter1}", ""))) == (
            "Secret x: stringData: (hidden) → (absent)",
        )

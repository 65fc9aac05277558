"""The lists that the rule list-keys knows are those that the API server declares, and its findings are its refusals."""

import json
import os
from pathlib import Path

import pytest
import yaml
from sidelane.checks.engine import check
from sidelane.checks.rules import list_keys
from sidelane.manifest import Manifest

pytestmark = pytest.mark.either_helm

KEYS = "x-kubernetes-list-map-keys"


def declared(schema, resolve, path="", seen=()):
    """Every list below a schema whose items have a key, each with its keys; what a server fills in is left out."""
    for field, inner in schema.get("properties", {}).items():
        here = f"{path}.{field}" if path else field
        items = inner.get("items", {})
        reference = inner.get("$ref") or items.get("$ref")
        if field == "status" or reference in seen:
            continue
        if inner.get("type") == "array":
            here += "[]"
            if KEYS in inner:
                yield here, tuple(inner[KEYS])
        below = resolve(reference) if reference else items or inner
        yield from declared(below, resolve, here, (*seen, reference) if reference else seen)


def known(group, kind):
    """The same as the rule has it: of the object, of its metadata, and of its pods."""
    pods = {
        ("", "Pod"): "spec",
        ("", "PodTemplate"): None,
        ("batch", "CronJob"): "spec.jobTemplate.spec.template.spec",
    }
    workloads = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}
    base = pods.get((group, kind), "spec.template.spec" if kind in workloads else None)
    lists = dict(list_keys.METADATA) | dict(list_keys.OTHERS.get((group, kind), ()))
    return lists | ({f"{base}.{path}": keys for path, keys in list_keys.POD} if base else {})


# What nobody's chart makes: types of the server's own, of alpha APIs, and schemas inside of definitions.
LEFT_OUT = {
    ("", "ComponentStatus"),
    ("", "PodTemplate"),
    ("scheduling.k8s.io", "Workload"),
    ("scheduling.k8s.io", "PodGroup"),
}


def test_every_list_that_the_api_server_declares_is_known(cluster):
    definitions = cluster.get("/openapi/v2")["definitions"]
    resolve = lambda reference: definitions[reference.rpartition("/")[2]]  # noqa: E731
    compared = 0
    for schema in definitions.values():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            name = (kind["group"], kind["kind"])
            if "metadata" not in schema.get("properties", {}) or kind["kind"].endswith("List") or name in LEFT_OUT:
                continue
            lists = dict(declared(schema, resolve))
            # Owners in the metadata of templates, which no server keeps.
            lists = {
                path: keys
                for path, keys in lists.items()
                if path == "metadata.ownerReferences[]" or not path.endswith((".ownerReferences[]", "-validations[]"))
            }
            assert lists.items() <= known(*name).items(), name
            compared += len(lists)
    assert compared > 150


def test_every_list_of_the_meshes_is_known(unavailable):
    folder = os.environ.get("SIDELANE_TEST_CRDS")
    if not folder:
        unavailable("no definitions of Istio and the Gateway API here; SIDELANE_TEST_CRDS names their folder")
    number = 0
    for file in Path(folder).glob("*.yaml"):
        for body in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if not isinstance(body, dict) or body.get("kind") != "CustomResourceDefinition":
                continue
            for version in body["spec"]["versions"]:
                lists = dict(declared(version["schema"]["openAPIV3Schema"], None))
                assert lists.items() <= known(body["spec"]["group"], body["spec"]["names"]["kind"]).items(), body
                number += len(lists)
    assert number > 30


POD = {"containers": [{"name": "main", "image": "a:1"}]}
MAIN = POD["containers"][0]
TWICE = {
    "env": {"containers": [{**MAIN, "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]},
    "ports": {"containers": [{**MAIN, "ports": [{"containerPort": 80}, {"containerPort": 80, "name": "b"}]}]},
    "both protocols": {
        "containers": [{**MAIN, "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]}]
    },
    "volumeMounts": {"containers": [{**MAIN, "volumeMounts": [{"name": n, "mountPath": "/a"} for n in "ab"]}]},
    "volumes": {**POD, "volumes": [{"name": "a", "emptyDir": {}}] * 2},
    "hostAliases": {**POD, "hostAliases": [{"ip": "10.0.0.1", "hostnames": [name]} for name in "ab"]},
    "imagePullSecrets": {**POD, "imagePullSecrets": [{"name": "a"}] * 2},
    "initContainers": {**POD, "initContainers": [{"name": "a", "image": "a:1"}] * 2},
    "topologySpreadConstraints": {
        **POD,
        "topologySpreadConstraints": [
            {"maxSkew": skew, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"} for skew in (1, 2)
        ],
    },
    "tolerations, which have no key": {**POD, "tolerations": [{"key": "a", "operator": "Exists"}] * 2},
}


@pytest.mark.parametrize("case", TWICE)
def test_what_a_server_side_apply_refuses_is_a_finding(cluster, namespace, case):
    labels = {"app": "x-coco-1"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x-coco-1"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": TWICE[case]},
        },
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/x-coco-1?fieldManager=helm&dryRun=All"
    answer = cluster.api.session.patch(
        cluster.api.url + path,
        data=json.dumps(body),
        headers={"Content-Type": "application/apply-patch+yaml"},
        timeout=10,
    )
    refused = "duplicate entries" in answer.text
    findings = check(Manifest.read(json.dumps(body)), rules=[list_keys.RULE]).findings
    assert bool(findings) is refused, answer.text
    if findings:
        assert str(findings[0].identity) == "Deployment x-coco-1"
        assert findings[0].path.startswith("spec.template.spec.")
        assert case in findings[0].path
    else:
        assert case in ("both protocols", "tolerations, which have no key")

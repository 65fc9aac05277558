"""The API server accepts all that the check accepts: over generated names, labels and kinds."""

import json
import os

import pykube
import pytest
from generated import BUILDS, COMPONENTS, VERSIONS, within
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sidelane import Lane
from sidelane.checks.engine import check
from sidelane.errors import InvalidName
from sidelane.manifest import Manifest
from sidelane.naming import contract

pytestmark = pytest.mark.either_helm

PATHS = {
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Pod": "/api/v1/namespaces/{}/pods",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}
RESTRICTED = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def body(kind, name, labels, restart="Always"):
    """The least object of a kind that the API server takes."""
    container = {"name": "app", "image": "example.org/app:1", "securityContext": RESTRICTED}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "restartPolicy": restart}}
    workload = {"selector": {"matchLabels": labels}, "template": pod}
    job = {"template": {**pod, "spec": {**pod["spec"], "restartPolicy": "Never"}}}
    spec = {
        "Service": {"selector": labels, "ports": [{"port": 80}]},
        "Pod": pod["spec"],
        "StatefulSet": {**workload, "serviceName": name},
        "Deployment": workload,
        "DaemonSet": workload,
        "Job": job,
        "CronJob": {"schedule": "0 0 * * *", "jobTemplate": {"spec": job}},
        "PodDisruptionBudget": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
        "NetworkPolicy": {"podSelector": {"matchLabels": labels}},
    }.get(kind)
    group = PATHS[kind].split("/")
    version = "v1" if group[1] == "api" else f"{group[2]}/{group[3]}"
    made = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}}
    return {**made, "spec": spec} if spec else made


def contract_labels(app, lane, **more):
    own = {
        "app": app,
        "sidelane.dev/lane": str(lane),
        "sidelane.dev/version": lane.version,
        "sidelane.dev/build": lane.build,
    }
    return {**own, **more}


def accepted_by_the_check(*bodies):
    text = "---\n".join(json.dumps(body) + "\n" for body in bodies)
    return check(Manifest.read(text)).clean


def refusal(cluster, namespace, obj):
    """The API server's refusal of an object, or empty text. It stores nothing."""
    try:
        cluster.create(f"{PATHS[obj['kind']].format(namespace)}?dryRun=All", obj)
    except pykube.exceptions.HTTPError as error:
        return f"{error.code}: {error}"
    return ""


#: `make soak` has 150.
EXAMPLES = int(os.environ.get("SIDELANE_SOAK_NAMES", "40"))
ON_THE_CLUSTER = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
KINDS = st.sampled_from(sorted(PATHS))
SERVICE_VERSIONS = st.none() | within(8, contract.SERVICE_VERSION)


@ON_THE_CLUSTER
@given(KINDS, COMPONENTS, VERSIONS, BUILDS, SERVICE_VERSIONS)
def test_every_name_of_the_contract_is_taken(cluster, namespace, kind, component, version, build, service_version):
    lane = Lane(version, build)
    try:
        name = app = contract.component_name(component, lane, kind=kind)
        if service_version:
            name = contract.service_version_name(component, service_version, lane, kind=kind)
    except InvalidName:
        return
    labels = contract_labels(app, lane, **({"version": service_version} if service_version else {}))
    obj = body(kind, name, labels)
    service = [body("Service", name, labels)] if kind == "StatefulSet" else []
    assert accepted_by_the_check(obj, *service)
    assert refusal(cluster, namespace, obj) == ""


# Near the contract and off it, so that the check takes some and refuses others.
TEXTS = st.text(alphabet="abz019-._AZ/", min_size=1, max_size=70)
STARTS = COMPONENTS | within(60, contract.COMPONENT) | TEXTS
LABELS = st.dictionaries(COMPONENTS | TEXTS, COMPONENTS | TEXTS, max_size=2)


def test_whatever_the_check_accepts_is_taken(cluster, namespace):
    """Names and labels that nobody made by the contract's functions."""
    accepted = []

    @ON_THE_CLUSTER
    @given(KINDS, STARTS, st.sampled_from(["coco-1", "2-coco-1"]), LABELS)
    def hold(kind, start, lane, more):
        name = f"{start}-{lane}"
        obj = body(kind, name, {**more, **contract_labels(name, Lane.parse(lane))})
        service = [body("Service", name, obj["metadata"]["labels"])] if kind == "StatefulSet" else []
        if accepted_by_the_check(obj, *service):
            accepted.append(name)
            assert refusal(cluster, namespace, obj) == ""

    hold()
    assert len(accepted) > EXAMPLES / 10


@pytest.mark.parametrize("kind", ["Service", "StatefulSet", "CronJob", "Job"])
def test_the_api_server_has_limits_at_all(cluster, namespace, kind):
    """The two tests above can fail: this server does refuse."""
    lane = Lane("coco", 1)
    obj = body(kind, f"{'a' * 60}-coco-1", contract_labels("a-coco-1", lane))
    assert not accepted_by_the_check(obj)
    assert "422" in refusal(cluster, namespace, obj)

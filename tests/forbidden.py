"""Attempts to change a lane that the guard refuses, as requests to the API server (test_admission.py)."""

from __future__ import annotations

from typing import Any, NamedTuple

LANE = {"sidelane.dev/lane": "coco-1", "sidelane.dev/version": "coco", "sidelane.dev/build": "1"}
RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
POD = {"containers": [{"name": "a", "image": "example.com/rogue:1", "securityContext": RESTRICTED}]}
SETTINGS = {"app": "zk-coco-1", **LANE}


class Attempt(NamedTuple):
    """One request. path: below the namespace's API of a group; empty body: a DELETE."""

    id: str
    method: str
    group: str
    path: str
    body: dict[str, Any] | None = None
    content: str = "application/merge-patch+json"

    def url(self, namespace: str) -> str:
        root = f"/apis/{self.group}" if "/" in self.group else f"/api/{self.group}"
        return f"{root}/namespaces/{namespace}/{self.path}"


def patch(id: str, group: str, path: str, **body: Any) -> Attempt:  # noqa: A002 - as in pytest
    return Attempt(id, "PATCH", group, path, body)


def labels(id: str, group: str, path: str, **changes: Any) -> Attempt:  # noqa: A002
    return patch(id, group, path, metadata={"labels": changes})


def delete(group: str, path: str) -> Attempt:
    return Attempt(f"delete-{path}", "DELETE", group, path)


def create(id: str, group: str, path: str, kind: str, **body: Any) -> Attempt:  # noqa: A002
    metadata = {"name": f"rogue-{id}", "labels": SETTINGS, **body.pop("metadata", {})}
    return Attempt(
        f"create-{id}", "POST", group, path, {"apiVersion": group, "kind": kind, "metadata": metadata, **body}
    )


def container(name: str, **fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": name, **fields}]}}}}


def strategic(id: str, path: str, body: dict[str, Any]) -> Attempt:  # noqa: A002
    """A patch that changes one item of a list by its name. Pods are in Kubernetes' core group."""
    group = "v1" if path.startswith("pods/") else "apps/v1"
    return Attempt(id, "PATCH", group, path, body, "application/strategic-merge-patch+json")


def annotated(id: str, group: str, path: str, **annotations: Any) -> Attempt:  # noqa: A002
    return patch(id, group, path, metadata={"annotations": annotations})


def applied(id: str, path: str, kind: str, spec: dict[str, Any]) -> Attempt:  # noqa: A002
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": path.rpartition("/")[2]}, "spec": spec}
    query = f"{path}?fieldManager=somebody&force=true"
    return Attempt(id, "PATCH", "apps/v1", query, body, "application/apply-patch+yaml")


OTHER = "example.com/other:2"
DEBUG = [{"name": "debug", "image": OTHER, "securityContext": RESTRICTED}]
FOREIGN = "deployments/demo-coco-1"  # of a chart that knows no lanes
STATEFULSET, DEPLOYMENT, SERVICE = "statefulsets/zk-coco-1", "deployments/svc1-v1-coco-1", "services/zk-cs-coco-1"
CONFIG, ROUTE, VERSION = "configmaps/zk-coco-1", "services/svc1-coco-1", "services/svc1-v1-coco-1"
BUDGET, POLICY = "poddisruptionbudgets/zk-coco-1", "networkpolicies/zk-coco-1"
OWNER = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-0000-0000-000000000001"}]
TEMPLATE = {"selector": {"matchLabels": SETTINGS}, "template": {"metadata": {"labels": SETTINGS}, "spec": POD}}
NETWORK = {"podSelector": {"matchLabels": LANE}, "policyTypes": ["Ingress"]}
BINDING = {
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"kind": "ServiceAccount", "name": "default"}],
}
STRANGERS = [{"addresses": ["10.9.9.9"]}]
ON_DELETE = {"type": "OnDelete", "rollingUpdate": None}
RETENTION = {"whenDeleted": "Delete"}
SLICE = {"addressType": "IPv4", "endpoints": STRANGERS, "ports": [{"port": 2181}]}

#: What nobody may do but break-glass. `{pod}` and others are filled in from the cluster.
LOCKED = [
    # of a chart that knows no lanes
    strategic("foreign-image", FOREIGN, container("demo", image=OTHER)),
    labels("foreign-label", "apps/v1", FOREIGN, **{"app.kubernetes.io/managed-by": None}),
    labels("foreign-into-a-lane", "apps/v1", FOREIGN, **LANE),
    annotated("foreign-owner", "apps/v1", FOREIGN, **{"meta.helm.sh/release-name": "other"}),
    patch("foreign-scale", "apps/v1", f"{FOREIGN}/scale", spec={"replicas": 5}),
    patch("foreign-selector", "v1", "services/demo-coco-1", spec={"selector": {"app": "rogue"}}),
    delete("v1", "services/demo-coco-1"),
    delete("v1", "serviceaccounts/demo-coco-1"),
    # Specifications
    strategic("image", DEPLOYMENT, container("svc1", image=OTHER)),
    strategic("environment", DEPLOYMENT, container("svc1", env=[{"name": "A", "value": "b"}])),
    strategic("arguments", DEPLOYMENT, container("svc1", args=["--other"])),
    strategic("resources", DEPLOYMENT, container("svc1", resources={"limits": {"memory": "3Gi"}})),
    strategic("image-of-a-stateful-set", STATEFULSET, container("zookeeper", image="zookeeper:3.8.4")),
    strategic("init-container", DEPLOYMENT, {"spec": {"template": {"spec": {"initContainers": POD["containers"]}}}}),
    patch("template-annotation", "apps/v1", DEPLOYMENT, spec={"template": {"metadata": {"annotations": {"a": "b"}}}}),
    patch("service-account", "apps/v1", DEPLOYMENT, spec={"template": {"spec": {"serviceAccountName": "x"}}}),
    patch("paused", "apps/v1", DEPLOYMENT, spec={"paused": True}),
    patch("strategy", "apps/v1", DEPLOYMENT, spec={"strategy": {"type": "Recreate", "rollingUpdate": None}}),
    patch("history", "apps/v1", DEPLOYMENT, spec={"revisionHistoryLimit": 9}),
    patch("replicas-of-zookeeper", "apps/v1", STATEFULSET, spec={"replicas": 5}),
    patch("update-strategy", "apps/v1", STATEFULSET, spec={"updateStrategy": ON_DELETE}),
    patch("claims-retention", "apps/v1", STATEFULSET, spec={"persistentVolumeClaimRetentionPolicy": RETENTION}),
    applied("server-side-apply-with-force", DEPLOYMENT, "Deployment", {"minReadySeconds": 77}),
    patch("in-the-name-of-helm", "apps/v1", f"{STATEFULSET}?fieldManager=helm", spec={"minReadySeconds": 77}),
    patch("selector-of-a-service", "v1", SERVICE, spec={"selector": {"app": "other"}}),
    patch("port-of-a-service", "v1", SERVICE, spec={"ports": [{"name": "tcp-client", "port": 9999}]}),
    patch("type-of-a-service", "v1", SERVICE, spec={"type": "NodePort"}),
    patch("external-address", "v1", SERVICE, spec={"externalIPs": ["192.0.2.1"]}),
    patch("traffic-policy", "v1", SERVICE, spec={"internalTrafficPolicy": "Local"}),
    patch("account-token", "v1", "serviceaccounts/zk-coco-1", automountServiceAccountToken=True),
    patch("account-pull-secrets", "v1", "serviceaccounts/zk-coco-1", imagePullSecrets=[{"name": "x"}]),
    # Labels, owners, finalizers, annotations
    labels("label-dropped", "apps/v1", DEPLOYMENT, **{"sidelane.dev/lane": None}),
    labels("label-changed", "apps/v1", DEPLOYMENT, **{"sidelane.dev/lane": "coco-2"}),
    labels("label-added", "apps/v1", STATEFULSET, extra="x"),
    labels("label-dropped-by-status", "apps/v1", f"{STATEFULSET}/status", **{"sidelane.dev/lane": None}),
    labels("label-of-a-service-by-status", "v1", f"{SERVICE}/status", **{"sidelane.dev/lane": None}),
    labels("label-of-a-service", "v1", SERVICE, app="other"),
    labels("label-of-a-pod", "v1", "pods/{pod}", app="other"),
    labels("label-of-a-claim", "v1", "persistentvolumeclaims/{claim}", app="other"),
    labels("pod-taken-into-the-lane", "v1", "pods/bystander", **SETTINGS),
    patch("owner-invented", "apps/v1", DEPLOYMENT, metadata={"ownerReferences": OWNER}),
    patch("owner-of-a-service", "v1", SERVICE, metadata={"ownerReferences": OWNER}),
    patch("owner-of-a-config", "v1", "configmaps/{config}", metadata={"ownerReferences": OWNER}),
    patch("owner-of-a-pod-dropped", "v1", "pods/{pod}", metadata={"ownerReferences": None}),
    patch("finalizer", "apps/v1", STATEFULSET, metadata={"finalizers": ["example.com/hold"]}),
    patch("finalizer-of-a-service", "v1", SERVICE, metadata={"finalizers": ["example.com/hold"]}),
    annotated("adoption", "apps/v1", DEPLOYMENT, **{"meta.helm.sh/release-name": "mine"}),
    annotated("adoption-namespace", "v1", SERVICE, **{"meta.helm.sh/release-namespace": "x"}),
    annotated("kept-by-helm", "v1", SERVICE, **{"helm.sh/resource-policy": "keep"}),
    annotated("declared-operational", "apps/v1", STATEFULSET, **{"sidelane.dev/operational-fields": "spec"}),
    # Pods, ReplicaSets and other things that controllers make
    strategic("image-of-a-running-pod", "pods/{pod}", {"spec": {"containers": [{"name": "svc1", "image": OTHER}]}}),
    patch("deadline-of-a-pod", "v1", "pods/{pod}", spec={"activeDeadlineSeconds": 1}),
    strategic("ephemeral-container", "pods/{pod}/ephemeralcontainers", {"spec": {"ephemeralContainers": DEBUG}}),
    patch("replica-set-scaled", "apps/v1", "replicasets/{replicaset}", spec={"replicas": 7}),
    strategic("replica-set-image", "replicasets/{replicaset}", container("svc1", image=OTHER)),
    patch("endpoints-of-a-service", "discovery.k8s.io/v1", "endpointslices/{slice}", endpoints=STRANGERS),
    patch("scale-zookeeper", "apps/v1", f"{STATEFULSET}/scale", spec={"replicas": 0}),
    patch("scale-the-service", "apps/v1", f"{DEPLOYMENT}/scale", spec={"replicas": 9}),
    patch("scale-a-replica-set", "apps/v1", "replicasets/{replicaset}/scale", spec={"replicas": 9}),
    # Creation under a lane's labels
    create("pod", "v1", "pods", "Pod", spec=POD),
    create("owned-pod", "v1", "pods", "Pod", metadata={"ownerReferences": OWNER}, spec=POD),
    create("replica-set", "apps/v1", "replicasets", "ReplicaSet", spec=TEMPLATE),
    create("deployment", "apps/v1", "deployments", "Deployment", spec=TEMPLATE),
    create("stateful-set", "apps/v1", "statefulsets", "StatefulSet", spec={**TEMPLATE, "serviceName": "zk-hs-coco-1"}),
    create("job", "batch/v1", "jobs", "Job",
           spec={"template": {"metadata": {"labels": LANE}, "spec": {**POD, "restartPolicy": "Never"}}}),
    create("service", "v1", "services", "Service", spec={"selector": LANE, "ports": [{"port": 80}]}),
    create("config", "v1", "configmaps", "ConfigMap", data={"a": "b"}),
    create("secret", "v1", "secrets", "Secret", stringData={"a": "b"}),
    create("account", "v1", "serviceaccounts", "ServiceAccount"),
    create("network-policy", "networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", spec=NETWORK),
    create("binding", "rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", **BINDING),
    create("budget", "policy/v1", "poddisruptionbudgets", "PodDisruptionBudget",
           spec={"maxUnavailable": 0, "selector": {"matchLabels": LANE}}),
    create("endpoint-slice", "discovery.k8s.io/v1", "endpointslices", "EndpointSlice",
           metadata={"labels": {"kubernetes.io/service-name": "zk-cs-coco-1"}}, **SLICE),
    create("endpoint-slice-of-the-lane", "discovery.k8s.io/v1", "endpointslices", "EndpointSlice",
           metadata={"labels": {**SETTINGS, "kubernetes.io/service-name": "zk-cs-coco-1"}}, **SLICE),
    create("record", "v1", "configmaps", "ConfigMap", metadata={"name": "record-other-coco-1"},
           data={"statement.json": "{}"}),
    create("release-secret", "v1", "secrets", "Secret",
           metadata={"name": "sh.helm.release.v1.zookeeper-coco-1.v2", "labels": {"owner": "helm", "name": "x"}},
           type="helm.sh/release.v1", stringData={"release": "x"}),
    create("release-secret-without-labels", "v1", "secrets", "Secret",
           metadata={"name": "sh.helm.release.v1.other-coco-1.v1", "labels": None}, stringData={"release": "x"}),
    # Deletion
    *(delete("apps/v1", path) for path in (STATEFULSET, DEPLOYMENT, "replicasets/{replicaset}")),
    *(delete("v1", path) for path in (SERVICE, ROUTE, "configmaps/{config}", "pods/{pod}", "serviceaccounts/zk-coco-1",
                                      "persistentvolumeclaims/{claim}", "configmaps/{record}", "secrets/{release}")),
    delete("discovery.k8s.io/v1", "endpointslices/{slice}"),
    delete("policy/v1", BUDGET),
    delete("v1", "pods?labelSelector=sidelane.dev/lane"),
    delete("apps/v1", "deployments?labelSelector=sidelane.dev/lane"),
    # Helm's own records, and the route
    patch("release-changed", "v1", "secrets/{release}", data={"release": "eA=="}),
    labels("release-status", "v1", "secrets/{release}", status="superseded"),
    labels("release-disowned", "v1", "secrets/{release}", owner=None),
    labels("record-disowned", "v1", "configmaps/{record}", **{"sidelane.dev/lane": None}),
    patch("route-by-hand", "v1", ROUTE, spec={"selector": {"version": "v2"}}),
    labels("route-relabelled", "v1", VERSION, **{"app.kubernetes.io/name": "route"}),
]  # fmt: skip

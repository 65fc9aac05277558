"""Attempts to change a lane, as requests to the API server: the guard refuses them (test_admission.py), and without it
`verify` names them (test_running.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pykube.exceptions import HTTPError

if TYPE_CHECKING:
    from clusters import Cluster

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
    """One request. path: below the namespace's API of a group, or below the group's with a slash at its begin; empty
    body: a DELETE.
    """

    id: str
    method: str
    group: str
    path: str
    body: dict[str, Any] | None = None
    content: str = "application/merge-patch+json"

    def url(self, namespace: str) -> str:
        root = f"/apis/{self.group}" if "/" in self.group else f"/api/{self.group}"
        return root + self.path if self.path.startswith("/") else f"{root}/namespaces/{namespace}/{self.path}"

    def made(self, cluster: Cluster, namespace: str, names: dict[str, str], query: str = "", **headers: str) -> str:
        """Makes the attempt; returns the refusal, empty if there was none. names: see lane_names."""
        path = self.url(namespace).format_map(names)
        path += ("&" if "?" in path else "?") + query if query else ""
        content = {"Content-Type": self.content if self.method == "PATCH" else "application/json"}
        try:
            cluster.request(self.method, path, self.body, **content, **headers)
        except HTTPError as error:
            return str(error)
        return ""


def lane_names(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Returns the names that controllers and Helm chose, for the paths of the attempts."""

    def first(group: str, kind: str, part: str = "") -> str:
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        names = cluster.names(f"{root}/namespaces/{namespace}/{kind}")
        return next(name for name in names if part in name)

    return {
        "pod": first("v1", "pods", "svc1-v1"),
        "replicaset": first("apps/v1", "replicasets"),
        "claim": first("v1", "persistentvolumeclaims", "zk"),
        "slice": first("discovery.k8s.io/v1", "endpointslices", "zk-cs"),
        "config": first("v1", "configmaps", "zk-"),
        "record": first("v1", "configmaps", "record-zookeeper"),
        "release": first("v1", "secrets", "sh.helm.release.v1.zookeeper"),
    }


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

_OF = {"d": "Deployment svc1-v1-coco-1", "s": "StatefulSet zk-coco-1", "c": "Service zk-cs-coco-1",
       "f": "Deployment demo-coco-1", "t": "spec.template.spec.containers", "l": "metadata.labels",
       "a": "metadata.annotations",
       "of-lane": "it has the labels of lane coco-1, and no release has it"}  # fmt: skip


def _seen(**lines: str) -> dict[str, str]:
    return {name.replace("_", "-"): line.format_map({**_OF, **_AS_THEY_ARE}) for name, line in lines.items()}


#: Placeholders that are filled in later, from the cluster.
_AS_THEY_ARE = {name: f"{{{name}}}" for name in ("pod", "replicaset", "config", "record", "release")}

#: A part of the line with which `verify` names each attempt where there is no guard. Attempts of one round stand
#: together; the next round begins with the objects as the one before has left them.
SEEN = [
    # Pods, which nothing makes a workload create anew
    _seen(
        image_of_a_running_pod="Pod {pod}: spec.containers[svc1].image",
        deadline_of_a_pod="Pod {pod}: spec.activeDeadlineSeconds",
        ephemeral_container="Pod {pod}: spec.ephemeralContainers",
        pod_taken_into_the_lane="Pod bystander: the PodDisruptionBudget",
        create_pod="Pod rogue-pod: the ",
    ),
    # Its ReplicaSet lets the pod go.
    _seen(label_of_a_pod="Pod {pod}: "),
    # Objects of no release, labels, owners
    _seen(
        create_replica_set="ReplicaSet rogue-replica-set: {of-lane}",
        create_deployment="Deployment rogue-deployment: {of-lane}",
        create_stateful_set="StatefulSet rogue-stateful-set: {of-lane}",
        create_job="Job rogue-job: {of-lane}",
        create_service="Service rogue-service: {of-lane}",
        create_config="ConfigMap rogue-config: {of-lane}",
        create_secret="Secret rogue-secret: {of-lane}",
        create_account="ServiceAccount rogue-account: {of-lane}",
        create_network_policy="NetworkPolicy rogue-network-policy: it applies to the pods of",
        create_binding="RoleBinding rogue-binding: {of-lane}",
        create_budget="PodDisruptionBudget rogue-budget: {of-lane}",
        create_endpoint_slice="EndpointSlice rogue-endpoint-slice: it leads requests to the Service zk-cs-coco-1",
        create_endpoint_slice_of_the_lane="EndpointSlice rogue-endpoint-slice-of-the-lane: it leads requests to the",
        create_record="ConfigMap record-other-coco-1: {of-lane}",
        label_dropped="{d}: {l}[sidelane.dev/lane]",
        label_added="{s}: {l}.extra",
        label_of_a_service="{c}: {l}.app",
        route_relabelled="Service svc1-v1-coco-1: {l}[app.kubernetes.io/name]",
        finalizer="{s}: metadata.finalizers",
        finalizer_of_a_service="{c}: metadata.finalizers",
        adoption="{d}: {a}[meta.helm.sh/release-name]",
        adoption_namespace="{c}: {a}[meta.helm.sh/release-namespace]",
        kept_by_helm="{c}: {a}[helm.sh/resource-policy]",
        declared_operational="{s}: {a}[sidelane.dev/operational-fields]",
        route_by_hand="Service svc1-coco-1: spec.selector.version",
        foreign_label="{f}: {l}[app.kubernetes.io/managed-by]",
        foreign_into_a_lane="{f}: {l}[sidelane.dev/lane]",
        foreign_owner="{f}: {a}[meta.helm.sh/release-name]",
        foreign_selector="Service demo-coco-1: spec.selector.app",
    ),
    # Specifications
    _seen(
        image="{d}: {t}[svc1].image",
        environment="{d}: {t}[svc1].env[A]",
        arguments="{d}: {t}[svc1].args",
        resources="{d}: {t}[svc1].resources.limits.memory",
        image_of_a_stateful_set="{s}: {t}[zookeeper].image",
        init_container="{d}: spec.template.spec.initContainers",
        template_annotation="{d}: spec.template.metadata.annotations.a",
        service_account="{d}: spec.template.spec.serviceAccountName",
        strategy="{d}: spec.strategy.type",
        history="{d}: spec.revisionHistoryLimit",
        replicas_of_zookeeper="{s}: spec.replicas",
        update_strategy="{s}: spec.updateStrategy",
        claims_retention="{s}: spec.persistentVolumeClaimRetentionPolicy",
        server_side_apply_with_force="{d}: spec.minReadySeconds",
        in_the_name_of_helm="{s}: spec.minReadySeconds",
        selector_of_a_service="{c}: spec.selector.app",
        port_of_a_service="{c}: spec.ports",
        type_of_a_service="{c}: spec.type",
        external_address="{c}: spec.externalIPs",
        traffic_policy="{c}: spec.internalTrafficPolicy",
        account_token="ServiceAccount zk-coco-1: automountServiceAccountToken",
        account_pull_secrets="ServiceAccount zk-coco-1: imagePullSecrets",
        scale_the_service="{d}: spec.replicas: 2",
        foreign_image="{f}: {t}[demo].image",
        foreign_scale="{f}: spec.replicas",
        label_changed="{d}: {l}[sidelane.dev/lane]",
        replica_set_image="ReplicaSet {replicaset}: ",
        label_of_a_service_by_status="{c}: {l}",
        label_dropped_by_status="{s}: {l}",
    ),
    _seen(paused="{d}: spec.paused", scale_zookeeper="{s}: spec.replicas: 1"),
    # Invented owners, for which the garbage collector deletes an object, and deletions
    _seen(
        owner_invented="{d}: ",
        owner_of_a_service="{c}: ",
        owner_of_a_config="ConfigMap {config}: ",
        release_status="Secret {release}: its label status is superseded",
    ),
    {
        f"delete-{STATEFULSET}": "StatefulSet zk-coco-1: is missing",
        f"delete-{DEPLOYMENT}": "Deployment svc1-v1-coco-1: is missing",
        "delete-deployments?labelSelector=sidelane.dev/lane": "Deployment svc1-v1-coco-1: is missing",
        f"delete-{SERVICE}": "Service zk-cs-coco-1: is missing",
        f"delete-{ROUTE}": "Service svc1-coco-1: is missing",
        "delete-services/demo-coco-1": "Service demo-coco-1: is missing",
        "delete-serviceaccounts/demo-coco-1": "ServiceAccount demo-coco-1: is missing",
        "delete-configmaps/{config}": "ConfigMap {config}: is missing",
        "delete-serviceaccounts/zk-coco-1": "ServiceAccount zk-coco-1: is missing",
        "delete-configmaps/{record}": "ConfigMap {record}: is missing",
        f"delete-{BUDGET}": "PodDisruptionBudget zk-coco-1: is missing",
        "create-release-secret": "Secret sh.helm.release.v1.zookeeper-coco-1.v2: it looks like Helm's revision",
    },
]

#: Attempts that change nothing that runs, with the reason.
NOTHING_RUNS = {
    "label-of-a-claim": "a stateful set finds its claims by their names",
    "owner-of-a-pod-dropped": "its ReplicaSet takes the pod back",
    "replica-set-scaled": "its Deployment scales it back",
    "scale-a-replica-set": "its Deployment scales it back",
    "endpoints-of-a-service": "the controller of endpoints writes them again",
    "create-owned-pod": "the garbage collector deletes it",
    "create-release-secret-without-labels": "Helm finds its releases by their labels",
    "record-disowned": "the data of the record is compared, and its labels decide nothing",
    "delete-replicasets/{replicaset}": "its Deployment creates the same",
    "delete-pods/{pod}": "its ReplicaSet creates the same",
    "delete-pods?labelSelector=sidelane.dev/lane": "the controllers create the same",
    "delete-endpointslices/{slice}": "the controller of endpoints creates the same",
    "delete-persistentvolumeclaims/{claim}": "it is protected while a pod uses it",
}
#: Attempts on Helm's own record: the release is not Helm's any more, or cannot be read.
HELM_FORGETS = ("release-changed", "release-disowned", "delete-secrets/{release}")

RBAC, STORAGE, SCHEDULING = "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1", "scheduling.k8s.io/v1"
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
VOLUME = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "nfs": {"server": "nfs", "path": "/"}}
READER, BOUND = "/clusterroles/reader-coco-1", "/clusterrolebindings/reader-coco-1"
DISK, URGENT, FAST = "/persistentvolumes/disk-coco-1", "/priorityclasses/urgent-coco-1", "/storageclasses/fast-coco-1"

#: What nobody may do with the objects without a namespace of tests/cluster/test_cluster_objects.py.
CLUSTER_LOCKED = [
    patch("rules", RBAC, READER, rules=EVERYTHING),
    patch("subjects", RBAC, BOUND, subjects=[{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "x"}]),
    patch("aggregation", RBAC, "/clusterroles/all-coco-1", aggregationRule={"clusterRoleSelectors": [{}]}),
    patch("reclaim-policy", "v1", DISK, spec={"persistentVolumeReclaimPolicy": "Delete"}),
    patch("capacity", "v1", DISK, spec={"capacity": {"storage": "9Gi"}}),
    patch("claim-of-a-volume", "v1", DISK, spec={"claimRef": {"namespace": "default", "name": "mine"}}),
    patch("default-priority", SCHEDULING, URGENT, globalDefault=True),
    patch("expansion", STORAGE, FAST, allowVolumeExpansion=True),
    labels("cluster-label-dropped", RBAC, READER, **{"sidelane.dev/lane": None}),
    labels("cluster-label-changed", RBAC, BOUND, **{"sidelane.dev/lane": "coco-2"}),
    labels("cluster-label-added", "v1", DISK, extra="x"),
    labels("cluster-label-by-status", "v1", f"{DISK}/status", **{"sidelane.dev/lane": None}),
    annotated("cluster-adoption", RBAC, READER, **{"meta.helm.sh/release-name": "other"}),
    annotated("cluster-kept-by-helm", RBAC, BOUND, **{"helm.sh/resource-policy": "keep"}),
    patch("cluster-owner", RBAC, READER, metadata={"ownerReferences": OWNER}),
    patch("cluster-finalizer", RBAC, BOUND, metadata={"finalizers": ["example.com/mine"]}),
    create("cluster-role", RBAC, "/clusterroles", "ClusterRole", rules=EVERYTHING),
    create("cluster-binding", RBAC, "/clusterrolebindings", "ClusterRoleBinding", roleRef=BINDING["roleRef"],
           subjects=[{"kind": "ServiceAccount", "name": "zk-coco-1", "namespace": "default"}]),
    create("volume", "v1", "/persistentvolumes", "PersistentVolume", spec=VOLUME),
    create("namespace", "v1", "/namespaces", "Namespace"),
    create("priority", SCHEDULING, "/priorityclasses", "PriorityClass", value=9),
    create("storage-class", STORAGE, "/storageclasses", "StorageClass", provisioner="example.com/none"),
    *(delete(RBAC, path) for path in (READER, BOUND, "/clusterroles?labelSelector=sidelane.dev/lane=coco-1")),
    delete("v1", DISK),
    delete(SCHEDULING, URGENT),
    delete(STORAGE, FAST),
]  # fmt: skip

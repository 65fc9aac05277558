"""Pods, revisions and objects of no release, as verify judges them; made by hand, without a cluster."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from sidelane.manifest import Object
from sidelane.manifest.objects import parse_object
from sidelane.manifest.ownership import ownership
from sidelane.releases.running import pods
from sidelane.releases.running.reading import Running, identity_of
from sidelane.releases.running.strangers import Scope, find

LANE = {"app": "web-coco-1", "sidelane.dev/lane": "coco-1"}
IMAGE = "example.com/web:1"
DIGEST = "sha256:" + "0" * 64
OTHER = "sha256:" + "1" * 64
WEB = {"name": "web", "image": IMAGE, "args": ["--a"]}
TEMPLATE: dict[str, Any] = {"metadata": {"labels": LANE}, "spec": {"containers": [WEB]}}
MARK = {"meta.helm.sh/release-name": "web-coco-1", "meta.helm.sh/release-namespace": "n"}


def obj(version: str, kind: str, name: str, **body: Any) -> Object:
    metadata = {"name": name, "namespace": "n", "labels": LANE}
    whole = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    return parse_object(whole, "here", namespace="n", source="s", line=1)


DEPLOYMENT = obj("apps/v1", "Deployment", "web-coco-1", spec={"template": TEMPLATE})
STATEFUL = obj("apps/v1", "StatefulSet", "db-coco-1", spec={"template": TEMPLATE})
SERVICE = obj("v1", "Service", "web-coco-1", spec={"selector": {"app": "web-coco-1"}})
ACCOUNT = obj("v1", "ServiceAccount", "web-coco-1")
OBJECTS = (DEPLOYMENT, STATEFUL, SERVICE, ACCOUNT)


def live(asked: Object) -> dict[str, Any]:
    body: dict[str, Any] = copy.deepcopy(dict(asked.body))
    body["metadata"] |= {"uid": f"uid-{asked.kind}", "annotations": dict(MARK)}
    return body


def body(kind: str, name: str, owner: str = "", version: str = "v1", **fields: Any) -> dict[str, Any]:
    """An object that a controller created for the owner, or that somebody created."""
    owners = [{"uid": owner, "kind": owner.partition("-")[2], "name": "x", "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "labels": LANE, "ownerReferences": owners}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **copy.deepcopy(fields)}


def pod(name: str, owner: str = "uid-rs", **fields: Any) -> dict[str, Any]:
    spec = copy.deepcopy(TEMPLATE["spec"]) | fields.pop("spec", {})
    status = {"podIP": "10.0.0.1", **fields.pop("status", {})}
    return body("Pod", name, owner, spec=spec, status=status, **fields)


def replica_set(name: str = "rs", **spec: Any) -> dict[str, Any]:
    template = copy.deepcopy(TEMPLATE)
    template["metadata"]["labels"] = {**LANE, "pod-template-hash": "x"}
    return body("ReplicaSet", name, "uid-Deployment", "apps/v1", spec={"replicas": 1, "template": template, **spec})


def running(*others: dict[str, Any]) -> Running:
    own = [live(asked) for asked in OBJECTS]
    everything: dict[str, tuple[Any, ...]] = {}
    for each in (*own, *others):
        everything[each["kind"]] = (*everything.get(each["kind"], ()), each)
    return Running({identity_of(each): each for each in own}, everything)


def ran(*others: dict[str, Any]) -> tuple[list[tuple[str, str, Any]], tuple[str, ...]]:
    result = pods.compare(OBJECTS, running(*others))
    return [(each.identity.name, each.path, each.actual) for each in result.drift], result.notes


def strangers(*others: dict[str, Any], whole: bool = True) -> tuple[list[str], tuple[str, ...]]:
    ((foreign, notes),) = find(Scope({"web-coco-1": OBJECTS}, whole=whole), running(*others)).values()
    return [str(each) for each in foreign], notes


def test_pods_as_their_template_says_are_not_drift() -> None:
    added = {"tolerations": [{"key": "x"}], "nodeName": "a", "volumes": [{"name": "token"}]}
    template = copy.deepcopy(TEMPLATE)
    template["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026"}
    old = replica_set("old", replicas=0, template=template)
    assert ran(replica_set(), old, pod("a", spec=added), pod("b", "uid-StatefulSet")) == ([], ())
    assert strangers(replica_set(), old, pod("a", spec=added), pod("b", "uid-StatefulSet")) == ([], ())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"spec": {"containers": [{"name": "web", "image": "other:2", "args": ["--a"]}]}},
            "spec.containers[web].image",
        ),
        ({"spec": {"containers": [{"name": "web", "image": IMAGE}]}}, "spec.containers[web].args"),
        ({"spec": {"ephemeralContainers": [{"name": "debug"}]}}, "spec.ephemeralContainers"),
        ({"spec": {"activeDeadlineSeconds": 1}}, "spec.activeDeadlineSeconds"),
        ({"metadata": {"labels": {**LANE, "app": "other"}}}, "metadata.labels.app"),
    ],
)
def test_a_pod_that_differs_from_its_template_is_drift(change: dict[str, Any], path: str) -> None:
    drifted, _ = ran(replica_set(), pod("a", **change))
    assert [(name, where) for name, where, _ in drifted] == [("a", path)]


def test_a_container_of_admission_is_reported() -> None:
    sidecar = {"containers": [*TEMPLATE["spec"]["containers"], {"name": "proxy", "image": "mesh:1"}]}
    assert ran(replica_set(), pod("a", spec=sidecar)) == ([], ("Pod a: admission added the container proxy",))


def test_a_revision_with_pods_that_differs_is_drift_and_one_without_is_reported() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["image"] = "other:2"
    drifted, notes = ran(replica_set(template=template))
    assert drifted == [("rs", "spec.template.spec.containers[web].image", "other:2")]
    assert notes == ()
    drifted, notes = ran(replica_set(), replica_set("old", replicas=0, template=template))
    assert drifted == []
    assert "ReplicaSet old: an earlier revision, without pods: spec.template.spec.containers[web].image: " in notes[0]
    revision = body("ControllerRevision", "db-1", "uid-StatefulSet", "apps/v1",
                    data={"spec": {"template": {**template, "$patch": "replace"}}})  # fmt: skip
    assert ran(revision)[0] == []
    state = running(revision)
    state.live[STATEFUL.identity]["status"] = {"currentRevision": "db-1"}
    assert [each.path for each in pods.compare(OBJECTS, state).drift] == [
        "data.spec.template.spec.containers[web].image"
    ]


def rolling(asked: Object, *others: dict[str, Any], **status: int) -> pods.Ran:
    """Compares during a rollout; the status is that of the workload."""
    state = running(*others)
    state.live[asked.identity]["spec"]["replicas"] = 2
    state.live[asked.identity]["metadata"]["generation"] = 2
    state.live[asked.identity]["status"] = {"observedGeneration": 2, "replicas": 2, **status}
    return pods.compare(OBJECTS, state)


def test_pods_of_an_earlier_template_are_a_rollout_while_the_status_says_so() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["image"] = "earlier:0"
    old = replica_set("old", template=template)
    theirs = pod("a", "uid-old", spec=template["spec"])
    line = ("Deployment web-coco-1: rollout in progress: 1 of 2 pods have the present template",)
    for status in ({"updatedReplicas": 1}, {"updatedReplicas": 2, "observedGeneration": 1}):
        assert rolling(DEPLOYMENT, replica_set(), old, theirs, pod("b"), **status) == ((), (), line)
    done = rolling(DEPLOYMENT, replica_set(), old, theirs, pod("b"), updatedReplicas=2)
    assert ({each.identity.name for each in done.drift}, done.rolling) == ({"old", "a"}, ())
    # It is compared with its own template, and a pod of the present one with the present one.
    edited = pod("a", "uid-old", spec={"containers": [{**WEB, "image": "other:2"}]})
    new = pod("b", spec={"containers": [{**WEB, "image": "other:2"}]})
    result = rolling(DEPLOYMENT, replica_set(), old, edited, new, updatedReplicas=1)
    assert [(each.identity.name, each.expected) for each in result.drift] == [("a", "earlier:0"), ("b", IMAGE)]
    assert result.rolling == line
    # Its pods are gone, or not there yet.
    assert rolling(DEPLOYMENT, replica_set(), old, updatedReplicas=1).rolling != ()


@pytest.mark.parametrize(("kind", "label"), [("StatefulSet", "db-0"), ("DaemonSet", "0")])
def test_a_rollout_of_numbered_pods_is_known_by_their_revisions(kind: str, label: str) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["image"] = "earlier:0"
    hashed = {"metadata": {"labels": {**LANE, "controller-revision-hash": label}}}
    revision = body("ControllerRevision", "db-0", f"uid-{kind}", "apps/v1",
                    data={"spec": {"template": {**template, "$patch": "replace"}}}, **hashed)  # fmt: skip
    theirs = pod("a", f"uid-{kind}", spec=template["spec"], **hashed)
    asked = obj("apps/v1", kind, "db-coco-1", spec={"template": TEMPLATE})
    own = live(asked)
    counts = {"updatedReplicas": 0, "replicas": 1, "updatedNumberScheduled": 0, "desiredNumberScheduled": 1}
    own["status"] = counts
    state = Running(
        {asked.identity: own},
        {kind: (own,), "ControllerRevision": (revision,), "Pod": (theirs,)},
    )
    assert pods.compare([asked], state).rolling == (
        f"{kind} db-coco-1: rollout in progress: 0 of 1 pods have the present template",
    )
    own["status"] = dict.fromkeys(counts, 1)
    assert "a" in [each.identity.name for each in pods.compare([asked], state).drift]


def test_a_moved_tag_and_a_false_digest_are_drift() -> None:
    def ran_as(name: str, digest: str) -> dict[str, Any]:
        return pod(name, status={"containerStatuses": [{"name": "web", "imageID": f"example.com/web@{digest}"}]})

    same = (ran_as("a", DIGEST), ran_as("b", DIGEST))
    assert ran(replica_set(), *same) == ([], ())
    drifted, _ = ran(replica_set(), *same, ran_as("c", OTHER))
    assert drifted == [("c", "status.containerStatuses[web].imageID", OTHER)]
    pinned = copy.deepcopy(DEPLOYMENT.body)
    pinned["spec"]["template"]["spec"]["containers"][0]["image"] = f"example.com/web@{OTHER}"
    image = {"containers": [{"name": "web", "image": f"example.com/web@{OTHER}", "args": ["--a"]}]}
    pod_ = {**ran_as("a", DIGEST), "spec": image}
    result = pods.compare([DEPLOYMENT._replace(body=pinned)], running(replica_set(), pod_))
    assert [(each.path, each.expected) for each in result.drift if "imageID" in each.path] == [
        ("status.containerStatuses[web].imageID", OTHER)
    ]  # fmt: skip


def test_objects_of_no_release_are_strangers() -> None:
    other = {"metadata": {"labels": {"app": "web-coco-1"}}}
    foreign, notes = strangers(
        replica_set(),
        pod("rogue", "", **other),
        pod("invented", "uid-of-nothing", **other),
        body("ConfigMap", "more"),
        body("ConfigMap", "claims", metadata={"labels": {}, "annotations": MARK}),
        body("EndpointSlice", "slice", metadata={"labels": {"kubernetes.io/service-name": "web-coco-1"}}),
        body("RoleBinding", "binding", subjects=[{"kind": "ServiceAccount", "name": "web-coco-1"}],
             metadata={"labels": {}}),
        body("NetworkPolicy", "aimed", spec={"podSelector": {"matchLabels": LANE}}, metadata={"labels": {}}),
        body("NetworkPolicy", "everywhere", spec={"podSelector": {}}, metadata={"labels": {}}),
        body("ConfigMap", "of-another-lane", metadata={"labels": {"sidelane.dev/lane": "coco-2"}}),
    )  # fmt: skip
    by_name = {line.split(":")[0]: line.partition(": ")[2] for line in foreign}
    assert by_name.keys() == {
        "Pod rogue", "Pod invented", "ConfigMap more", "ConfigMap claims", "EndpointSlice slice", "RoleBinding binding",
        "NetworkPolicy aimed",
    }  # fmt: skip
    assert by_name["Pod rogue"] == "the Service web-coco-1 selects it, and no workload of a release created it"
    assert by_name["ConfigMap more"] == "it has the labels of lane coco-1, and no release has it"
    assert notes == ("NetworkPolicy everywhere: applies to the pods of Deployment web-coco-1",)


def test_an_address_that_is_not_a_pods_is_a_stranger() -> None:
    labels = {"labels": {**LANE, "kubernetes.io/service-name": "web-coco-1"}}

    def at(address: str) -> dict[str, Any]:
        return body("EndpointSlice", "slice", "uid-Service", metadata=labels, endpoints=[{"addresses": [address]}])

    assert strangers(replica_set(), pod("a"), at("10.0.0.1")) == ([], ())
    ((line,), _) = strangers(replica_set(), pod("a"), at("10.9.9.9"))
    assert line.endswith("to 10.9.9.9, which is not a pod of it")


def test_what_another_release_has_is_verified_with_it() -> None:
    labels = {"labels": LANE, "annotations": {"meta.helm.sh/release-name": "db-coco-1"}}
    other = body("ConfigMap", "of-db", metadata=labels)
    assert strangers(other, whole=False) == ([], ())
    ((line,), _) = strangers(other, whole=True)
    assert line.endswith("and says that it is of db-coco-1, which is not a release of the lane")


@pytest.mark.parametrize(
    ("labels", "is_strange"),
    [
        ({"owner": "helm", "name": "web-coco-1", "version": "2"}, False),
        ({"owner": "helm", "name": "other", "version": "2"}, True),
        ({}, True),
    ],
)
def test_helms_own_secrets_have_helms_labels(labels: dict[str, str], *, is_strange: bool) -> None:
    stored = body("Secret", "sh.helm.release.v1.web-coco-1.v2", metadata={"labels": labels})
    assert bool(strangers(stored)[0]) is is_strange


def test_owners_finalizers_and_marks_of_helm_are_drift() -> None:
    service = live(SERVICE)
    assert list(ownership(SERVICE, service, "web-coco-1", "n")) == []
    service["metadata"] |= {
        "ownerReferences": [{"kind": "ConfigMap", "name": "gone"}],
        "finalizers": ["example.com/hold", "service.kubernetes.io/load-balancer-cleanup"],
    }
    service["metadata"]["annotations"] |= {
        "meta.helm.sh/release-name": "mine", "helm.sh/resource-policy": "keep", "example.com/note": "x",
    }  # fmt: skip
    assert [(each.path, each.actual) for each in ownership(SERVICE, service, "web-coco-1", "n")] == [
        ("metadata.ownerReferences", ["ConfigMap gone"]),
        ("metadata.finalizers", ["example.com/hold"]),
        ("metadata.annotations[meta.helm.sh/release-name]", "mine"),
        ("metadata.annotations[helm.sh/resource-policy]", "keep"),
    ]
    balanced = SERVICE._replace(body={**SERVICE.body, "spec": {"type": "LoadBalancer"}})
    assert "metadata.finalizers" not in [each.path for each in ownership(balanced, service, "web-coco-1", "n")]

"""Objects of a lane without a namespace, whose guard is for a whole cluster: on a control plane of the tests' own.

And the guard as files that an API server reads from its disk, which needs one, too.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.error
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest
from clusters import Cluster, connect
from command_line import CommandLine
from controlplane import ControlPlane
from forbidden import CLUSTER_LOCKED, DISK, LANE, READER, SETTINGS, annotated, delete, patch
from pykube.exceptions import HTTPError
from sidelane import Client
from sidelane.errors import StillHeld
from sidelane.releases.guarding import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.either_helm

NAMESPACES = "/api/v1/namespaces"
POLICY = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BREAK_GLASS = {"Impersonate-User": "on-call", "Impersonate-Group": "sidelane:break-glass"}
OBJECTS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader-coco-1, labels: LABELS}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: all-coco-1, labels: LABELS}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {example.com/part: of-coco-1}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader-coco-1, labels: LABELS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader-coco-1}
subjects: [{kind: ServiceAccount, name: default, namespace: {{ .Release.Namespace }}}]
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk-coco-1, labels: LABELS}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  nfs: {server: nfs.example.com, path: /coco-1}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent-coco-1, labels: LABELS}
value: 5
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast-coco-1, labels: LABELS}
provisioner: example.com/none
"""


class Plane(ControlPlane):
    """A control plane with the user of a pipeline, and with a group for emergencies that RBAC refuses nothing."""

    identities: ClassVar[dict[str, tuple[str, ...]]] = {**ControlPlane.identities, "ci": ("ci", "system:masters")}

    def start_server(self) -> None:
        super().start_server()
        group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "sidelane:break-glass"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        binding = {"metadata": {"name": "break-glass"}, "roleRef": role, "subjects": [group]}
        with contextlib.suppress(urllib.error.HTTPError):  # it is there from before a restart
            self._call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)

    def _start_nodes(self) -> None:
        """No pod has to run."""

    def kubeconfig_of(self, who: str) -> Path:
        return self.kubeconfig_for(self._tokens[who])


@pytest.fixture
def plane(programs: Path) -> Iterator[Plane]:
    with Plane(programs) as plane:
        yield plane


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "wide"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: wide\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text('Version: ""\nBuild: ""\n')
    text = OBJECTS.replace("LABELS", json.dumps({**SETTINGS, "app": "wide-coco-1", **LANE}))
    (folder / "templates" / "all.yaml").write_text(text)
    return folder


def test_nobody_but_the_pipeline_changes_a_lanes_objects_without_a_namespace(
    plane: Plane, chart: Path, helm: Path
) -> None:
    cluster = connect(plane.kubeconfig, plane)
    cluster.create(NAMESPACES, {"metadata": {"name": "pipelines", "labels": {"sidelane.dev/guard": "deny"}}})
    administrator = Client(namespace="kube-system", kubeconfig=plane.kubeconfig, helm=helm)
    pipeline = Client(namespace="pipelines", kubeconfig=plane.kubeconfig_of("ci"), helm=helm)
    pipeline.install(chart, "coco-1")
    names = {"namespace": "pipelines"}
    assert {a.id: why for a in CLUSTER_LOCKED if (why := a.made(cluster, "pipelines", names, "dryRun=All"))} == {}
    before = _objects(cluster)

    administrator.install("guard", "guard-1", values={
        "clusterObjects": "deny", "deployers": {"users": ["ci"]}, "controllers": {"users": ["kwok"]},
    })  # fmt: skip
    (first, *_) = CLUSTER_LOCKED
    cluster.until("the policies are in force", lambda: first.made(cluster, "pipelines", names, "dryRun=All"))
    refusals = {a.id: a.made(cluster, "pipelines", names) for a in CLUSTER_LOCKED}
    assert [name for name, why in refusals.items() if "policy cluster-objects" not in why] == []
    assert _objects(cluster) == before
    (guarding,) = pipeline.guard_status()
    assert (guarding.cluster_objects, guarding.policies, guarding.gaps) == ("deny", POLICIES, ())

    _what_is_legitimate_passes(cluster, pipeline, chart)
    # Nothing waits for the guard: its own objects carry a lane's label, too.
    pipeline.install(chart, "coco-1")
    cluster.request("DELETE", f"{NAMESPACES}/pipelines", **BREAK_GLASS)
    cluster.until("the namespace is gone", lambda: "pipelines" not in cluster.names(NAMESPACES))
    administrator.uninstall("guard", "guard-1", delete_cluster_objects=True)
    assert cluster.names(POLICY) == []
    cluster.until("the policies are gone", lambda: not delete("rbac.authorization.k8s.io/v1", READER).made(
        cluster, "pipelines", names
    ))  # fmt: skip


def _objects(cluster: Cluster) -> list[Any]:
    kept = []
    for kind in ("rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1/clusterrolebindings",
                 "scheduling.k8s.io/v1/priorityclasses", "storage.k8s.io/v1/storageclasses"):  # fmt: skip
        kept += cluster.list(f"/apis/{kind}?labelSelector=sidelane.dev/lane%3Dcoco-1")
    kept += [{**item, "status": None} for item in cluster.list("/api/v1/persistentvolumes")]
    return [(item["metadata"]["name"], item["metadata"]["uid"], item["metadata"]["resourceVersion"]) for item in kept]


def _what_is_legitimate_passes(cluster: Cluster, pipeline: Client, chart: Path) -> None:
    """The pipeline, controllers, everyone for foreign annotations, and break-glass."""
    assert pipeline.install(chart, "coco-1").change == "unchanged"
    note = annotated("note", "rbac.authorization.k8s.io/v1", READER, **{"example.com/note": "x"})
    assert note.made(cluster, "", {}) == ""
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
    cluster.create(roles, {"metadata": {"name": "part", "labels": {"example.com/part": "of-coco-1"}}, "rules": rules})
    cluster.until("the controller adds the rules", lambda: cluster.get(f"{roles}/all-coco-1").get("rules") == rules)
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": "disk-coco-1",
            "resources": {"requests": {"storage": "1Gi"}}}  # fmt: skip
    cluster.create(f"{NAMESPACES}/pipelines/persistentvolumeclaims", {"metadata": {"name": "mine"}, "spec": spec})
    phase = lambda: cluster.get(f"/api/v1{DISK}")["status"]["phase"]  # noqa: E731
    cluster.until("the controller binds the volume", lambda: phase() == "Bound")
    assert {each.state for each in pipeline.verify("wide", "coco-1")} == {"drifted"}  # by the claim of the volume
    cluster.delete(f"{NAMESPACES}/pipelines/persistentvolumeclaims/mine")
    cluster.until("the volume has no claim", lambda: phase() == "Released")
    free = patch("free", "v1", DISK, spec={"claimRef": None})
    assert "policy cluster-objects" in free.made(cluster, "", {})
    assert free.made(cluster, "", {}, **BREAK_GLASS) == ""
    with pytest.raises(StillHeld):
        pipeline.retire("coco-1", drain="0s")
    assert pipeline.retire("coco-1", drain="0s", delete_cluster_objects=True).gone
    assert "disk-coco-1" not in cluster.names("/api/v1/persistentvolumes")


class FromDisk(Plane):
    """An API server that reads policies from a folder, and no controllers."""

    def __init__(self, programs: Path, folder: Path) -> None:
        super().__init__(programs)
        configuration = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyConfiguration",
            "staticManifestsDir": str(folder),
        }
        self._admission = folder.with_name("admission.yaml")
        self._admission.write_text(json.dumps({
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
            "plugins": [{"name": "ValidatingAdmissionPolicy", "configuration": configuration}],
        }))  # fmt: skip

    def _server_arguments(self) -> tuple[str, ...]:
        return (
            *super()._server_arguments(),
            "--feature-gates=ManifestBasedAdmissionControlConfig=true",
            f"--admission-control-config-file={self._admission}",
        )

    def _start_the_rest(self) -> None:
        """Nothing has to run for requests to be refused."""


def test_an_api_server_that_reads_the_guard_from_its_disk_refuses_and_never_forgets(
    programs: Path, helm: Path, tmp_path: Path, unavailable: Callable[[str], NoReturn]
) -> None:
    command = [programs / "kube-apiserver", "--version"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(".")
    if int(version[1]) < 36:
        unavailable("an API server reads policies from its disk from Kubernetes 1.36 on")
    folder = tmp_path / "policies"
    folder.mkdir()
    printed = CommandLine(tmp_path, helm)("guard", "manifests", "--lane", "guard-1", "--set", "clusterObjects=deny")
    (folder / "guard.yaml").write_text(printed.stdout)
    with FromDisk(programs, folder) as plane:
        cluster = connect(plane.kubeconfig, plane)
        cluster.create(NAMESPACES, {"metadata": {"name": "streams"}})
        config = f"{NAMESPACES}/streams/configmaps"
        cluster.create(config, {"metadata": {"name": "zk-coco-1", "labels": SETTINGS}, "data": {"a": "b"}})
        cluster.patch(f"{NAMESPACES}/streams", {"metadata": {"labels": {"sidelane.dev/guard": "deny"}}})
        _refused_from_disk(cluster)
        # The API neither shows the policies nor deletes them, and takes no other ones of their names.
        assert cluster.names(POLICY) == cluster.names(f"{POLICY[:-3]}ybindings") == []
        name = "lane-objects-guard-1.static.k8s.io"
        with pytest.raises(HTTPError, match="not found"):
            cluster.delete(f"{POLICY}/{name}")
        cluster.delete(POLICY)  # all that the API has
        with pytest.raises(HTTPError, match="static"):
            cluster.create(POLICY, {"metadata": {"name": name}, "spec": EMPTY})
        _refused_from_disk(cluster)
        plane.stop_server()
        plane.start_server()
        _refused_from_disk(cluster)
        cluster.request("DELETE", f"{config}/zk-coco-1", **BREAK_GLASS)


#: A policy that refuses nothing.
EMPTY = {
    "matchConstraints": {"resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]},
    ]},
    "validations": [{"expression": "true"}],
}  # fmt: skip


def _refused_from_disk(cluster: Cluster) -> None:
    for attempt in (
        patch("data", "v1", "configmaps/zk-coco-1", data={"a": "c"}),
        delete("v1", "configmaps/zk-coco-1"),
        next(each for each in CLUSTER_LOCKED if each.id == "create-cluster-role"),
    ):
        assert ".static.k8s.io" in attempt.made(cluster, "streams", {}), attempt.id

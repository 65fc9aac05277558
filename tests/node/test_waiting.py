"""Workloads that never get ready on a real node: `install`, `status` and `apply --atomic` name pod and reason."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

from clusters import error_in

LANE = "coco-1"
SECONDS = 240  # that a command may take, on a busy machine
IMAGE = {"repository": "acme/svc1", "tag": "1.4.0"}
#: The values of a service that can't get ready, and the reason that must be named, by the service's name.
CASES = {
    "image": ({"image": {**IMAGE, "tag": "9.9.9"}}, r"ErrImagePull|ImagePullBackOff"),
    "ends": ({"command": ["sh", "-c", "echo last words; exit 3"]}, r'exit 3|"exitCode": 3'),
    "probe": ({"readinessProbe": {"httpGet": {"path": "/file?path=/none", "port": "http"}}}, r"statuscode: 404"),
    "cpu": ({"resources": {"requests": {"cpu": "640"}, "limits": {"cpu": "640"}}}, r"Insufficient cpu"),
    "claim": (
        {
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "nobody"}}],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        },
        r"PersistentVolumeClaim",
    ),
    "secret": ({"envFrom": [{"secretRef": {"name": "missing"}}]}, r'secret "missing" not found'),
}


def values_of(name):
    small = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    return {"image": IMAGE, "replicas": 1, "drainSeconds": 0, "resources": small, **CASES[name][0]}


def test_each_reason_is_named_with_its_pod(cluster, namespace, sidelane, tmp_path):
    nobody = {"storageClassName": "nobody", "accessModes": ["ReadWriteOnce"]}
    spec = {**nobody, "resources": {"requests": {"storage": "1Mi"}}}
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    cluster.create(claims, {"metadata": {"name": "nobody"}, "spec": spec})

    with ThreadPoolExecutor(len(CASES)) as side_by_side:
        installs = dict(
            zip(CASES, side_by_side.map(lambda name: install(sidelane, name, tmp_path), CASES), strict=True)
        )
    for name, done in installs.items():
        named(name, done.stderr)
        assert f"`sidelane status {name}-v1-{LANE} -n " in done.stderr
    assert "last words" in installs["ends"].stderr

    output = sidelane("status", "--lane", LANE)
    for name in CASES:
        named(name, output.stdout)
    unready = sidelane.json("status", "--lane", LANE)["readiness"]["unready"]
    for name in CASES:
        (unready_pod,) = (
            unready_pod
            for unready_pod in unready
            if unready_pod["kind"] == "Pod" and unready_pod["name"].startswith(f"{name}-v1-")
        )
        named(name, json.dumps(unready_pod, ensure_ascii=False).replace('\\"', '"'))
    waited = sidelane("wait", "--lane", LANE, "--timeout", "5s", code=3)
    named("secret", waited.stderr)

    for name in CASES:
        sidelane("uninstall", f"{name}-v1-{LANE}", "--wait", timeout=SECONDS)
    applied = sidelane("apply", lane_file(tmp_path), "--atomic", "--wait", "--timeout", "25s", "--parallel", "8",
                       "-o", "json", code=3, timeout=SECONDS)  # fmt: skip
    error = error_in(applied.stderr)
    for name in CASES:
        named(name, error["errors"][f"{name}-v1-{LANE}"]["problem"])
    assert sidelane.json("list") == [], "it was read before it was undone"


def install(sidelane, name, folder):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(values_of(name)))
    service = ("service", "--name", name, "--service-version", "v1", "--lane", LANE)
    return sidelane("install", *service, "-f", file, "--wait", "--timeout", "25s", code=3, timeout=SECONDS)


def lane_file(folder):
    releases = [{"chart": "service", "name": name, "serviceVersion": "v1", "values": values_of(name)} for name in CASES]
    document = {"apiVersion": "sidelane.dev/v1alpha1", "kind": "LaneDeployment"}
    file = folder / "lane.yaml"
    file.write_text(json.dumps({**document, "lane": {"Version": "coco", "Build": "1"}, "releases": releases}))
    return file


def named(name, text):
    """Holds that a text names the pod of a case, and the reason."""
    assert re.search(rf"\b{name}-v1-{LANE}-[a-z0-9]+-[a-z0-9]{{5}}\b", text), f"{name}: no pod in\n{text}"
    assert re.search(CASES[name][1], text), f"{name}: no reason in\n{text}"

"""Runs of `apply` that are killed, or lose the API server for a moment, while a chart's install hooks run."""

import asyncio
import contextlib
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import relay
import yaml
from clusters import settled
from generated import tiny_chart
from helm_secrets import statuses
from killing import kill
from sidelane import AsyncClient
from sidelane.errors import ApplyFailed

LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: ./tiny, name: svc1, serviceVersion: v1}
  - {chart: ./tiny, name: svc2, serviceVersion: v1, needs: [svc1-v1]}
"""
LABELS = """\
  labels: &labels
    app: {{ .Values.name }}-{{ $lane }}
    version: {{ .Values.serviceVersion }}
    sidelane.dev/version: {{ .Values.Version | quote }}
    sidelane.dev/build: {{ .Values.Build | quote }}
    sidelane.dev/lane: {{ $lane | quote }}
"""
# Helm waits for a hook's Job in every install. Nobody marks this one as done but the test.
HOOKS = (
    """\
{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}
{{- $name := printf "%s-%s-%s" .Values.name .Values.serviceVersion $lane }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-{{ $lane }}
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-1"}
"""
    + LABELS
    + """\
data: {for: {{ $name }}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  annotations: {helm.sh/hook: HOOK}
"""
    + LABELS
    + """\
spec:
  suspend: true
  template:
    metadata: {labels: *labels}
    spec:
      restartPolicy: Never
      containers: [{name: seed, image: "example.org/seed:1"}]
"""
)


@pytest.fixture
def file(tmp_path):
    tiny_chart(tmp_path / "git" / "tiny")
    (tmp_path / "git" / "lane.yaml").write_text(LANE)
    return tmp_path / "git" / "lane.yaml"


@pytest.fixture
def begin(sidelane):
    """Starts `sidelane apply` as a process of its own."""
    begun = []

    def run(file):
        begun.append(sidelane.begin("apply", file, "-o", "json", "--timeout", "60s"))
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("hook", "dies"),
    [
        ("pre-install", "everything"),
        ("post-install", "everything"),
        # What such a hook left is in its way: Helm 3 does not replace it.
        ("pre-install, helm.sh/hook-delete-policy: hook-succeeded", "everything"),
        ("pre-install", "the caller"),
    ],
    ids=["pre-install", "post-install", "kept", "the-caller"],
)
@pytest.mark.either_helm
def test_install_hooks_of_a_killed_run_run_again_and_the_release_is_whole(
    cluster, namespace, client, file, begin, hook, dies
):
    template = file.parent / "tiny" / "templates" / "hooks.yaml"
    template.write_text('{{- if eq .Values.name "svc1" }}\n' + HOOKS.replace("HOOK", hook) + "{{- end }}\n")
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    killed = begin(file)
    first = cluster.until("Helm waits for the hook", lambda: cluster.list(jobs))[0]["metadata"]["uid"]
    kill([*(children(killed.pid) if dies == "everything" else []), killed.pid])
    killed.communicate()

    # The Helm of a dead caller is asked to end by the kernel, and may or may not come to say that it failed.
    assert statuses(cluster, namespace).keys() == {"svc1-v1-coco-1"}
    assert [step.action for step in client.plan(file).steps] == ["finish", "create"]

    again = begin(file)

    def another():
        return [job for job in cluster.list(jobs) if job["metadata"]["uid"] != first]

    cluster.until("the hook runs again", lambda: again.poll() is not None or another())
    assert another(), again.communicate()
    (job,) = another()
    done(cluster, f"{jobs}/{job['metadata']['name']}")
    stdout, stderr = again.communicate()
    assert again.returncode == 0, stderr
    changes = {release["name"]: release["change"] for release in json.loads(stdout)["releases"]}
    assert changes == {"svc1-v1-coco-1": "finished", "svc2-v1-coco-1": "created"}
    there = statuses(cluster, namespace)
    assert there == dict.fromkeys(changes, "deployed"), "and nothing else, such as what Sidelane cleared with"
    verified = {(result.state, result.recorded) for result in settled(client, lane="coco-1")}
    assert verified == {("unchanged", "there")}
    assert {step.action for step in client.plan(file).steps} == {"unchanged"}
    assert cluster.names(f"/api/v1/namespaces/{namespace}/configmaps") == [
        "kube-root-ca.crt", "record-svc1-v1-coco-1", "record-svc2-v1-coco-1",
        "settings-coco-1", "svc1-v1-coco-1", "svc2-v1-coco-1",
    ]  # fmt: skip


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)  # Helm 4 takes such an object over itself
def test_what_is_somebody_elses_and_in_the_way_of_a_hook_is_not_deleted(cluster, namespace, client, file):
    policy = "pre-install, helm.sh/hook-delete-policy: hook-succeeded"
    (file.parent / "tiny" / "templates" / "hooks.yaml").write_text(HOOKS.replace("HOOK", policy))
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    container = {"name": "own", "image": "example.org/own:1"}
    spec = {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    own = cluster.create(jobs, {"metadata": {"name": "svc1-v1-coco-1"}, "spec": spec})
    for _ in range(2):  # the second finds what the first left, and would finish it
        with pytest.raises(ApplyFailed):
            client.apply(file, timeout="10s")
    assert [job["metadata"]["uid"] for job in cluster.list(jobs)] == [own["metadata"]["uid"]]


@pytest.mark.either_helm
def test_an_api_server_that_is_away_for_a_moment_stops_no_apply(cluster, namespace, helm, file, tmp_path):
    template = file.parent / "tiny" / "templates" / "hooks.yaml"
    template.write_text('{{- if eq .Values.name "svc1" }}\n' + HOOKS.replace("HOOK", "pre-install") + "{{- end }}\n")
    file.write_text(file.read_text().replace(", needs: [svc1-v1]", ""))
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    (named,) = kubeconfig["clusters"]
    port = urlsplit(named["cluster"]["server"]).port

    async def applied():
        away, is_back = asyncio.Event(), False

        async def connect(reader, writer):
            # The first Helm has the connection that it uses for all; nobody else gets one.
            if not is_back and statuses(cluster, namespace):
                server.close()
                away.set()
                writer.transport.abort()
                return
            there, onward = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer), contextlib.closing(onward):
                await asyncio.gather(relay.copy(reader, onward), relay.copy(there, writer))

        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        place = server.sockets[0].getsockname()
        named["cluster"]["server"] = f"https://127.0.0.1:{place[1]}"
        (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
        client = AsyncClient(namespace=namespace, kubeconfig=tmp_path / "kubeconfig", helm=helm)
        applying = asyncio.ensure_future(client.apply(file, timeout="60s"))
        await asyncio.wait([applying, asyncio.ensure_future(away.wait())], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(3)  # what is asked once a second was asked in vain
        assert not applying.done(), await applying
        is_back = True
        async with await asyncio.start_server(connect, *place):
            (job,) = cluster.list(jobs)
            done(cluster, f"{jobs}/{job['metadata']['name']}")
            return await applying

    assert [release.change for release in asyncio.run(applied()).releases] == ["created"] * 2


def children(process):
    """The ids of what a process has started: its Helms."""
    collected = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process:
                collected.append(int(stat.parent.name))
    return collected


def done(cluster, job):
    """Says of a Job what its controller says when its pod has ended well."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions}
    cluster.patch(f"{job}/status", {"status": status})


@pytest.mark.either_helm
def test_a_namespace_without_a_guard_is_warned_about_once_or_refused(client, sidelane, file, tmp_path):
    text = file.read_text().replace("./tiny", str(file.parent / "tiny")).replace(", needs: [svc1-v1]", "")
    file.write_text(text)
    refused = sidelane("apply", file, "--require-guard", code=1).stderr
    assert "is not guarded:\n" in refused
    assert client.list() == ()
    warned = sidelane("apply", file).stderr
    assert warned.count("warning: ") == warned.count("has no label sidelane.dev/guard=deny") == 1
    sidelane("bundle", tmp_path / "lane.tar.gz", "--lane", "coco-1", "--chart", file.parent / "tiny")
    client.retire("coco-1", drain="0s")
    assert "is not guarded:\n" in sidelane("replay", tmp_path / "lane.tar.gz", "--require-guard", code=1).stderr
    assert client.list() == ()
    warned = sidelane("replay", tmp_path / "lane.tar.gz").stderr
    assert warned.count("warning: ") == warned.count("has no label sidelane.dev/guard=deny") == 1

"""A cluster for tests, by its API, and a fresh namespace on it; whoever asks for them has a fixture `cluster`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pykube
import pytest
import requests
from access import Access
from command_line import CommandLine
from controlplane import ControlPlane
from sidelane import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Object = dict[str, Any]

#: Helm fetches and reads the API server's schemas, and then leaves validation to the API server: with this flag it
#: finds the same, in half of the time.
WITHOUT_SCHEMAS = "--disable-openapi-validation"


@dataclass(frozen=True)
class Cluster:
    """A cluster and its API by path, such as `/apis/apps/v1/namespaces/default/deployments`.

    Attributes:
        kubeconfig: of an administrator.
        plane: our own control plane; None on a cluster of someone else.
        forgets: it goes with all its namespaces, and nothing runs in them; to delete one costs its programs as much as
            a Helm, and proves nothing.
    """

    kubeconfig: Path
    plane: Access | None
    api: pykube.HTTPClient
    forgets: bool = False

    def request(self, method: str, path: str, body: Object | None = None, **headers: str) -> Object:
        """The answer as an object. Raises pykube.exceptions.HTTPError, with `code`, when it is a refusal."""
        answer = self.api.session.request(
            method, self.api.url + path, json=body, headers=headers, timeout=self.api.timeout
        )
        self.api.raise_for_status(answer)
        return answer.json()

    def get(self, path: str) -> Object:
        return self.request("GET", path)

    def list(self, path: str) -> list[Object]:
        return self.get(path)["items"]

    def create(self, path: str, body: Object) -> Object:
        return self.request("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """Merges the body into the object (RFC 7386: a null deletes)."""
        return self.request("PATCH", path, body, **{"Content-Type": "application/merge-patch+json"})

    def delete(self, path: str) -> Object:
        return self.request("DELETE", path)

    def done_with(self, namespace: str) -> None:
        """Deletes a namespace when a test ends, which nobody waits for."""
        if not self.forgets:
            self.delete(f"/api/v1/namespaces/{namespace}")

    def names(self, path: str) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.list(path))

    def labelled(self, namespace: str, selector: str, kinds: Iterable[str]) -> dict[tuple[str, str], Object]:
        """The objects that a label selector finds, by kind and name, as their authors last wrote them: without what the
        server counts. kinds: by their paths, such as `/apis/apps/v1/deployments`.
        """
        objects = {}
        for path in kinds:
            root, _, kind = path.rpartition("/")
            for item in self.list(f"{root}/namespaces/{namespace}/{kind}?labelSelector={selector}"):
                item.pop("status", None)
                for counted in ("resourceVersion", "managedFields", "generation"):
                    item["metadata"].pop(counted, None)
                objects[kind, item["metadata"]["name"]] = item
        return objects

    def ready_pods(self, namespace: str) -> list[str]:
        """The names of the namespace's pods that are Ready, sorted."""
        return sorted(
            pod["metadata"]["name"]
            for pod in self.list(f"/api/v1/namespaces/{namespace}/pods")
            if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        )

    def until(self, what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """The condition's first true value; the test fails, saying what, when it does not come in time."""
        began = time.monotonic()
        while not (value := condition()):
            if (waited := time.monotonic() - began) > seconds:
                pytest.fail(f"not within {seconds:g} s: {what}")
            time.sleep(min(0.1 + waited / 20, 0.5))  # a question costs the processors that are waited for
        return value


def settled(client: Client, *arguments: Any, **named: Any) -> tuple[Any, ...]:
    """The result of ``verify`` once every workload has its pods; the test fails when that does not come in time."""
    _await_pods(client)
    deadline = time.monotonic() + 180
    while True:
        results = client.verify(*arguments, **named)
        if not any(result.degraded for result in results):
            return results
        if time.monotonic() > deadline:
            pytest.fail(f"not ready within 180 s: {[result.degraded for result in results]}")
        time.sleep(1)  # each look starts several Helms


def _await_pods(client: Client) -> None:
    """Waits for the pods of the client's namespace by the API, which costs less than a Helm. Some may never come."""
    connection = client._asynchronous._context.connection
    api = connect(Path(str(connection.kubeconfig)), None).api
    api.session.trust_env = False
    paths = [f"/apis/apps/v1/namespaces/{connection.namespace}/{kind}" for kind in ("deployments", "statefulsets")]
    deadline = time.monotonic() + 10

    def are_there(workload: Object) -> bool:
        status, seen = workload["status"], workload["status"].get("observedGeneration", 0)
        return seen == workload["metadata"]["generation"] and all(
            status.get(count, 0) == workload["spec"]["replicas"] for count in ("replicas", "readyReplicas")
        )

    with contextlib.suppress(requests.RequestException):  # those that the client's user may not read
        while time.monotonic() < deadline:
            answers = [api.session.get(api.url + path, timeout=api.timeout) for path in paths]
            if all(are_there(item) for answer in answers if answer.ok for item in answer.json()["items"]):
                return
            time.sleep(0.2)


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds a file; the other processes of the test run that want it wait. A process that is killed holds nothing."""
    with file.open() as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone(chart: Path) -> Iterator[None]:
    """Holds the chart guard, whose objects have no namespace: one test at a time has a release, and removes it."""
    with locked(chart / "Chart.yaml") if chart.name == "guard" else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def shared_plane(programs: Path, folder: Path) -> Iterator[Access]:
    """One control plane for all processes that name this folder.

    The first starts it, and at its end waits for the others, so it stops when nobody uses it. When the first is
    killed, its control plane is gone at once, as any is whose owner ends.
    """
    first, saved = folder / "first", folder / "access.json"
    first.touch()
    with contextlib.ExitStack() as stack, (folder / "users").open("w") as users:
        with locked(first):
            fcntl.flock(users, fcntl.LOCK_SH)
            owner = not saved.exists()
            if owner:
                plane = stack.enter_context(ControlPlane(programs))
                plane.save(saved)
        yield Access.load(saved)
        if owner:
            fcntl.flock(users, fcntl.LOCK_EX)
            saved.unlink()


def connect(kubeconfig: Path, plane: Access | None, *, forgets: bool = False) -> Cluster:
    api = pykube.HTTPClient(pykube.KubeConfig.from_file(kubeconfig))
    api.session.trust_env = plane is None  # no proxy leads to 127.0.0.1
    return Cluster(kubeconfig, plane, api, forgets)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a new namespace."""
    with new_namespace(cluster) as name:
        yield name


@contextlib.contextmanager
def new_namespace(cluster: Cluster) -> Iterator[str]:
    """A new namespace that takes restricted pods only, by its name."""
    name = f"test-{secrets.token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    cluster.until("the namespace has its service account", lambda: "default" in cluster.names(accounts))
    yield name
    cluster.done_with(name)


@pytest.fixture
def client(cluster: Cluster, namespace: str, helm: Path) -> Client:
    """The SDK, in the test's namespace."""
    return Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)


@pytest.fixture
def counted(cluster: Cluster, namespace: str, helm: Path, tmp_path: Path) -> tuple[Client, Callable[[], Counter[str]]]:
    """A client, and a function that returns the verbs of the Helms that it has started since the last call."""
    calls, program = tmp_path / "calls", tmp_path / "helm"
    program.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {helm} "$@"\n')
    program.chmod(0o755)

    def started() -> Counter[str]:
        verbs = calls.read_text().split()
        calls.write_text("")
        return Counter(verbs)

    return Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=program), started


@pytest.fixture
def sidelane(cluster: Cluster, namespace: str, helm: Path, tmp_path: Path) -> CommandLine:
    """The command line, in the test's namespace."""
    return CommandLine(tmp_path, helm, place=("--namespace", namespace), KUBECONFIG=cluster.kubeconfig)


@pytest.fixture
def plain(cluster: Cluster, namespace: str, helm: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Plain Helm, as somebody runs it who never heard of the SDK.

    On a throw-away control plane without the schemas. The tests of READMEs, notes and nodes have Helm's own settings.
    """

    def run(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [helm, *map(str, arguments), "--namespace", namespace, "--kubeconfig", cluster.kubeconfig]
        if cluster.forgets and arguments[0] in ("install", "upgrade"):
            command.append(WITHOUT_SCHEMAS)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done

    return run


def error_in(stderr: str) -> Any:
    """The error that a command with `-o json` has written, after its progress."""
    return json.loads("{" + stderr.partition("\n{")[2])

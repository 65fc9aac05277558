"""Pods on a real node: commands in their containers, their logs, and requests to them from the node."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import containerd

if TYPE_CHECKING:
    from clusters import Cluster, Object
    from nodecluster import NodeCluster

SECONDS = 30  # for a command or a request, unless it says otherwise
numbers = itertools.count()


@dataclass(frozen=True)
class Pods:
    """The pods of one namespace."""

    node: NodeCluster
    cluster: Cluster
    namespace: str

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def of(self, version: str) -> list[Object]:
        """The pods of a service's version that nobody has told to stop, by name: `svc1-v1-2-coco-1`."""
        there = [pod for pod in self.cluster.list(self.path) if "deletionTimestamp" not in pod["metadata"]]
        matching = [pod for pod in there if pod["metadata"]["name"].rpartition("-")[0].rpartition("-")[0] == version]
        return sorted(matching, key=lambda pod: pod["metadata"]["name"])

    def status(self, pod: str, container: str) -> Object:
        """The status of a container, of whichever kind it is."""
        status = self.cluster.get(f"{self.path}/{pod}")["status"]
        kinds = ("containerStatuses", "initContainerStatuses")
        return next(status_ for kind in kinds for status_ in status.get(kind, []) if status_["name"] == container)

    def log(self, pod: str, container: str) -> str:
        path = f"{self.path}/{pod}/log?container={container}"
        return self.cluster.api.session.get(self.cluster.api.url + path, timeout=10).text

    def enter(self, pod: str, container: str) -> list[str]:
        """The words before a command that run it in a container, as its user, in its control group."""
        program = self.node.node.programs / "bin" / "ctr"
        socket = containerd.socket(self.node.folder / "node")
        identity = self.status(pod, container)["containerID"].removeprefix("containerd://")
        ctr = [str(program), "--address", str(socket), "--namespace", "k8s.io"]
        return [*self.node.enter(), *ctr, "tasks", "exec", f"--exec-id=test-{next(numbers)}", identity]

    def execute(
        self, pod: str, container: str, *command: str, given: bytes = b"", seconds: float = SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container. given: its standard input."""
        whole = [*self.enter(pod, container), *command]
        done = subprocess.run(whole, input=given, capture_output=True, check=False, timeout=seconds)
        return subprocess.CompletedProcess(whole, done.returncode, done.stdout.decode(), done.stderr.decode())

    def kill(self, pod: str, container: str) -> None:
        """Ends a container's first process by SIGKILL, from outside."""
        *ctr, _, _, _, identity = self.enter(pod, container)
        subprocess.run([*ctr, "tasks", "kill", "--signal=SIGKILL", identity], check=True)

    def ask(self, address: str, path: str, /, **query: object) -> str:
        """The text that an address of the cluster answers to a node's request by HTTP. Fails for any other than 200."""
        url = f"http://{address}{path}?{urlencode(query)}"
        done = self.node.run("curl", "-sS", "--fail-with-body", f"-m{SECONDS}", url, capture_output=True)
        assert done.returncode == 0, f"{url}: {done.stdout}{done.stderr}"
        return done.stdout

    def shown(self, address: str, path: str = "/shown", /, **query: object) -> Any:
        """Its answer, read as JSON."""
        return json.loads(self.ask(address, path, **query))


def address(pod: Object, port: int = 8080) -> str:
    return f"{pod['status']['podIP']}:{port}"

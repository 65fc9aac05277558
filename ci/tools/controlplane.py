"""A Kubernetes control plane for one test run: up in seconds, on 127.0.0.1, gone at the end.

    with ControlPlane(find_programs()) as cluster:
        subprocess.run(["helm", "list"], env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}, check=True)

    python ci/tools/controlplane.py -- helm list

API server, controllers and scheduler are the real ones, with admission and RBAC as in a cluster; kwok plays
the nodes (kwok/stages.yaml), so pods become Ready although no container runs. Needs nothing but the programs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import toolchain
from access import Access
from keeping import keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

KWOK = Path(__file__).resolve().parent / "kwok"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
START_TIMEOUT = 60.0  # seconds for one program to come up; it takes 1 to 3, and a busy machine is slower

# A controller that has no twin and is scraped by nobody; the default limit of 20 requests/s is for shared servers.
ALONE = ("--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000")


class ControlPlaneError(RuntimeError):
    """No control plane can be had, or one of its programs did not start."""


def find_programs(folder: Path | None = None) -> Path:
    """The folder of the programs: the one given, else KUBEBUILDER_ASSETS, else the tool chain of this checkout.

    Raises:
        ControlPlaneError: there is none, or it lacks a program; the message says what to do.
    """
    if folder is None and (assets := os.environ.get("KUBEBUILDER_ASSETS")):
        folder = Path(assets)
    if folder is None:
        folder = toolchain.find()
    if folder is None:
        raise ControlPlaneError("the programs of a control plane have not been built; build them with `make tools`")
    if missing := [name for name in PROGRAMS if not (folder / name).is_file()]:
        lacks = f"{folder} lacks {', '.join(missing)}"
        raise ControlPlaneError(f"{lacks}; `make tools` builds all of them, for when no other folder is named")
    return folder.resolve()


class ControlPlane(Access):
    """A running control plane, as a context manager."""

    # Each program is who it is in a cluster: admission policies and RBAC see the names that they will see there.
    # key → (user, group …)
    identities: ClassVar[dict[str, tuple[str, ...]]] = {
        "admin": ("kubernetes-admin", "system:masters"),
        "powerless": ("powerless",),
        "kube-controller-manager": ("system:kube-controller-manager",),
        "kube-scheduler": ("system:kube-scheduler",),
        "kwok": ("kwok", "system:masters"),
    }

    def __init__(self, programs: Path) -> None:
        super().__init__({name: secrets.token_hex(16) for name in self.identities})
        self.programs = programs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="sidelane-"))
            stack.callback(self._end)
            self._keep = stack.enter_context(keep(self.folder))
            self._reserved = stack.enter_context(reserved_port())
            self.server = self._address(self._reserved.getsockname()[1])
            self._start_storage()
            self.start_server()
            self.kubeconfig = self.kubeconfig_for(self._tokens["admin"])
            self._start_the_rest()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def stop(self) -> None:
        """Kills the API server, and the controllers and the scheduler beside it, as the end of their machine would.

        What is stored stays, and the nodes run on. An API server that starts again refuses the watches of controllers
        that live on until it has read its roles; they ask again up to a minute later, and do nothing meanwhile. In a
        cluster such controllers have lost their lease by then, and begin anew.
        """
        for name in ("kube-controller-manager", "kube-scheduler"):
            self._stop(name)
        self.stop_server()

    def start(self) -> None:
        """Starts again what ``stop`` has killed."""
        self.start_server()
        self._start_controllers()

    def stop_server(self) -> None:
        """Kills the API server alone; what is stored stays."""
        self._stop("kube-apiserver")

    def _stop(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait()
        self._keep(-process.pid)

    def _start_the_rest(self) -> None:
        """Starts what acts on the stored objects. Without it the API server keeps them, and nothing runs."""
        self._start_controllers()
        self._start_nodes()
        self._await("kube-controller-manager", self._namespaces_have_accounts)

    def _own_kubeconfig(self, name: str) -> Path:
        """The kubeconfig of one of the cluster's own programs."""
        return self.kubeconfig_for(self._tokens[name])

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()  # for the case that the keeper itself was killed
            process.wait()

    def _start_storage(self) -> None:
        # On sockets in the folder: no port to find, and no other user of the machine can open the storage.
        # What a member advertises to others must look like a host, but nobody calls a lone member.
        nobody = "http://localhost:2380"
        self._run(
            "etcd",
            f"--data-dir={self.folder}/data",
            f"--listen-client-urls=unix://{self.folder}/etcd",
            f"--listen-peer-urls=unix://{self.folder}/peer",
            f"--advertise-client-urls={nobody}",
            f"--initial-advertise-peer-urls={nobody}",
            f"--initial-cluster=default={nobody}",
            "--unsafe-no-fsync",  # what a power cut would lose is thrown away anyway
            "--log-level=warn",
        )
        self._await("etcd", (self.folder / "etcd").exists)

    def start_server(self) -> None:
        """Starts the API server, on the same port each time."""
        tokens = self.folder / "tokens.csv"
        tokens.touch(mode=0o600)
        # A user of several groups has them in one field.
        rows = [
            ",".join((self._tokens[name], user, name, *([f'"{",".join(groups)}"'] if groups else [])))
            for name, (user, *groups) in self.identities.items()
        ]
        tokens.write_text("\n".join(rows))
        self._run(
            "kube-apiserver",
            f"--etcd-servers=unix://{self.folder}/etcd",
            f"--cert-dir={self.folder}",
            f"--token-auth-file={tokens}",
            # The key that the server makes for TLS signs the tokens of service accounts as well.
            f"--service-account-signing-key-file={self.folder}/apiserver.key",
            f"--service-account-key-file={self.folder}/apiserver.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--enable-priority-and-fairness=false",
            "--profiling=false",
            # Over the loopback a compressed list costs both ends more than its bytes.
            "--feature-gates=APIResponseCompression=false",
            *self._server_arguments(),
        )
        self._await("kube-apiserver", lambda: self._call("GET", "/readyz") == b"ok")

    def _address(self, port: int) -> str:
        """The URL of the API server, which the port on 127.0.0.1 is reserved for."""
        return f"https://127.0.0.1:{port}"

    def _server_arguments(self) -> tuple[str, ...]:
        """The API server's flags for its addresses and for what differs between clusters."""
        return (
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._reserved.getsockname()[1]}",
            "--permit-port-sharing",  # with reserved_port()
            "--authorization-mode=RBAC",
            "--endpoint-reconciler-type=none",
        )

    def _start_controllers(self) -> None:
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self._own_kubeconfig('kube-controller-manager')}",
            # Admission policies exempt single controllers by their service accounts, so they must act as these.
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self.folder}/apiserver.key",
            f"--root-ca-file={self._authority}",
            # kwok renews no node's lease, and a busy machine's kubelet is late; a pod may stay unready for its node.
            "--node-monitor-grace-period=24h",
            *ALONE,
        )
        self._run(
            "kube-scheduler",
            f"--kubeconfig={self._own_kubeconfig('kube-scheduler')}",
            *ALONE,
        )

    def _start_nodes(self) -> None:
        # Three nodes in three zones, so that spreading can be met; a default class, as most clusters have one.
        for path, objects in json.loads((KWOK / "objects.json").read_text()).items():
            for item in objects:
                self._call("POST", path, item)
        self._run(
            "kwok",
            f"--kubeconfig={self._own_kubeconfig('kwok')}",
            f"--config={KWOK / 'stages.yaml'}",
            "--manage-all-nodes",
        )
        self._await("kwok", self._nodes_take_pods)

    def _nodes_take_pods(self) -> bool:
        nodes = json.loads(self._call("GET", "/api/v1/nodes"))["items"]
        # A node that is not ready is tainted.
        return bool(nodes) and all("taints" not in item["spec"] for item in nodes)

    def _namespaces_have_accounts(self) -> bool:
        return bool(self._call("GET", "/api/v1/namespaces/default/serviceaccounts/default"))

    def _call(self, method: str, path: str, body: object = None) -> bytes:
        """The API server's answer to an administrator; an OSError when it refuses or does not listen."""
        request = urllib.request.Request(
            self.server + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._tokens['admin']}", "Content-Type": "application/json"},
        )
        trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self._authority))
        direct = urllib.request.ProxyHandler({})  # a proxy in the environment is not for 127.0.0.1
        with urllib.request.build_opener(trusted, direct).open(request, timeout=10) as answer:
            return bytes(answer.read())

    def _run(self, name: str, *arguments: str) -> None:
        """Starts a program of the control plane."""
        self._spawn(name, [str(self.programs / name), *arguments])

    def _spawn(self, name: str, command: list[str], **options: Any) -> None:
        """Starts a program, with its log in the folder; the keeper is told at once. Options are those of Popen."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )
        self._processes[name] = process
        self._keep(process.pid)

    def _await(self, name: str, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds; an error from the API server counts as not yet."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if condition():
                    return
            if self._processes[name].poll() is not None:
                raise ControlPlaneError(
                    f"{name} ended with code {self._processes[name].returncode}\n{self._tail(name)}"
                )
            time.sleep(0.05)
        raise ControlPlaneError(f"{name} was not ready after {START_TIMEOUT:.0f} s\n{self._tail(name)}")

    def _tail(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
        return "\n".join(["the end of its log:", *lines])


@contextlib.contextmanager
def reserved_port() -> Iterator[socket.socket]:
    """A socket with a free port on 127.0.0.1, which stays this user's: bound here, and shared with the server."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder


def main(arguments: list[str] | None = None) -> int:
    """Runs a command with KUBECONFIG set to a new control plane; returns the command's exit code."""
    parser = argparse.ArgumentParser(prog="controlplane.py", description="Run a command on a throw-away control plane.")
    parser.add_argument(
        "--assets", type=Path, help="folder of the programs (default: KUBEBUILDER_ASSETS, else the tool chain)"
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    options = parser.parse_args(arguments)
    try:
        with ControlPlane(find_programs(options.assets)) as plane:
            environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
            return subprocess.run(options.command, env=environment, check=False).returncode
    except ControlPlaneError as error:
        print(f"controlplane.py: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())

"""A real Kubernetes cluster of one node for one test run: kubelet, containerd, kube-proxy and CoreDNS, gone at the end.

    with NodeCluster(find_node()) as cluster:
        subprocess.run(["helm", "list"], env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}, check=True)
        cluster.run("curl", "http://10.96.7.7")        # on the node, from where pods and Services are reached

    python ci/tools/nodecluster.py -- helm list
    python ci/tools/nodecluster.py --inside -- curl http://10.96.7.7

The control plane is that of controlplane.py. It and the node run in namespaces of their own: a network that leads
nowhere, mounts, processes and a control group. From outside only the API server is reached, on 127.0.0.1. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import cgroups
import containerd
import controlplane
import nodeimages
import nodesettings
import nodetools
from controlplane import ControlPlane, ControlPlaneError, find_programs
from nodesettings import ADDRESS, NAME, PORT
from nodetools import Node

HERE = Path(__file__).resolve().parent
NEEDED = ("bash", "ip", "mount", "nsenter", "unshare")
VOLUMES_EVERY = 0.5  # seconds between two looks at the claims
#: Has kube-proxy's rules apply between pods on one bridge. It comes with the module br_netfilter.
BRIDGE_RULES = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def find_node() -> Node:
    """The folders of this machine's node.

    Raises:
        ControlPlaneError: no node can be had on this machine; the message says why, or how to build one.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        raise ControlPlaneError("a node is run by root on Linux, and this is another user or system")
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        raise ControlPlaneError(f"{', '.join(missing)} is not on PATH; install util-linux and iproute2")
    if (node := nodetools.find()) is None:
        raise ControlPlaneError("the node has not been built; build it with `make node`")
    if not BRIDGE_RULES.exists():
        raise ControlPlaneError(
            "the kernel has not loaded br_netfilter, and without it pods reach no Service of the pods beside them; "
            "run `modprobe br_netfilter`"
        )
    spaces = ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"]
    if (done := subprocess.run(spaces, capture_output=True, text=True, check=False)).returncode:
        raise ControlPlaneError(
            f"this machine gives root no namespaces ({done.stderr.strip()}); a node is made of them"
        )
    return node


class NodeCluster(ControlPlane):
    """A running cluster, as a context manager. See ControlPlane; the node's programs log into its folder, too."""

    identities: ClassVar[dict[str, tuple[str, ...]]] = {
        **{name: who for name, who in ControlPlane.identities.items() if name != "kwok"},
        "kubelet": (f"system:node:{NAME}", "system:nodes"),
        "kube-proxy": ("system:kube-proxy",),
        "coredns": ("coredns", "system:masters"),
    }

    def __init__(self, node: Node, programs: Path | None = None) -> None:
        super().__init__(programs or find_programs())
        self.node = node
        self._ended = threading.Event()

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command on the node, as its root. Options are those of subprocess.run."""
        return subprocess.run([*self.enter(), *command], text=True, check=False, **options)

    def enter(self) -> list[str]:
        """The prefix that runs a command on the node."""
        return ["nsenter", f"--target={self._first}", "--net", "--mount", "--pid", "--uts", "--wd=/", "--"]

    def kubeconfig_inside(self) -> Path:
        """An administrator's kubeconfig for commands that run on the node."""
        return self._own_kubeconfig("admin")

    def _address(self, port: int) -> str:
        return f"https://localhost:{port}"  # a name that the server's certificate has; it has no 127.0.0.1

    def _start_storage(self) -> None:
        try:
            groups = cgroups.make(self.folder.name)
        except cgroups.CgroupError as error:
            raise ControlPlaneError(str(error)) from None
        for group in groups:
            self._keep(group)
        self._first = self._start_namespaces()
        self._keep(self._first)
        self._start_relay()
        super()._start_storage()

    def _start_namespaces(self) -> int:
        """Starts the namespaces and returns the id of their first process; all in them ends with it."""
        store = self.folder / "images"
        store.mkdir()
        mounts = containerd.shared(self.node.images, store)
        pairs = (str(path) for pair in mounts.items() for path in pair)
        spaces = ("--net", "--mount", "--pid", "--uts", "--fork", "--kill-child")
        process = subprocess.Popen(
            ["unshare", *spaces, "--", "bash", str(HERE / "node" / "machine.sh"), str(self.folder), ADDRESS, *pairs],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._processes["namespaces"] = process
        self._keep(process.pid)
        assert process.stdout is not None
        with process.stdout:
            first = process.stdout.readline().decode(errors="replace").strip()
        if not first.isdecimal():
            raise ControlPlaneError(f"the namespaces of the node were not made: {first}")
        return int(first)

    def _start_relay(self) -> None:
        """Leads the reserved port of 127.0.0.1 to the API server on the node."""
        self._reserved.listen(128)
        self._reserved.set_inheritable(True)
        number = self._reserved.fileno()
        relay = [sys.executable, "-I", "-S", str(HERE / "relay.py"), str(number), ADDRESS, str(PORT)]
        self._spawn("relay", ["nsenter", f"--target={self._first}", "--net", "--", *relay], pass_fds=(number,))

    def _server_arguments(self) -> tuple[str, ...]:
        return (
            "--bind-address=0.0.0.0",
            f"--advertise-address={ADDRESS}",
            f"--secure-port={PORT}",
            # A kubelet may read what belongs to the pods of its node.
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--kubelet-preferred-address-types=InternalIP",
        )

    def _run(self, name: str, *arguments: str) -> None:
        """Starts a program of the control plane or of the node, on the node."""
        own = self.node.programs / "bin" / name
        program = own if own.is_file() else self.programs / name
        self._spawn(name, [*self.enter(), str(program), *arguments], env=containerd.environment(self.node.programs))

    def _start_nodes(self) -> None:
        for path, items in nodesettings.objects().items():
            for item in items:
                self._call("POST", path, item)
        run = self.folder / "node"
        for folder in (run, *(run / name for name in ("cni", "kubelet", "pods", "volumes"))):
            folder.mkdir()
        (run / "cni" / "10-bridge.conflist").write_text(json.dumps(nodesettings.network(run)))
        settings = containerd.settings(self.node.programs, self.folder / "images", run, nodeimages.PAUSE)
        self._run("containerd", f"--config={settings}")
        self._await("containerd", containerd.socket(run).exists)
        (run / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        (run / "kubelet.json").write_text(json.dumps(nodesettings.kubelet(run, self.folder.name)))
        self._run(
            "kubelet",
            f"--config={run / 'kubelet.json'}",
            f"--kubeconfig={self._own_kubeconfig('kubelet')}",
            f"--root-dir={run / 'kubelet'}",
            f"--cert-dir={run / 'kubelet'}",
            f"--hostname-override={NAME}",
            f"--node-ip={ADDRESS}",
        )
        (run / "proxy.json").write_text(json.dumps(nodesettings.proxy(self._own_kubeconfig("kube-proxy"))))
        self._run("kube-proxy", f"--config={run / 'proxy.json'}")
        (run / "Corefile").write_text(nodesettings.corefile(self._own_kubeconfig("coredns")))
        self._run("coredns", "-conf", str(run / "Corefile"))
        threading.Thread(target=self._provide_volumes, args=(run / "volumes",), daemon=True).start()
        self._await("kubelet", self._nodes_take_pods)
        # The node takes pods without these two, but then no Service and no name is found. Each listens once it has what
        # it needs: kube-proxy its tables in the kernel, which some kernels refuse.
        self._await("kube-proxy", lambda: self._listens("127.0.0.1", nodesettings.PROXY_HEALTH))
        self._await("coredns", lambda: self._listens(ADDRESS, nodesettings.DNS_READY))

    def _listens(self, address: str, port: int) -> bool:
        return self.run("bash", "-c", f": </dev/tcp/{address}/{port}", capture_output=True).returncode == 0

    def _own_kubeconfig(self, name: str) -> Path:
        return self.kubeconfig_for(self._tokens[name], f"https://{ADDRESS}:{PORT}")

    def _end(self) -> None:
        self._ended.set()
        super()._end()

    def _provide_volumes(self, folder: Path) -> None:
        """Gives every claim of the default class a folder of the node, until the end."""
        while not self._ended.wait(VOLUMES_EVERY):
            with contextlib.suppress(OSError):  # a server that is stopped, or a volume that is there already
                for claim in json.loads(self._call("GET", "/api/v1/persistentvolumeclaims"))["items"]:
                    wanted = claim["spec"]
                    waits = claim["status"].get("phase") == "Pending" and not wanted.get("volumeName")
                    if waits and wanted.get("storageClassName") == nodesettings.CLASS:
                        place = folder / claim["metadata"]["uid"]
                        place.mkdir(exist_ok=True)
                        self._call("POST", "/api/v1/persistentvolumes", nodesettings.volume(claim, place))


def main(arguments: list[str] | None = None) -> int:
    """Runs a command with KUBECONFIG set to a new cluster; returns the command's exit code."""
    parser = argparse.ArgumentParser(prog="nodecluster.py", description="Run a command on a throw-away real cluster.")
    parser.add_argument("--inside", action="store_true", help="run it on the node, which reaches pods and Services")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    parser.add_argument(
        "--or-control-plane", action="store_true", help="where no node can be had, say so and use a control plane alone"
    )
    options = parser.parse_args(arguments)
    try:
        try:
            node = find_node()
        except ControlPlaneError as error:
            if not options.or_control_plane:
                raise
            print(f"nodecluster.py: {error}; a control plane alone is used", file=sys.stderr)
            return controlplane.main(["--", *options.command])
        with NodeCluster(node) as cluster:
            kubeconfig = cluster.kubeconfig_inside() if options.inside else cluster.kubeconfig
            prefix = cluster.enter() if options.inside else []
            environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
            return subprocess.run([*prefix, *options.command], env=environment, check=False).returncode
    except ControlPlaneError as error:
        print(f"nodecluster.py: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())

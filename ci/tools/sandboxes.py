"""A machine that runs containers for one test run, made of Linux namespaces: no root, no Docker, gone at the end.

    with Node() as node:
        sandbox = node.sandbox("zk-0")
        node.tell({sandbox.address: ["zk-0.zk"]})
        container = sandbox.run(Container(["bash", "/conf/start.sh"], mounts=[Mount(folder, "/conf", read_only=True)]))
        container.execute("bash", "/conf/probe.sh", "ready")
        container.stop(seconds=30)

A sandbox is what a pod is to its containers: an address, a localhost and a host name. A container has processes of its
own, of which the command is the first, so that all end with it; one user without capabilities; and a root filesystem
that can't be written, with this machine's programs and libraries and what is mounted. So a command finds what it finds
in a cluster, except for the image and the limits of CPU and memory. The sandboxes' network leads nowhere else.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from keeping import keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

HERE = Path(__file__).resolve().parent / "sandboxes"
NEEDED = ("bash", "ip", "mount", "nsenter", "timeout", "unshare")
NETWORK = "192.0.2"  # from the range for documentation (RFC 5737), which is nobody's
START_TIMEOUT = 20.0  # seconds for a container's first process to be there; it takes milliseconds
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc")


class NodeError(RuntimeError):
    """No node can be had on this machine, or a container was not started."""


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine, and where a container finds it."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Container:
    """A container: its command, and the user that runs it.

    Attributes:
        environment: all of it; nothing is inherited.
        mounts: a later one may lie inside an earlier one.
        folder: where the command starts.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    folder: str = "/"
    user: int = 1000
    group: int = 1000


class Node:
    """A running node, as a context manager.

    Attributes:
        folder: its temporary folder, with a folder for each sandbox.
    """

    folder: Path

    def __enter__(self) -> Self:
        if missing := [name for name in NEEDED if not shutil.which(name)]:
            lacks = f"this machine lacks {', '.join(missing)}"
            raise NodeError(f"{lacks}, with which containers are run; install util-linux, iproute2 and coreutils")
        with contextlib.ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="sidelane-"))
            self.processes: list[subprocess.Popen[Any]] = []
            self.sandboxes: list[Sandbox] = []
            stack.callback(self._end)
            self._keep = stack.enter_context(keep(self.folder))
            self._first = self._start()
            self._keep(self._first)
            self.users = self.folder / "passwd"
            self.users.write_text("user:x:1000:1000::/tmp:/bin/sh\n")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tell(self, names: Mapping[str, Iterable[str]]) -> None:
        """Has every container, also one that runs, find these addresses by their names, and no others."""
        lines = ["127.0.0.1 localhost", *(f"{address} {' '.join(its_names)}" for address, its_names in names.items())]
        for sandbox in self.sandboxes:
            # In place: it is mounted. Its own name is known to a sandbox alone.
            sandbox.hosts.write_text("\n".join([*lines, f"{sandbox.address} {sandbox.name}"]) + "\n")

    def sandbox(self, name: str) -> Sandbox:
        """A new sandbox; its name must be new to the node. What was told before must be told again."""
        number = len(self.sandboxes) + 2  # 1 is the node's
        done = self.run("bash", str(HERE / "sandbox.sh"), name, str(number), NETWORK)
        if done.returncode:
            raise NodeError(f"the network of {name} was not made\n{done.stderr}")
        (self.folder / name).mkdir()
        self.sandboxes.append(Sandbox(self, name, f"{NETWORK}.{number}"))
        self.tell({})
        return self.sandboxes[-1]

    def run(self, *command: str, seconds: float = 10, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command on the node, from where every sandbox is reached. Options are those of subprocess.run."""
        return subprocess.run(
            [*self.enter(), *bounded(command, seconds)], capture_output=True, text=True, check=False, **options
        )

    def enter(self) -> list[str]:
        """The words that go before a command so that it runs on the node."""
        spaces = ("--user", "--preserve-credentials", "--mount", "--net", "--pid")
        return ["nsenter", f"--target={self._first}", *spaces, "--"]

    def _start(self) -> int:
        """Starts the namespaces and returns the id of their first process; all in them ends with it."""
        spaces = ("--user", "--map-root-user", "--mount", "--net", "--pid")
        process = subprocess.Popen(
            ["unshare", *spaces, "--fork", "--kill-child", "--", "bash", str(HERE / "machine.sh"), NETWORK],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        self._keep(process.pid)
        assert process.stdout is not None
        with process.stdout:
            first = process.stdout.readline()
        if not first.strip().isdecimal():
            raise NodeError(
                f"this machine gives its users no namespaces ({first.strip()}), and containers are made of these; "
                "run as root, or allow user namespaces (sysctl user.max_user_namespaces)"
            )
        return int(first)

    def _end(self) -> None:
        for process in self.processes:
            process.kill()  # for the case that the keeper itself was killed
            process.wait()


def bounded(command: Sequence[str], seconds: float) -> list[str]:
    return ["timeout", "--signal=KILL", str(seconds), *command]


class Sandbox:
    """A network and a host name, which outlive a container.

    Attributes:
        folder: on this machine, for what is mounted.
    """

    def __init__(self, node: Node, name: str, address: str) -> None:
        self.node = node
        self.name = name
        self.address = address
        self.folder = node.folder / name
        self.hosts = self.folder / "hosts"

    def run(self, container: Container) -> Running:
        """Starts a container."""
        return Running(self, container)

    def new_folder(self, prefix: str) -> Path:
        """A new folder on this machine that only its user reads; for whatever is mounted."""
        return Path(tempfile.mkdtemp(dir=self.folder, prefix=prefix))


class Running:
    """A container that was started.

    Attributes:
        log: the file that holds what it wrote to standard output and standard error.
    """

    def __init__(self, sandbox: Sandbox, container: Container) -> None:
        self.sandbox = sandbox
        self.container = container
        place = sandbox.new_folder("container-")
        self.log = place / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command(place), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        sandbox.node.processes.append(self.process)
        self._first = self._await(place / "first")

    @property
    def code(self) -> int | None:
        """The exit code of the command, not 0 when a signal ended it; None while it runs."""
        return self.process.poll()

    @property
    def output(self) -> str:
        """The container's log so far."""
        return self.log.read_text(errors="replace")

    def execute(self, *command: str, seconds: float = 10) -> subprocess.CompletedProcess[str]:
        """Runs one more command in the container, as `kubectl exec` and probes do; killed when time is up."""
        enter = ["nsenter", f"--target={self._first}", *NAMESPACES, "--net", "--user", "--preserve-credentials"]
        inside = bounded(self._with_environment(command), seconds)
        return self.sandbox.node.run(*enter, "--root", "--wd", "--", *inside, seconds=seconds + 5)

    def signal(self, name: str) -> None:
        """Sends a signal to the first process, as the container's runtime does: from outside."""
        self.sandbox.node.run("kill", f"-{name}", str(self._first))

    def stop(self, seconds: float) -> float:
        """Ends the container: SIGTERM, and SIGKILL when the time is up. Returns the seconds that it took."""
        began = time.monotonic()
        self.signal("TERM")
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def kill(self) -> None:
        """Ends the container at once."""
        self.signal("KILL")
        self.process.wait()

    def _command(self, place: Path) -> list[str]:
        root = place / "root"
        root.mkdir()
        node, container = self.sandbox.node, self.container
        mounts = [
            Mount(self.sandbox.hosts, "/etc/hosts", True),
            Mount(node.users, "/etc/passwd", True),
            *container.mounts,
        ]
        return [
            *node.enter(),
            *("nsenter", f"--net=/run/netns/{self.sandbox.name}", "--"),
            *("unshare", *NAMESPACES, "--fork", "--"),
            *("bash", str(HERE / "container.sh"), str(place / "first"), str(root), self.sandbox.name),
            *(str(container.user), str(container.group), container.folder),
            *(part for m in mounts for part in ("ro" if m.read_only else "rw", str(m.source), m.target)),
            *("--", *self._with_environment(container.command)),
        ]

    def _with_environment(self, command: Sequence[str]) -> list[str]:
        return ["env", "-i", *(f"{name}={value}" for name, value in self.container.environment.items()), *command]

    def _await(self, file: Path) -> int:
        """The id of the first process, as the node counts."""
        deadline = time.monotonic() + START_TIMEOUT
        while not file.exists() or not (first := file.read_text()):
            if self.code is not None or time.monotonic() > deadline:
                raise NodeError(f"the container of {self.sandbox.name} was not started\n{self.output}")
            time.sleep(0.005)
        return int(first)

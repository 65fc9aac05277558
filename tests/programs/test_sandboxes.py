"""The node proves itself: what its containers find and may do, and that nothing of it stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sandboxes as module
from sandboxes import Container, Mount, Node, NodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxes import Running, Sandbox

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
PYTHON = str(Path(sys.executable).resolve())
SLEEP = ["sleep", "1000"]


@pytest.fixture(scope="module")
def sandboxes(node: Node) -> tuple[Sandbox, Sandbox]:
    made = node.sandbox("one"), node.sandbox("two")
    node.tell({made[1].address: ["two.streams"]})
    return made


@pytest.fixture
def run(sandboxes: tuple[Sandbox, Sandbox]) -> Iterator[Callable[..., Running]]:
    """Runs a shell's words in the first sandbox."""
    started = []

    def run(words: str, **options: object) -> Running:
        started.append(sandboxes[0].run(Container(["bash", "-c", words], **{"environment": PATH, **options})))
        return started[-1]

    yield run
    for running in started:
        running.kill()


def until_it_says(running: Running, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in running.output:
        assert running.code is None, running.output
        assert time.monotonic() < deadline, running.output
        time.sleep(0.02)


def said(running: Running) -> str:
    assert running.process.wait(30) == 0, running.output
    return running.output.strip()


def test_a_container_has_its_environment_and_no_more(run: Callable[..., Running]) -> None:
    running = run("env", environment={**PATH, "A": "b  c", "SIDELANE_LANE": "2-coco-1"})
    environment = dict(line.split("=", 1) for line in said(running).splitlines())
    assert {name: environment[name] for name in ("A", "SIDELANE_LANE")} == {"A": "b  c", "SIDELANE_LANE": "2-coco-1"}
    assert set(environment) <= {*PATH, "A", "SIDELANE_LANE", "PWD", "SHLVL", "_"}


def test_it_is_one_user_without_capabilities(run: Callable[..., Running]) -> None:
    assert said(run("id -u; id -g; grep CapEff /proc/self/status")).split() == ["1000", "1000", "CapEff:", "0" * 16]
    assert said(run("id -u", user=2000, group=2000)) == "2000"


def test_only_what_is_mounted_can_be_written(run: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    mounts = [Mount(tmp_path, "/etc/read", read_only=True), Mount(tmp_path, "/write")]
    places = "/x /tmp/x /usr/x /etc/x /etc/read/x /proc/sys/kernel/hostname /write/x"
    running = run(
        f"for place in {places}; do (echo >$place) 2>/dev/null && echo $place; done; cat /etc/read/file", mounts=mounts
    )
    assert said(running).split() == ["/write/x", "content"]


def test_nothing_of_this_machine_is_there_but_its_programs(run: Callable[..., Running]) -> None:
    ours = {"bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "tmp", "usr"}
    assert set(said(run("ls /")).split()) <= ours


def test_a_sandbox_has_a_name_and_knows_what_was_told(
    run: Callable[..., Running], sandboxes: tuple[Sandbox, Sandbox]
) -> None:
    one, two = sandboxes
    printed = said(run("echo $HOSTNAME; getent hosts one two.streams; getent hosts two || echo unknown"))
    assert printed.split() == ["one", one.address, "one", two.address, "two.streams", "unknown"]


def test_sandboxes_reach_each_other_and_nothing_else(
    run: Callable[..., Running], sandboxes: tuple[Sandbox, Sandbox]
) -> None:
    listen = "import socket; server = socket.create_server(('', 7000)); print('up', flush=True); server.accept()"
    python = Mount(Path(sys.base_prefix), sys.base_prefix, read_only=True)
    server = sandboxes[1].run(Container([PYTHON, "-c", listen], PATH, mounts=[python]))
    until_it_says(server, "up")
    assert said(run("exec 3<>/dev/tcp/two.streams/7000 && echo reached")) == "reached"
    assert "Connection refused" in said(run("! exec 3<>/dev/tcp/localhost/7000"))
    assert "Network is unreachable" in said(run("! exec 3<>/dev/tcp/198.51.100.1/80"))


def test_one_more_command_runs_in_the_container_for_a_time(run: Callable[..., Running]) -> None:
    running = run("sleep 1000", environment={**PATH, "A": "b"})
    done = running.execute("bash", "-c", "echo $A $HOSTNAME; id -u; ps -e -o args")
    assert done.stdout.splitlines()[:4] == ["b one", "1000", "COMMAND", "sleep 1000"]
    assert running.execute("false").returncode == 1
    assert running.execute(*SLEEP, seconds=0.3).returncode != 0


def test_all_end_with_the_first_process(run: Callable[..., Running]) -> None:
    running = run("sleep 1000 & trap 'exit 3' TERM; echo ready; wait")
    until_it_says(running, "ready")
    assert running.stop(seconds=20) < 10
    assert running.code == 3


def test_what_does_not_hear_sigterm_is_killed_when_the_time_is_up(run: Callable[..., Running]) -> None:
    running = run("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    until_it_says(running, "ready")
    assert 0.5 < running.stop(seconds=0.5) < 10
    assert running.code != 0


def test_nothing_stays_when_the_owner_is_killed() -> None:
    script = (
        "from sandboxes import Container, Node\n"
        "with Node() as node:\n"
        f"    node.sandbox('pod').run(Container({SLEEP}, {PATH}))\n"
        "    print(node.folder, flush=True)\n"
        "    input()\n"
    )
    command = [sys.executable, "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=Path(module.__file__).parent, **pipes) as owner:
        folder = Path(owner.stdout.readline().strip())
        assert processes_of(folder)
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while folder.exists() or processes_of(folder):
        assert time.monotonic() < deadline, processes_of(folder)
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """The command lines of this machine's processes that name the folder."""
    collected = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_text().replace("\0", " ")
        except OSError:
            continue  # it has ended
        if str(folder) in words:
            collected.append(words)
    return collected


def test_a_machine_that_lacks_a_program_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEEDED", ("bash", "no-such-program"))
    with pytest.raises(NodeError, match="lacks no-such-program, with which containers are run; install"), Node():
        pass


def test_a_container_that_can_not_start_says_why(sandboxes: tuple[Sandbox, Sandbox], tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"was not started\n.*special device .* does not exist"):
        sandboxes[0].run(Container(SLEEP, PATH, mounts=[Mount(tmp_path / "absent", "/absent")]))

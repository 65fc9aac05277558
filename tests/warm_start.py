"""Runs `sidelane` and scripts of ci/ in forks of a process that has Sidelane's modules: without Python's start.

Each process of a test run has one such helper, which has one thread and runs nothing but forks. A fork is a process of
its own: with its own streams, folder, environment, exit code and end. It differs from the installed program in three
ways. All modules of Sidelane are imported, so a missing import at a place of use does not show; the seed of hashes is
the helper's; and its command line in /proc is the helper's. The installed program is started by `begin` and
`on_a_terminal` (command_line.py), by bash where a text needs it (typed.py), and in helm/test_cli.py, test_wheel.py and
the plugins' tests.

Python reads the variables of LOCALE at its start, so a command with one of its own takes the installed program.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: How the names of variables begin that Python reads at its start.
LOCALE = ("PYTHON", "LC_", "LANG")

_one_at_a_time = threading.Lock()


def run(
    command: list[str], *, text: bytes | None, folder: Path, environment: Mapping[str, str], timeout: float | None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command line to its end, as `subprocess.run` with `capture_output` does.

    Its first word is `sidelane`, or the path of a script in Python.

    Raises:
        subprocess.TimeoutExpired: the command took longer, and was killed.
    """
    request = json.dumps([command, str(folder), dict(environment)]).encode()
    mine, theirs = socket.socketpair()
    (stdin, given), (printed, stdout), (said, stderr) = os.pipe(), os.pipe(), os.pipe()
    with mine, ThreadPoolExecutor(3) as streams:
        with theirs, _one_at_a_time:
            _send(_helper(), [theirs.fileno(), stdin, stdout, stderr])
        for end in (stdin, stdout, stderr):
            os.close(end)
        writing = streams.submit(_write, given, text or b"")
        reading = [streams.submit(_read, end) for end in (printed, said)]
        mine.sendall(request)
        mine.shutdown(socket.SHUT_WR)
        answers = mine.makefile()
        process = int(answers.readline())
        mine.settimeout(timeout)
        try:
            status = int(answers.readline())
        except TimeoutError as error:
            os.kill(process, 9)
            raise subprocess.TimeoutExpired(command, timeout or 0) from error
        writing.result()
        output, errors = (each.result() for each in reading)
    return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status), output, errors)


def _send(control: socket.socket, descriptors: list[int]) -> None:
    control.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def _write(end: int, text: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(end, "wb") as stream:
        stream.write(text)


def _read(end: int) -> bytes:
    with os.fdopen(end, "rb") as stream:
        return stream.read()


@functools.cache
def _helper() -> socket.socket:
    """Starts this process's helper, which ends when this end of its socket is closed: at the latest with the process.

    Returns the socket that takes commands.
    """
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        # Without this folder on its path. Its own outputs are no terminal, as a command's are not.
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        mine.close()
        process.wait()

    atexit.register(end)
    return mine


def _serve(control: socket.socket) -> None:
    """Forks for each command, and tells how each ended. Returns in each fork, to run the command, and never else."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    _, descriptors, _, _ = socket.recv_fds(control, 1, 4)
                    if not descriptors:
                        raise SystemExit
                    caller = socket.socket(fileno=descriptors[0])
                    request = json.loads(caller.makefile().read())
                    if (process := os.fork()) == 0:
                        return _become(descriptors[1:], *request)
                    for stream in descriptors[1:]:
                        os.close(stream)
                    caller.sendall(f"{process}\n".encode())
                    selector.register(os.pidfd_open(process), selectors.EVENT_READ, (process, caller))
                else:
                    process, caller = key.data
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    with caller, contextlib.suppress(OSError):  # who asked may be gone
                        caller.sendall(f"{os.waitpid(process, 0)[1]}\n".encode())


def _become(streams: list[int], command: list[str], folder: str, environment: dict[str, str]) -> None:
    """Gives this process what a command has of its own."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = command


def _import_all() -> None:
    import jsonschema_rs  # noqa: F401, PLC0415
    import sidelane.cli  # noqa: PLC0415 - the helper's alone

    for module in pkgutil.walk_packages(sidelane.__path__, "sidelane."):
        if "pytest_plugin" not in module.name and "._" not in module.name:
            importlib.import_module(module.name)


if __name__ == "__main__":
    from sidelane.cli import main

    _import_all()
    gc.freeze()  # no fork goes through the modules when it collects garbage
    with socket.socket(fileno=int(sys.argv[1])) as commands:
        _serve(commands)
    if sys.argv[0].endswith(".py"):
        sys.path.insert(0, os.path.dirname(sys.argv[0]))  # noqa: PTH120 - as Python does
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        main()

"""Callers that never stop calling, and what became of their requests.

    with Calls(node.enter(), address) as calls:
        calls.asked()             # what became of the requests so far
        change()
        calls.asked().failed      # of those that were begun since

The callers are a process of their own, this file, wherever the command before it leads: on the node or in a container.
They ask one address and port, each with the next request when the one before was answered and a short pause is over.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST = 1800.0  # seconds that callers call, whoever has forgotten them
TIMEOUT = 10.0  # seconds for one request, its connection included
PAUSE = 0.02  # seconds between two requests of a caller: the processors are needed for what is tried


class Asked(NamedTuple):
    """Requests of a stretch of time.

    Attributes:
        made: how many.
        failed: what was wrong with those that got no answer, or none of status 200.
        versions: how many each version answered.
        connections: how many were opened.
    """

    made: int
    failed: list[str]
    versions: dict[str, int]
    connections: int


class Calls:
    """Running callers, as a context manager.

    Arguments:
        place: what stands before a command to have it run where the callers are to be.
        keep_alive: keep a connection for as long as the other side does; else each request has its own.
    """

    def __init__(self, place: Sequence[str], host: str, *, callers: int = 2, keep_alive: bool = False) -> None:
        source = Path(__file__).read_text()
        self._command = [*place, "python3", "-c", source, host, str(callers), str(int(keep_alive))]
        self.all: list[Asked] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # they stop
        try:
            self._process.wait(TIMEOUT * 2)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def asked(self, least: int = 20) -> Asked:
        """The outcome of the requests that were begun since the last call of this, as soon as so many have ended.

        Or fewer, when that takes longer than one request may.
        """
        self._process.stdin.write(f"{least}\n")
        self._process.stdin.flush()
        self.all.append(Asked(**json.loads(self._process.stdout.readline())))
        return self.all[-1]

    @property
    def made(self) -> int:
        """The number of requests that have been accounted for."""
        return sum(asked.made for asked in self.all)


class Stretch:
    """Requests that were begun between two questions."""

    def __init__(self) -> None:
        self.running = self.made = self.connections = 0
        self.failed: list[str] = []
        self.versions: Counter[str] = Counter()


class Callers:
    def __init__(self, host: str, *, keep_alive: bool) -> None:
        self._host, self._keep_alive = host, keep_alive
        self._until = time.monotonic() + LONGEST
        self._changed = threading.Condition()
        self._stretch = Stretch()
        self._ended = False

    def call(self) -> None:
        connection = None
        while not self._ended and time.monotonic() < self._until:
            with self._counted() as stretch:
                began = time.monotonic()
                if connection is None or connection.sock is None:
                    connection = http.client.HTTPConnection(self._host, 80, timeout=TIMEOUT)
                    stretch.connections += 1
                try:
                    connection.request("GET", "/", headers={} if self._keep_alive else {"Connection": "close"})
                    answer = connection.getresponse()
                    text = answer.read().decode()
                    if answer.status == 200:
                        stretch.versions[text.split()[0]] += 1
                    else:
                        stretch.failed.append(f"status {answer.status}: {text}")
                except (OSError, http.client.HTTPException) as error:
                    doing = "connecting" if connection.sock is None else f"asking from {connection.sock.getsockname()}"
                    stretch.failed.append(f"{error!r} {time.monotonic() - began:.1f} s after it began {doing}")
                    connection.close()
            if not self._keep_alive:
                connection.close()
            time.sleep(PAUSE)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[Stretch]:
        with self._changed:
            stretch = self._stretch
            stretch.running += 1
        yield stretch
        with self._changed:
            stretch.running -= 1
            stretch.made += 1
            self._changed.notify_all()

    def asked(self, least: int) -> dict[str, Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._stretch.made >= least, TIMEOUT)
            closed, self._stretch = self._stretch, Stretch()
            self._changed.wait_for(lambda: not closed.running)
        return Asked(closed.made, closed.failed[:20], dict(closed.versions), closed.connections)._asdict()

    def end(self) -> None:
        self._ended = True


def main(host: str, callers: str, keep_alive: str) -> None:
    calling = Callers(host, keep_alive=keep_alive == "1")
    threads = [threading.Thread(target=calling.call, daemon=True) for _ in range(int(callers))]
    for thread in threads:
        thread.start()
    for least in sys.stdin:
        print(json.dumps(calling.asked(int(least))), flush=True)  # noqa: T201 - a program of its own
    calling.end()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Work on two processors: Python's threads share one, and a new process would import everything again.

A command without threads forks itself for pure work on data that it has. Only Linux forks safely. Elsewhere, on one
processor and beside threads, the process does all the work itself, with the same results.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final, Generic, NoReturn, TypeVar

T = TypeVar("T")

#: The most functions of a Division: the number of each is a byte in a pipe.
MOST: Final = 256
#: The bytes of the length of all results, before these.
_SIZE: Final = 8


class Division(Generic[T]):
    """Functions that a forked process and this one run: each takes the next when it is free.

    The forked process begins at once. The results must be picklable.
    """

    def __init__(self, work: Sequence[Callable[[], T]]) -> None:
        self._work = work
        self._forked = _Forked(work) if 1 < len(work) <= MOST and _is_possible() else None

    def results(self) -> list[T]:
        """Run the first function and all that the other process has not taken. Return every result, in order.

        A function that the other process could not finish, for whatever reason, runs here, where it may raise.
        """
        done: dict[int, T] = {}
        if self._forked is not None:
            try:
                done = {number: self._work[number]() for number in chain((0,), self._forked.taken())}
            finally:
                others = self._forked.results()
            done |= others
        return [done[number] if number in done else each() for number, each in enumerate(self._work)]


class _Forked(Generic[T]):
    """The other process. It takes functions from 1 on; a byte in a pipe is given to one reader only."""

    def __init__(self, work: Sequence[Callable[[], T]]) -> None:
        self._waiting, numbers = os.pipe()
        os.write(numbers, bytes(range(1, len(work))))
        os.close(numbers)
        self._read, write = os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(self._read)
            self._run(work, write)
        os.close(write)

    def taken(self) -> Iterator[int]:
        """Yield the numbers of the functions that this process takes, until none is left."""
        while number := os.read(self._waiting, 1):
            yield number[0]

    def results(self) -> dict[int, T]:
        """Wait for the end of the other process. Return its results by number; empty if it failed."""
        os.close(self._waiting)
        with os.fdopen(self._read, "rb") as file:
            size, written = int.from_bytes(file.read(_SIZE)), file.read()
        is_whole = len(written) == size > 0
        pickled: dict[int, bytes] = pickle.loads(written) if is_whole else {}  # noqa: S301 - written by this program
        done = {number: pickle.loads(result) for number, result in pickled.items()}  # noqa: S301
        os.waitpid(self._process, 0)  # freeing its memory takes as long as the reading of its results
        return done

    def _run(self, work: Sequence[Callable[[], T]], write: int) -> NoReturn:
        try:
            # Each result is pickled at once: at the end, this process would wait for all of them.
            done = {number: pickle.dumps(work[number](), pickle.HIGHEST_PROTOCOL) for number in self.taken()}
            written = pickle.dumps(done, pickle.HIGHEST_PROTOCOL)
            with os.fdopen(write, "wb") as file:
                file.write(len(written).to_bytes(_SIZE) + written)
        finally:
            os._exit(0)  # neither a traceback nor what this process would do at its own end


def _is_possible() -> bool:
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1

"""Leashes: on Linux the kernel stops a program when this process ends, in any way.

The other way, prctl(PR_SET_PDEATHSIG) in the new process, needs code between fork and exec. Python then copies the
whole process instead of using vfork(2), which takes about 40 times as long, for each Helm. A leash is tied a moment
after the start. If this process is killed before that, a Helm that reads values finds no complete document and ends,
and a Helm that only reads the cluster ends by itself; process.py starts the others in the other way.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

#: fcntl(2): the signal to send for a file descriptor. Python's module has no name for it.
_F_SETSIG: Final = 10


class Leash:
    """A pipe whose writing end only this process and its forks hold. The program inherits the reading end.

    When the kernel closes the last writing end, a reading end with O_ASYNC sends a signal to its owner (fcntl(2)).
    """

    def __init__(self) -> None:
        self._ends = os.pipe() if sys.platform == "linux" else ()
        #: The file descriptors that the program inherits.
        self.inherited = self._ends[:1]

    def tie(self, group: int) -> None:
        """Make a process group the owner."""
        with suppress(ProcessLookupError):  # it has ended already
            for end in self.inherited:
                fcntl.fcntl(end, _F_SETSIG, signal.SIGTERM)
                fcntl.fcntl(end, fcntl.F_SETOWN, -group)
                fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC)

    def release(self) -> None:
        """Close the pipe without a signal."""
        for end in self.inherited:
            fcntl.fcntl(end, fcntl.F_SETFL, 0)
        for end in self._ends:
            os.close(end)


@contextmanager
def leash() -> Iterator[Leash]:
    """Make a leash that is released when the block ends."""
    made = Leash()
    try:
        yield made
    finally:
        made.release()

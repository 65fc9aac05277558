"""Processes that are killed with all that they have started, as when a machine goes."""

import contextlib
import os
import signal
from pathlib import Path


def descendants(process):
    """The ids of a process and of all that it has started, and these."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    reached, waiting = [], [process]
    while waiting:
        reached.append(waiting.pop())
        waiting += parents.get(reached[-1], [])
    return reached


def kill(processes):
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

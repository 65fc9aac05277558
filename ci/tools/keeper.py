"""Ends processes when their owner ends, whatever way the owner ends.

Run by keeping.py as a program of its own. On standard input it reads the process ids of the processes, one a
line, and with a minus before it the id of one that has ended; a path is of a control group. The end of the input is the
end of the owner: the kernel closes the pipe even of a process that SIGKILL took. Then the programs are killed, and the
folder and the groups are removed. A clean exit takes this same way, so it is tried every day.

    python keeper.py FOLDER < pipe
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for the isolated mode that it is run in

import cgroups


def keep(folder: Path) -> None:
    """Waits for the owner's end, then leaves neither process nor folder."""
    programs: set[int] = set()
    groups: list[Path] = []
    for line in sys.stdin:
        if line.startswith("/"):
            groups.append(Path(line.strip()))
            continue
        process = int(line)
        programs.add(process) if process > 0 else programs.discard(-process)
    for program in programs:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)
    # A program that is being killed may still write a file into a folder just emptied, and is still in its group.
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        if cgroups.remove(groups) and not folder.exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))

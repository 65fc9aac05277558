"""Processes and a folder that end with their owner, whatever way the owner ends: the owner's side of keeper.py."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEEPER = Path(__file__).resolve().with_name("keeper.py")


@contextlib.contextmanager
def keep(folder: Path) -> Iterator[Callable[[int | Path], None]]:
    """Kills processes, and removes the folder, at the end of the block. Yields a function that takes their ids.

    It also takes the negative id of a process that has ended already, and the folder of a control group to remove.

    The end of the owner, even by SIGKILL, is the end of the block.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # else whoever reads the owner's output waits for the keeper too
        start_new_session=True,  # Ctrl-C is for the owner; the keeper follows
    )
    assert keeper.stdin is not None
    pipe = keeper.stdin.fileno()

    def keep(what: int | Path) -> None:
        os.write(pipe, f"{what}\n".encode())

    try:
        yield keep
    finally:
        keeper.stdin.close()
        keeper.wait()

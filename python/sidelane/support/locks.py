"""Locks on files, which the kernel takes back when the process that holds them is gone."""

from __future__ import annotations

import asyncio
import fcntl
import time


def lock(descriptor: int, *, shared: bool = False) -> None:
    """Locks an open file (flock(2)). Raises BlockingIOError."""
    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


async def lock_within(descriptor: int, seconds: float) -> None:
    """Locks an open file, and waits so long for a process that holds it. Raises BlockingIOError."""
    until = time.monotonic() + seconds
    while True:
        try:
            return lock(descriptor)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.02)

"""File locks. The kernel releases them when the process that holds them ends."""

from __future__ import annotations

import asyncio
import fcntl
import time


def lock(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file (flock(2)). Raises BlockingIOError if another process holds the lock."""
    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


async def lock_within(descriptor: int, seconds: float) -> None:
    """Lock an open file; wait up to ``seconds`` for another holder. Raises BlockingIOError after that."""
    until = time.monotonic() + seconds
    while True:
        try:
            return lock(descriptor)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.02)

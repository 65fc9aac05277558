"""A program that runs no longer than whoever runs it: no shell, and no orphan when a call is cancelled or killed."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

#: How long a program that was told to stop may take to do so, in seconds.
GRACE = 10.0


@asynccontextmanager
async def begun(
    executable: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    takes_input: bool,
    keeps: Sequence[int] = (),
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that runs for as long as the block does: one that is left before its end is ended.

    keeps: file descriptors that stay open in it, by their numbers. Raises OSError when it can't be run.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE if takes_input else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=keeps,
            preexec_fn=_dies_with(os.getpid()),
            process_group=0,  # a script is ended with what it runs
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:  # it may be running already, and then it is ours to end
        # asyncio waits for ever for a process whose start is cancelled half-way (python/cpython#119710).
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await stop(starting.result())
        raise
    try:
        yield process
    finally:
        if process.returncode is None:
            await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ends a program: asked first, so that Helm marks its release as failed, and then made to."""
    _tell(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE):
            await process.communicate()  # also of one that is gone: asyncio may not have been told yet
    except (TimeoutError, asyncio.CancelledError):
        _tell(process, signal.SIGKILL)
        await process.communicate()  # asyncio sees the end of a process when its pipes are read to their ends


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _dies_with(parent: int) -> Any:
    """What a new process does first: on Linux it asks to be told when its parent is gone (prctl(2))."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask

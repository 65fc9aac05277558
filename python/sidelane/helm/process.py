"""Processes that end with their caller: no shell, and no orphan after a cancelled or killed call."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sidelane.helm.leash import leash

#: The seconds that a program has to stop after SIGTERM, before SIGKILL.
GRACE = 10.0


@asynccontextmanager
async def begun(
    executable: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    opening: bytes = b"",
    keeps: Sequence[int] = (),
    tied: bool = False,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program that runs no longer than the block: if it still runs at the block's end, it is stopped.

    opening: the beginning of its input, which the program also finds when this process is killed; none means no input.
    keeps: numbers of file descriptors that it inherits. tied: the program ends with this process from its first
    instruction on, and takes longer to start; otherwise it does so a moment later. Raises OSError if it can't be run.
    """
    with leash() as held:
        reading, stdin = await _input(opening)
        try:
            keeps = [*keeps, *held.inherited]
            process = await _started(executable, arguments, environment, stdin=reading, keeps=keeps, tied=tied)
        except BaseException:
            _close(stdin)
            raise
        finally:
            if opening:
                os.close(reading)
        process.stdin = stdin
        try:
            held.tie(process.pid)
            yield process
        finally:
            _close(stdin)
            if process.returncode is None:
                await stop(process)


async def _input(opening: bytes) -> tuple[int, asyncio.StreamWriter | None]:
    """Return what a program reads from, and the writer of the rest of its input. The opening is in the pipe already."""
    if not opening:
        return asyncio.subprocess.DEVNULL, None
    reading, writing = os.pipe()
    os.write(writing, opening)
    loop = asyncio.get_running_loop()
    file = os.fdopen(writing, "wb", 0)
    try:
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, file)
    except BaseException:
        os.close(reading)
        raise
    return reading, asyncio.StreamWriter(transport, protocol, None, loop)


def _close(stdin: asyncio.StreamWriter | None) -> None:
    if stdin is not None:
        stdin.close()


async def _started(
    executable: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int,
    keeps: Sequence[int],
    tied: bool,
) -> asyncio.subprocess.Process:
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            executable,
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=keeps,
            preexec_fn=_dies_with(os.getpid()) if tied else None,
            process_group=0,  # so that a script is stopped together with its children
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # the process may be running already and must then be stopped
        # asyncio waits forever for a process whose start is cancelled midway (python/cpython#119710).
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await stop(starting.result())
        raise


async def stop(process: asyncio.subprocess.Process) -> None:
    """Stop a program: first with SIGTERM, so that Helm marks its release as failed, and then with SIGKILL."""
    _tell(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE):
            await process.communicate()  # even if it has ended: asyncio may not know it yet
    except (TimeoutError, asyncio.CancelledError):
        _tell(process, signal.SIGKILL)
        await process.communicate()  # asyncio notices the end only after it has read the pipes to their ends


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _dies_with(parent: int) -> Any:
    """Return the first action of a new process: on Linux, request SIGTERM for when its parent ends (prctl(2))."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - few programs are tied

    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask

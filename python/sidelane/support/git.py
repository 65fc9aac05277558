"""Git, as a process: the repository of a folder, and the answer of a command."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import NamedTuple


class Answer(NamedTuple):
    """What git wrote, and its exit code."""

    code: int
    output: bytes
    errors: str


def top(folder: Path) -> Path | None:
    """Return the working tree that contains a folder, None if there is none."""
    try:
        folder = folder.resolve()
    except OSError:  # the working folder of this process is gone
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


async def run(tree: Path, *arguments: str) -> Answer:
    """Run git in a working tree. It asks nobody for a password, and takes no locks. Raises OSError without git."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    process = await asyncio.create_subprocess_exec(
        "git",
        "-C",
        str(tree),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Answer(process.returncode or 0, stdout, stderr.decode(errors="replace"))

"""Leases: which process holds a release.

A release that Helm creates or changes is *pending*, and stays so when its processes are killed. Two labels of the
release show whether a process still holds it:

- ``sidelane.dev/holder``: a token. On the holder's machine there is a file of that name, locked (flock(2)) by the
  holder and by each Helm that it runs. The kernel releases the lock when the last of them ends, in any way.
- ``sidelane.dev/deadline``: the second (Unix time) at which the holder has stopped its own Helm. Other machines, which
  have no such file, consider the release abandoned only then.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sidelane.naming.labels import DEADLINE, HOLDER
from sidelane.support.locks import lock

#: The most seconds between the clocks of two machines.
CLOCKS_APART = 120
#: The age in seconds at which the file of a dead holder is useless, because its deadline is long over.
FORGOTTEN = 30 * 24 * 3600.0


class Holder:
    """The lease of this process. ``token`` names it; ``lock`` is the file descriptor that its Helms share.

    leaves_work: True after a failure, because this process may leave a pending release when it exits normally: then its
    file stays, and shows others that the holder is gone.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(8)
        self.leaves_work = False
        self.lock: int | None = None
        self._path = _folder() / self.token
        with contextlib.suppress(OSError):  # the file cannot be created: other processes wait for the deadline
            self.lock = self._locked()
            atexit.register(self._leave, os.getpid())

    def _locked(self) -> int:
        # The file gets its name only when it is locked: it is never visible without its lock while this process lives.
        descriptor, unnamed = tempfile.mkstemp(dir=_made_folder(), prefix=".")
        lock(descriptor)
        Path(unnamed).rename(self._path)
        return descriptor

    def _leave(self, pid: int) -> None:
        if os.getpid() == pid and not self.leaves_work:  # and not a fork of it
            self._path.unlink(missing_ok=True)

    def labels(self, seconds: float) -> dict[str, str]:
        """Returns the labels for a release that this process holds for at most so many seconds."""
        return {HOLDER: self.token, DEADLINE: str(int(time.time() + seconds) + CLOCKS_APART)}


@functools.cache
def holder() -> Holder:
    """Returns this process's lease; the first call creates its file."""
    return Holder()


def dead_holders() -> tuple[str, ...]:
    """Returns the tokens of this machine's dead holders, whose Helms have also ended."""
    try:
        return tuple(path.name for path in sorted(_made_folder().iterdir()) if _is_dead(path))
    except OSError:
        return ()


def may_work(token: str, until: float) -> bool:
    """Tells whether another process with this lease may still work. until: its deadline (Unix time), which counts for
    processes of other machines.
    """
    if token == holder().token:
        return False
    try:
        path = _made_folder() / token
    except OSError:
        return time.time() < until
    return not _is_dead(path) if path.exists() else time.time() < until


def _is_dead(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    try:
        with path.open("rb") as file:
            lock(file.fileno(), shared=True)
        if path.stat().st_mtime < time.time() - FORGOTTEN:
            path.unlink()
            return False
        return True
    except OSError:  # it is held, or its holder exited normally just now
        return False


@contextlib.contextmanager
def taking_over(release: str) -> Iterator[None]:
    """Locks, on this machine, the recovery of a dead holder's release. Raises BlockingIOError."""
    with (_made_folder() / f".taking-over-{release}").open("ab") as file:
        lock(file.fileno())
        yield


def _folder() -> Path:
    """Returns a folder of this user on this machine: several machines may share a home."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime, "sidelane") if runtime else Path(tempfile.gettempdir(), f"sidelane-{os.getuid()}")


def _made_folder() -> Path:
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is accessible to other users")
    return folder

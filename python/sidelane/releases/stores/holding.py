"""Who works on a release: known to every process of this machine, for as long as the worker and its Helm live.

A release that Helm is making or changing is *pending*, and stays so when its processes are killed. Whether somebody
still works on it is told by two labels that Sidelane gives to the release:

- ``sidelane.dev/holder``: a token. On the worker's machine there is a file of that name, locked (flock(2)) by the
  worker and by each Helm that it runs. The kernel takes the lock back when the last of them is gone, however it went.
- ``sidelane.dev/deadline``: the second (Unix time) after which the worker has ended its own Helm. Other machines,
  which have no such file, take the release for abandoned only then.
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

#: How far the clocks of two machines may be apart, in seconds.
CLOCKS_APART = 120
#: After how long the file of a dead worker is of no more use, in seconds: its deadline is long over.
FORGOTTEN = 30 * 24 * 3600.0


class Holder:
    """This process as a worker. ``token`` names it; ``lock`` is the file descriptor that its Helms share.

    leaves_work: whether something failed, so that a release may be left pending when this process ends in good order:
    then its file stays, and tells others that the worker is gone.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(8)
        self.leaves_work = False
        self.lock: int | None = None
        self._path = _folder() / self.token
        with contextlib.suppress(OSError):  # no place for the file: other processes wait for the deadline
            self.lock = self._locked()
            atexit.register(self._leave, os.getpid())

    def _locked(self) -> int:
        # It gets its name only when it is locked: nobody sees it without its lock while this process lives.
        descriptor, unnamed = tempfile.mkstemp(dir=_made_folder(), prefix=".")
        lock(descriptor)
        Path(unnamed).rename(self._path)
        return descriptor

    def _leave(self, pid: int) -> None:
        if os.getpid() == pid and not self.leaves_work:  # and not a fork of it
            self._path.unlink(missing_ok=True)

    def labels(self, seconds: float) -> dict[str, str]:
        """What a release is labelled with that this process works on for at most so many seconds."""
        return {HOLDER: self.token, DEADLINE: str(int(time.time() + seconds) + CLOCKS_APART)}


@functools.cache
def holder() -> Holder:
    """This process; the first call makes its file."""
    return Holder()


def dead_holders() -> tuple[str, ...]:
    """The tokens of this machine's workers that are gone, with every Helm that they ran."""
    try:
        return tuple(path.name for path in sorted(_made_folder().iterdir()) if _is_dead(path))
    except OSError:
        return ()


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
    except OSError:  # it is held, or its worker ended in good order just now
        return False


@contextlib.contextmanager
def taking_over(release: str) -> Iterator[None]:
    """Alone on this machine in taking over what a dead worker left of a release. Raises BlockingIOError."""
    with (_made_folder() / f".taking-over-{release}").open("ab") as file:
        lock(file.fileno())
        yield


def _folder() -> Path:
    """A folder of this user on this machine alone: a home may be shared by several."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime, "sidelane") if runtime else Path(tempfile.gettempdir(), f"sidelane-{os.getuid()}")


def _made_folder() -> Path:
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is not this user's alone")
    return folder

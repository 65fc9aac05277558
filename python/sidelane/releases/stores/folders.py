"""The folders of a directory's releases: each is complete or does not exist.

A release is written to a folder whose name begins with a dot, and moved into place. Writers hold a lock on the root;
readers need none.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from sidelane.errors import TargetBusy
from sidelane.releases.stores import files
from sidelane.support.locks import lock_within

#: The longest wait for another writer, in seconds: a write takes milliseconds.
LOCK_PATIENCE = 10.0


class Folders:
    """The folders of one namespace's releases, under a root directory that the first write creates."""

    def __init__(self, root: Path, namespace: str) -> None:
        self._root = root
        self.path = root / namespace

    def of(self, release: str) -> Path:
        """Returns the folder of a release."""
        return self.path / release

    def exists(self, release: str) -> bool:
        """Tells whether a release exists, also if it is only half moved. Takes no lock, which would create the folder.
        Raises Refused for a folder that is not a release's.
        """
        files.require_plain(self.of(release))
        return self.of(release).exists() or self._old(release).exists()

    def create(self, release: str, texts: Mapping[str, str]) -> None:
        """Creates a release's folder with these files. The caller holds the lock."""
        self._stage(release, texts)
        self._new(release).rename(self.of(release))
        _sync(self.path)

    def replace(self, release: str, texts: Mapping[str, str]) -> None:
        """Replaces a release's folder with one of these files. The caller holds the lock."""
        self._stage(release, texts)
        place, new, old = self.of(release), self._new(release), self._old(release)
        if _exchanged(new, place):
            shutil.rmtree(new)  # the old release
        else:
            # Between these two moves the release is missing; _recover finishes them if this process dies.
            place.rename(old)
            new.rename(place)
            shutil.rmtree(old)
        _sync(self.path)

    def remove(self, release: str) -> None:
        """Removes a release's folder. The caller holds the lock."""
        self.of(release).rename(self._old(release))
        _sync(self.path)
        shutil.rmtree(self._old(release))

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Locks the root until the block ends; the kernel releases the lock of a dead process. Raises TargetBusy."""
        files.require_folder(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        with files.locked(self._root / ".lock") as lock:
            try:
                await lock_within(lock, LOCK_PATIENCE)
            except BlockingIOError:
                raise TargetBusy(
                    f"another process is writing in {str(self._root)!r}", remedy="try again when it has ended"
                ) from None
            self._recover()
            yield

    def _new(self, release: str) -> Path:
        return self.path / f".new-{release}"

    def _old(self, release: str) -> Path:
        return self.path / f".old-{release}"

    def _stage(self, release: str, texts: Mapping[str, str]) -> None:
        """Writes the release to a separate folder, complete and on disk before it is moved into place."""
        folder = self._new(release)
        folder.mkdir(parents=True)
        try:
            for name, text in texts.items():
                with (folder / name).open("x", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
            _sync(folder)
        except BaseException:  # for example a full disk: remove the partial files
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _recover(self) -> None:
        """Completes the work of a dead writer: a staged release is moved into its prepared place, or removed."""
        for old in self.path.glob(".old-*"):
            release = old.name.removeprefix(".old-")
            place, new = self.of(release), self._new(release)
            if not os.path.lexists(place) and new.is_dir() and not new.is_symlink():
                new.rename(place)
            _remove(old)
        for new in self.path.glob(".new-*"):
            _remove(new)


def _remove(path: Path) -> None:
    """Removes a file or folder that a dead writer or another program left here."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _exchanged(path: Path, other: Path) -> bool:
    """Exchanges the names of two folders in one step, if the system can (renameat2(2), RENAME_EXCHANGE)."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    at_cwd, exchange = -100, 2
    return renameat2 is not None and renameat2(at_cwd, os.fsencode(path), at_cwd, os.fsencode(other), exchange) == 0


def _sync(folder: Path) -> None:
    """Writes the names in a folder to disk, so that they survive a power cut (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Bounded reads of files, atomic writes, and archives whose bytes depend on their content only."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path


def bounded(path: str | Path, limit: int) -> bytes:
    """Read an untrusted file, at most ``limit`` + 1 bytes. The caller refuses content that is longer than the limit.

    Raises OSError, and ValueError for an invalid path.
    """
    with Path(path).open("rb") as file:
        return file.read(limit + 1)


def packed(files: Mapping[str, bytes], *, mtime: int = 0) -> bytes:
    """Return a reproducible .tar.gz of these files, in their order: its bytes hold no time, host or user.

    mtime: the time of every file, in Unix seconds.
    """
    import gzip  # noqa: PLC0415 - few commands pack anything
    import tarfile  # noqa: PLC0415

    archive = io.BytesIO()
    # GzipFile writes the same header in every Python version; gzip.compress leaves parts of it to zlib.
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", filename="", mtime=mtime) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)  # mode 0644, no owner
            member.size, member.mtime = len(content), mtime
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def replace(path: str | Path, content: bytes) -> None:
    """Write a file so that no reader ever sees half of it. Links stay, and so does an existing file's mode.

    A path of something else than a file, such as a pipe or /dev/stdout, is written to. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    if str(path).startswith("/dev/") or (target.exists() and not target.is_file()):
        Path(path).write_bytes(content)
        return
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with aside.open("xb") as file:
            file.write(content)
        if target.exists():
            aside.chmod(stat.S_IMODE(target.stat().st_mode))
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise

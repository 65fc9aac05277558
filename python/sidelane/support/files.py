"""Bounded reads of files, and archives whose bytes depend on their content only."""

from __future__ import annotations

import io
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

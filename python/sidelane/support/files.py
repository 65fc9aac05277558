"""Files: read within limits, and packed so that the same content gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path


def bounded(path: str | Path, limit: int) -> bytes:
    """Reads at most one byte more than the limit of a file that somebody else may have written: whoever takes it in
    refuses what is longer. Raises OSError, and ValueError for what is not a path.
    """
    with Path(path).open("rb") as file:
        return file.read(limit + 1)


def packed(files: Mapping[str, bytes], *, mtime: int = 0) -> bytes:
    """Returns a .tar.gz of these files in their order. Its bytes don't say when, where or by whom it was made.

    mtime: the time of every file, in Unix seconds.
    """
    import gzip  # noqa: PLC0415 - few commands pack anything
    import tarfile  # noqa: PLC0415

    archive = io.BytesIO()
    # GzipFile writes its header itself and alike in every Python; gzip.compress leaves parts of it to zlib.
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", filename="", mtime=mtime) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)  # mode 0644, of nobody
            member.size, member.mtime = len(content), mtime
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()

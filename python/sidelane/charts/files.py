"""The files of a chart, in a folder or a package, and each values.yaml of it and its subcharts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sidelane.errors import ChartNotFound

if TYPE_CHECKING:
    import tarfile

#: Helm's own limits on the unpacked size of a packaged chart, in bytes.
ARCHIVE_LIMIT: Final = 100 * 1024 * 1024
FILE_LIMIT: Final = 5 * 1024 * 1024

#: The name of a values file. It is a string, because few calls need it: `re` compiles it on its first use.
VALUES_FILE: Final = r"(charts/[^/]+/)*values\.yaml"


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a chart, with its name relative to the chart's folder. Links are followed, as in Helm."""
    if path.is_dir():
        for folder, folders, names in os.walk(path, followlinks=True):
            folders.sort()
            for name in names:
                file = Path(folder, name)
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    import tarfile  # noqa: PLC0415 - a folder, the usual case, does not need it

    try:
        with tarfile.open(path, "r:gz") as archive:
            yield from _members(archive, path)
    except (tarfile.TarError, OSError, EOFError):
        raise ChartNotFound(f"{str(path)!r} is not a packaged chart", remedy="give a .tgz that Helm packaged") from None


def _members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for member in archive:
        total += member.size
        if member.size > FILE_LIMIT or total > ARCHIVE_LIMIT:
            raise ChartNotFound(
                f"{str(path)!r} unpacks to more than Helm's limits", remedy="remove large files from the chart"
            )
        content = archive.extractfile(member) if member.isfile() else None
        if content is not None:
            yield member.name.partition("/")[2], content.read()


def file(path: Path, name: str) -> bytes | None:
    """Return one file of a chart, or None. A package is read only as far as needed."""
    if path.is_file():
        return next((content for member, content in files(path) if member == name), None)
    try:
        return (path / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def values_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each values.yaml of a chart and its subcharts, by the chart's place: "", "charts/zookeeper/", …"""
    if path.is_file():
        contents = {name: content for name, content in files(path) if re.fullmatch(VALUES_FILE, name)}
        yield from ((name.removesuffix("values.yaml"), contents[name]) for name in sorted(contents))
        return
    yield "", file(path, "values.yaml") or b""
    for chart in sorted(path.glob("charts/*/Chart.yaml")):
        for place, content in values_files(chart.parent):
            yield f"charts/{chart.parent.name}/{place}", content

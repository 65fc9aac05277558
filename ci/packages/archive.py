"""A chart as one .tgz whose bytes follow from its content alone.

Helm chooses what goes in (.helmignore, dependencies) and writes Chart.yaml, but it dates every file with the moment of
packing. So its package is read and written again: files by name, each dated DATE, owned by nobody in particular.
Then the same content is the same digest under Helm 3 and Helm 4, in any clone, and in every release that does not
change the chart. Only another zlib may pack the same files into other bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import semver
from sidelane import kubeyaml
from sidelane.charts.chart import Chart
from sidelane.errors import HelmError, Refused
from sidelane.support.files import packed

#: What files are dated that have no date of their own, in seconds: the first day of 1980, the oldest that zip can hold.
DATE = 315532800


@dataclass(frozen=True)
class Package:
    """A packaged chart: its name and version, and its files by their paths inside the chart's folder."""

    name: str
    version: str
    files: Mapping[str, bytes]

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}.tgz"

    @property
    def digest(self) -> str:
        """The SHA-256 of the .tgz, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The .tgz."""
        # Chart.yaml first, as Helm has it, for whoever reads a package no further.
        order = sorted(self.files, key=lambda path: (path != "Chart.yaml", path))
        return packed({f"{self.name}/{path}": self.files[path] for path in order}, mtime=DATE)


def package(folder: Path, helm: str) -> Package:
    """Packs the chart in a folder.

    Raises HelmError with Helm's words, and Refused for a link that leads nowhere or a version that can't be compared.
    """
    with tempfile.TemporaryDirectory() as work:
        # Without links Helm has nothing to say of them, and what it does say is an error.
        try:
            shutil.copytree(folder, staged := Path(work, "staged"))
        except shutil.Error as error:
            broken = ", ".join(source for source, _, _ in error.args[0])
            raise Refused(f"{broken} can't be read", remedy="fix the link, or remove it") from None
        command = [helm, "package", str(staged), "--destination", work]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise HelmError(f"Helm does not package {folder}: {done.stderr.strip()}", remedy="fix the chart")
        (made,) = Path(work).glob("*.tgz")
        chart = Chart.load(made)
        if not semver.Version.is_valid(chart.version):  # Helm takes 1.2 and v1.2.3 as well
            raise Refused(f"the version of {folder} is {chart.version!r}", remedy="write three numbers, such as 1.2.0")
        return Package(chart.name, chart.version, dict(_files(made)))


def _files(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        return [
            (member.name.partition("/")[2], content.read())
            for member in archive
            if (content := archive.extractfile(member)) is not None
        ]


def check_dependencies(folder: Path) -> None:
    """Holds the charts inside a chart to what its Chart.yaml declares, which Helm does not. Raises Refused.

    Helm takes whatever lies in charts/, of any version, and also what is not declared: the .tgz, for one, that
    `helm dependency build` leaves beside a link.
    """
    metadata = cast("dict[str, Any]", kubeyaml.read((folder / "Chart.yaml").read_text(), source=f"{folder}/Chart.yaml"))
    declared = {each["name"]: str(each["version"]) for each in metadata.get("dependencies") or []}
    for path in sorted((folder / "charts").glob("*")):
        chart = Chart.load(path) if path.is_dir() else None
        if chart is None or chart.name not in declared:
            raise Refused(
                f"{path} is not one of the charts that {folder}/Chart.yaml declares",
                remedy="remove it, or declare it and link to its folder",
            )
        if chart.version != declared[chart.name]:
            raise Refused(
                f"{folder}/Chart.yaml declares {chart.name} {declared[chart.name]}, and {path} is {chart.version}",
                remedy=f"declare {chart.version} there",
            )

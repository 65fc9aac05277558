"""A topology for tests, as the jar that `storm jar` takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "programs" / "topology"


def compiled(programs: Path, folder: Path, java: Path) -> Path:
    """Compiles the topology against what workers have. programs: ZooKeeper and Storm. java: the folder of a JDK."""
    compiler = [java / "bin" / "javac", "-Werror", "--release", "17", "-d", folder / "classes"]
    subprocess.run([*compiler, "-cp", f"{programs}/storm/lib-worker/*", *SOURCES.glob("*.java")], check=True)
    subprocess.run([java / "bin" / "jar", "cf", folder / "topology.jar", "-C", folder / "classes", "."], check=True)
    return folder / "topology.jar"

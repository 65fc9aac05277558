"""The pinned Java programs that tests/programs runs: brought once by Maven, then found in the user's cache.

The folder java beside this file has the pins, and says where in a program's folder each jar and script goes:

    python ci/tools/javatools.py          bring what is missing, print the folder of the programs
    python ci/tools/javatools.py --find   print the folder; exit 1 when it is not there

    zookeeper/bin  zookeeper/lib                as in its distribution
    storm/lib      storm/lib-worker             as in its distribution; Maven Central has no launcher and no UI

Needs Maven on PATH to bring them, with whatever settings the machine has for it, and nothing but Python to find them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import toolchain

PINS = Path(__file__).resolve().parent / "java"
LAYOUT = ("zookeeper/bin/zkServer.sh", "zookeeper/lib", "storm/lib", "storm/lib-worker")


def folder() -> Path:
    """The folder of this checkout's programs, whether or not they are there."""
    return toolchain.cache() / f"java-{toolchain.key(Path(__file__).resolve(), *PINS.rglob('pom.xml'))}"


def find() -> Path | None:
    """The folder of the programs when they are there, else None."""
    there = folder()
    return there if all((there / name).exists() for name in LAYOUT) else None


def build() -> Path:
    """Brings what is missing and returns the folder. A second builder waits for the first."""
    if there := find():
        return there
    if not shutil.which("mvn"):
        raise SystemExit(
            "ZooKeeper and Storm are brought by Maven, and no mvn is on PATH; install it, then `make tools`"
        )
    return toolchain.made_once(folder(), find, bring)


def bring(output: Path) -> None:
    print("bringing ZooKeeper and Storm", file=sys.stderr, flush=True)
    command = ["mvn", "--batch-mode", "--quiet", "--no-transfer-progress", "package", f"-Dprograms={output}"]
    # Maven's own words go to standard error, as what is printed here is the folder.
    subprocess.run(command, cwd=PINS, check=True, stdout=sys.stderr)
    shutil.rmtree(output / "target")


if __name__ == "__main__":
    built = find() if "--find" in sys.argv[1:] else build()
    if built is None:
        raise SystemExit("ZooKeeper and Storm are not there; `make tools` brings them")
    print(built)

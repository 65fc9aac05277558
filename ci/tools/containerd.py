"""containerd for a node (nodecluster.py): its settings, and a store of images that is unpacked once and then shared.

Every node has a store of its own for what it makes. What is in the images is mounted into it from the shared one and
never written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

START_TIMEOUT = 60.0  # seconds for containerd to listen; it takes less than one
SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs"
CONTENT = "io.containerd.content.v1.content"
METADATA = "io.containerd.metadata.v1.bolt"
# Plugins that ask for devices, file systems or collectors that are not here, and would only say so.
UNUSED = (
    *(f"snapshotter.v1.{name}" for name in ("blockfile", "btrfs", "devmapper", "erofs", "zfs")),
    *("internal.v1.tracing", "nri.v1.nri", "tracing.processor.v1.otlp"),
)


def settings(programs: Path, root: Path, run: Path, pause: str) -> Path:
    """Writes containerd's settings into ``run``, its folder for sockets and networks. Returns their file."""
    unused = ", ".join(f'"io.containerd.{name}"' for name in UNUSED)
    file = run / "containerd.toml"
    file.write_text(f"""
version = 3
root = "{root}"
state = "{run}/containerd"
disabled_plugins = [{unused}]
[grpc]
  address = "{socket(run)}"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{pause}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true  # lowering it takes a capability that root does not have everywhere
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["{programs}/bin/cni"]
  conf_dir = "{run}/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = "{programs}/bin/runc"
""")
    return file


def socket(run: Path) -> Path:
    return run / "containerd.sock"


def environment(programs: Path) -> dict[str, str]:
    """The environment of the node's programs: these find one another and their libraries."""
    return {
        **os.environ,
        "PATH": f"{programs}/bin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(programs / "lib"),
        "NO_PROXY": "*",  # they talk to one another alone
    }


def unpack(programs: Path, archive: Path, store: Path, pause: str) -> None:
    """Makes the shared store of an archive of images. It runs a containerd in namespaces of its own for that."""
    with tempfile.TemporaryDirectory() as place, running(programs, store, Path(place), pause) as ctr:
        subprocess.run([*ctr, "images", "import", archive], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(store / CONTENT / "ingest", ignore_errors=True)


@contextlib.contextmanager
def running(programs: Path, root: Path, run: Path, pause: str) -> Iterator[list[str]]:
    """A containerd, alone with its mounts. Gives the command of its client."""
    (run / "cni").mkdir()
    command = [str(programs / "bin" / "containerd"), "--config", str(settings(programs, root, run, pause))]
    ctr = [str(programs / "bin" / "ctr"), "--address", str(socket(run)), "--namespace", "k8s.io"]
    with (run / "containerd.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(programs),
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"containerd did not start\n{(run / 'containerd.log').read_text()[-4000:]}")
            time.sleep(0.1)
        yield ctr
    finally:
        # Its databases are whole after each call, and nothing else is open.
        process.kill()
        process.wait()


def shared(store: Path, root: Path) -> Mapping[Path, Path]:
    """Prepares a node's store. Returns what the node mounts into it: the places by what lies there."""
    for part in (METADATA, SNAPSHOTS):
        (root / part).mkdir(parents=True)
        for database in (store / part).glob("*.db"):
            shutil.copy(database, root / part)
    mounts = {store / CONTENT / "blobs": root / CONTENT / "blobs"}
    for snapshot in (store / SNAPSHOTS / "snapshots").iterdir():
        mounts[snapshot] = root / SNAPSHOTS / "snapshots" / snapshot.name
    for place in mounts.values():
        place.mkdir(parents=True)
    return mounts

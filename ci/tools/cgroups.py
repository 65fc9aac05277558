"""Control groups of a node: a group of its own in every hierarchy of the machine, version 1 or 2."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
#: The controllers that a kubelet needs.
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
#: Under version 2 the kubelet also refuses a group without one of these, if the kernel has it.
WHERE_PRESENT = ("hugetlb",)


class CgroupError(RuntimeError):
    """The machine gives no control groups."""


def make(name: str) -> list[Path]:
    """Makes the group and returns its folders. Raises CgroupError."""
    try:
        return _unified(name) if (ROOT / "cgroup.controllers").exists() else _each(name)
    except OSError as error:
        remove([ROOT / name, *ROOT.glob(f"*/{name}")])  # of several hierarchies some may have taken it
        if error.errno == errno.EBUSY:  # as in a container, whose root is a group with processes
            raise CgroupError(
                f"{ROOT} has processes of its own, so it gives its groups no controllers; "
                "run on the host, or in a container with the host's cgroup namespace (docker run --cgroupns=host)"
            ) from None
        raise CgroupError(
            f"this machine gives no control groups ({error}), and a kubelet needs its own; "
            "run as root where /sys/fs/cgroup can be written"
        ) from None


def _unified(name: str) -> list[Path]:
    group = ROOT / name
    present = set((ROOT / "cgroup.controllers").read_text().split())
    missing = set(CONTROLLERS) - present
    if missing:
        raise CgroupError(f"control groups of this machine lack {', '.join(sorted(missing))}, which a kubelet needs")
    # The kernel has a controller in the groups of a group that hands it on. The root goes on with that after the end:
    # others may have come to need it.
    used = (*CONTROLLERS, *(name for name in WHERE_PRESENT if name in present))
    wanted = " ".join(f"+{controller}" for controller in used)
    (ROOT / "cgroup.subtree_control").write_text(wanted)
    group.mkdir()
    (group / "cgroup.subtree_control").write_text(wanted)
    return [group]


def _each(name: str) -> list[Path]:
    made = []
    for hierarchy in ROOT.iterdir():
        # Some are links to others that hold two controllers.
        if hierarchy.is_symlink() or not (hierarchy / "cgroup.procs").exists():
            continue
        group = hierarchy / name
        group.mkdir()
        made.append(group)
        if hierarchy.name.startswith("cpuset"):
            for setting in ("cpuset.cpus", "cpuset.mems"):  # a new group has none, and takes no process
                (group / setting).write_text((hierarchy / setting).read_text())
    if not made:
        raise CgroupError(f"no control groups are mounted at {ROOT}, and a kubelet needs them")
    return made


def remove(groups: list[Path]) -> bool:
    """Removes groups with all groups in them. Returns whether all are gone: one that still has a process stays."""
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
    return not any(group.exists() for group in groups)

"""Control groups of a node, in folders that look like a machine's hierarchies."""

import errno
import os
from pathlib import Path

import cgroups
import pytest


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def test_of_a_group_that_one_hierarchy_refuses_nothing_stays(root):
    for name in ("cpu", "memory", "cpuset"):
        (root / name).mkdir()
        (root / name / "cgroup.procs").touch()
    with pytest.raises(cgroups.CgroupError, match=r"gives no control groups .*cpuset\.cpus"):
        cgroups.make("node")  # the cpuset's settings are not there
    assert not [*root.glob("*/node")]


def test_a_unified_hierarchy_without_a_controller_is_refused(root):
    (root / "cgroup.controllers").write_text("cpu cpuset pids\n")
    with pytest.raises(cgroups.CgroupError, match="lack memory, which a kubelet needs"):
        cgroups.make("node")
    assert not (root / "node").exists()


@pytest.fixture
def unified(root, monkeypatch):
    """A root of version 2 with the given controllers. Its groups come with their files, as the kernel's do."""

    def make(controllers):
        (root / "cgroup.controllers").write_text(controllers)
        (root / "cgroup.subtree_control").touch()
        mkdir = Path.mkdir

        def with_files(folder):
            mkdir(folder)
            (folder / "cgroup.subtree_control").touch()

        monkeypatch.setattr(Path, "mkdir", with_files)
        return root

    return make


@pytest.mark.parametrize(
    ("present", "handed_on"),
    [
        # A kubelet refuses a group that lacks hugetlb where the machine's root has it, as Debian's and Ubuntu's have.
        ("cpuset cpu io memory hugetlb pids rdma misc\n", "+cpu +cpuset +memory +pids +hugetlb"),
        ("cpuset cpu memory pids\n", "+cpu +cpuset +memory +pids"),
    ],
)
def test_a_group_of_version_2_has_every_controller_that_a_kubelet_looks_for(unified, present, handed_on):
    root = unified(present)
    assert cgroups.make("node") == [root / "node"]
    for folder in (root, root / "node"):  # the kernel takes no controller that it does not have
        assert (folder / "cgroup.subtree_control").read_text() == handed_on


def test_a_root_with_processes_is_refused_with_what_to_do(unified, monkeypatch):
    root = unified("cpuset cpu memory pids\n")

    def refuse(_file, _text):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))  # a failed write names no file

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(cgroups.CgroupError, match=r"has processes of its own.*--cgroupns=host"):
        cgroups.make("node")
    assert not (root / "node").exists()

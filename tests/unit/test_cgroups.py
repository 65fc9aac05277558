"""Control groups of a node, in folders that look like a machine's hierarchies."""

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

"""Leases of a release, and the traces of a worker that has ended."""

import os
import subprocess
import sys

import pytest
from sidelane.releases.stores import holding

WORKER = "from sidelane.releases.stores.holding import holder; print(holder().token); holder().leaves_work = {leaves}"


@pytest.mark.parametrize("leaves", [True, False])
def test_a_worker_that_leaves_work_is_known_to_be_gone(tmp_path, monkeypatch, leaves):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    command = [sys.executable, "-c", WORKER.format(leaves=leaves)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert (done.stdout.strip() in holding.dead_holders()) is leaves


@pytest.mark.parametrize("others", [0o070, 0o007])
def test_a_folder_that_others_may_enter_is_not_used(tmp_path, monkeypatch, others):
    """Any other user who could write there could claim that a living worker is gone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "sidelane").mkdir(mode=0o700)
    (tmp_path / "sidelane" / "1f").write_text("")
    assert holding.dead_holders() == ("1f",)
    (tmp_path / "sidelane").chmod(0o700 | others)
    assert holding.dead_holders() == ()
    with pytest.raises(PermissionError, match="is accessible to other users"), holding.taking_over("zookeeper-coco-1"):
        pass


def test_the_folder_is_made_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with holding.taking_over("zookeeper-coco-1"):
        assert (tmp_path / "sidelane").stat().st_mode & 0o777 == 0o700

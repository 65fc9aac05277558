"""Who works on a release: what a worker leaves behind when it ends."""

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

"""The pytest plugin costs nothing in a run that does not use it."""

from __future__ import annotations

import subprocess
import sys


def test_a_run_that_does_not_use_it_imports_one_module(tmp_path):
    (tmp_path / "test_nothing.py").write_text("import sys\n\n\ndef test_nothing():\n    print(*sys.modules)\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:helm-charts", "-s", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    imported = {word for word in done.stdout.split() if word.startswith("sidelane")}
    assert imported == {"sidelane", "sidelane.version", "sidelane.pytest_plugin"}

"""Commands in forks of a warm process, held against the installed program."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import warm_start
from command_line import CommandLine
from killing import descendants

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Über}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text", "variables"),
    [
        (("--version",), 0, None, {}),
        (("--help",), 0, None, {"COLUMNS": "60"}),
        (("no-such-command",), 2, None, {}),
        (("check", "-"), 1, OBJECT, {}),
        (("check", "-"), 1, OBJECT, {"NO_COLOR": "1"}),
        (("check", "object.yaml", "-o", "json"), 1, None, {}),
        (("check", "-"), 1, OBJECT * 5000, {}),  # more than a pipe holds
    ],
)
def test_a_fork_does_what_the_installed_program_does(tmp_path, arguments, code, text, variables):
    (tmp_path / "object.yaml").write_text(OBJECT)
    lines = (CommandLine(tmp_path, warm=warm)(*arguments, code=code, text=text, **variables) for warm in (True, False))
    warm, installed = ((done.stdout, done.stderr) for done in lines)
    assert warm == installed


SCRIPT = """\
import atexit, sys, threading, time
atexit.register(print, "the end")
threading.Thread(target=lambda: time.sleep(0.2) or print("a thread")).start()
print("the script", __name__, sys.argv[1:])
sys.exit("a text")
"""


def test_a_script_ends_as_python_ends_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [str(script), "an argument"]
    warm = warm_start.run(command, text=None, folder=tmp_path, environment=os.environ, timeout=60)
    cold = subprocess.run([sys.executable, *command], capture_output=True, check=False)
    assert warm.stdout.splitlines()[1:] == [b"a thread", b"the end"]
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_each_command_has_its_own_environment_and_several_run_at_once(tmp_path):
    with ThreadPoolExecutor(8) as several:
        commands = [
            several.submit(CommandLine(tmp_path), "--help", COLUMNS=str(width)) for width in (60, 80, 60, 80, 60, 80)
        ]
        texts = [command.result().stdout for command in commands]
    assert texts[::2] == [texts[0]] * 3
    assert texts[1::2] == [texts[1]] * 3
    assert texts[0] != texts[1]


def test_a_command_that_takes_too_long_is_killed(tmp_path):
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\nexec sleep 600\n")
    helm.chmod(0o755)
    with pytest.raises(subprocess.TimeoutExpired):
        CommandLine(tmp_path, helm)("check", "zookeeper", "--lane", "coco-1", timeout=1)
    assert CommandLine(tmp_path)("--version").stdout.startswith("sidelane ")


def runs(process):
    """Return True unless the process has ended; one that nobody has waited for has no command line any more."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def test_the_helper_ends_with_its_process(tmp_path):
    script = (
        "import os, sys, time, pathlib, warm_start\n"
        f"warm_start.run(['sidelane', '--version'], text=None, folder=pathlib.Path({str(tmp_path)!r}), "
        "environment=dict(os.environ), timeout=60)\n"
        "print('ready', flush=True)\ntime.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(warm_start.__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout.readline() == b"ready\n"
        (helper,) = set(descendants(owner.pid)) - {owner.pid}
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while runs(helper):
        assert time.monotonic() < deadline
        time.sleep(0.05)

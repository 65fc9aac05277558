"""The door to Helm: what reaches the process, what ends it, and what its words become. Helm itself is a stand-in here
where the test is about the process; tests/cluster has the real one."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sidelane.errors import ClusterDenied, ClusterUnreachable, HelmError, HelmNotFound, HelmTooOld, NotReady
from sidelane.helm import executable, process
from sidelane.helm.client import Helm
from sidelane.helm.failures import explain

pytestmark = pytest.mark.both_helms

TOKEN = "s3cret-t0ken"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def stand_in(tmp_path):
    """Makes a helm that answers `version`, and for all else runs Python code."""

    def make(code="print('{}')", version="v3.18.0"):
        path = tmp_path / "helm"
        path.write_text(
            f"#!{sys.executable} -S\nimport json, os, sys, time\n"
            f"open({str(tmp_path / 'calls')!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
            f"if sys.argv[1] == 'version':\n    print({version!r})\n    sys.exit()\n{code}\n"
        )
        path.chmod(0o755)
        return path

    make.calls = lambda: [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    return make


async def install(helm, values=None):
    async with helm.installing("x", "chart") as create:
        return await create(values or {})


def gone(pid):
    """Return True if a process has ended; one that nobody waited for yet has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_a_token_reaches_helm_and_no_argument_list_log_or_error(stand_in, caplog):
    caplog.set_level(logging.DEBUG)
    helm = Helm(
        executable=stand_in(
            "print('Error: no entry for ' + os.environ['HELM_KUBETOKEN'], file=sys.stderr); sys.exit(1)"
        ),
        kube_token=TOKEN,
    )
    with pytest.raises(HelmError) as failed:
        asyncio.run(helm.status("x"))
    assert "no entry for (hidden)" in str(failed.value)
    assert TOKEN not in caplog.text + str(failed.value) + json.dumps(stand_in.calls())


def test_values_reach_helm_on_standard_input(stand_in):
    helm = Helm(executable=stand_in("print(json.dumps({'config': json.load(sys.stdin)}))"))
    answer = asyncio.run(install(helm, {"password": "s3cret"}))
    assert answer == {"config": {"password": "s3cret"}}
    assert "s3cret" not in json.dumps(stand_in.calls())


def test_nothing_is_read_by_a_shell(stand_in, tmp_path):
    helm = Helm(executable=stand_in())
    asyncio.run(helm.status(f"$(touch {tmp_path}/made) `id`; x"))
    assert stand_in.calls()[-1][1] == f"$(touch {tmp_path}/made) `id`; x"
    assert not (tmp_path / "made").exists()


def test_install_creates_and_never_upgrades(stand_in):
    helm = Helm(executable=stand_in())
    asyncio.run(install(helm))
    call = stand_in.calls()[-1]
    assert call[0] == "install"
    assert not {"--create-namespace", "--force", "--replace", "--take-ownership"} & set(call)


def test_helm_reads_no_schemas_to_render_with_the_objects_of_the_cluster(stand_in):
    """They take most of its time, and the API server validates the objects."""
    helm = Helm(executable=stand_in())
    for asking in ("nothing", "install", "upgrade"):
        asyncio.run(helm.template_text("x", "chart", {}, asking=asking))
    calls = [call for call in stand_in.calls() if call[0] == "template"]
    assert ["--dry-run=server" in call for call in calls] == [False, True, True]
    assert ["--disable-openapi-validation" in call for call in calls] == [False, True, True]


def test_an_install_that_gets_no_values_installs_nothing_and_is_gone(stand_in, tmp_path, monkeypatch):
    """A helm that has begun reads its values before it does anything, and what it reads is no document."""
    monkeypatch.setattr("sidelane.helm.process.GRACE", 0.5)
    wrote = tmp_path / "installed"
    reads = (
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        f"json.load(sys.stdin)\nopen({str(wrote)!r}, 'w')"
    )
    helm = Helm(executable=stand_in(reads))

    async def changed_its_mind():
        async with helm.installing("x", "chart"):
            while not ((tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
                await asyncio.sleep(0.02)

    asyncio.run(changed_its_mind())
    assert gone((tmp_path / "pid").read_text())
    assert not wrote.exists()


def test_the_version_of_a_program_is_kept_until_it_changes(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    assert executable.known_version(str(program)) is None
    assert str(executable.accept(str(program), "v3.18.0\n")) == "3.18.0"
    assert str(executable.known_version(str(program))) == "3.18.0"
    later = program.stat().st_mtime_ns + 1
    os.utime(program, ns=(later, later))  # as a package manager does that replaces it
    assert executable.known_version(str(program)) is None


def test_a_script_is_asked_by_each_client_for_it_may_run_another_helm_tomorrow(stand_in):
    program = stand_in()
    helm = Helm(executable=program)
    for _ in range(2):
        asyncio.run(helm.status("x"))
    assert [call[0] for call in stand_in.calls()] == ["version", "status", "status"]
    asyncio.run(Helm(executable=program).status("x"))
    assert [call[0] for call in stand_in.calls()][3:] == ["version", "status"]


def test_a_version_cache_that_is_damaged_or_closed_is_no_matter(stand_in, tmp_path):
    (tmp_path / "cache" / "sidelane").mkdir(parents=True)
    (tmp_path / "cache" / "sidelane" / "helm.json").write_text("[1")
    assert str(asyncio.run(Helm(executable=stand_in()).version())) == "3.18.0"
    (tmp_path / "cache" / "sidelane" / "helm.json").unlink()
    (tmp_path / "cache" / "sidelane").rmdir()
    (tmp_path / "cache" / "sidelane").write_text("a file")
    assert str(asyncio.run(Helm(executable=stand_in()).version())) == "3.18.0"


@pytest.mark.parametrize("version", ["v3.16.4", "v2.17.0", "", "fish, version 3.6.0", "v3.17.0-rc.1"])
def test_an_old_helm_is_refused_before_it_does_anything(stand_in, version):
    with pytest.raises(HelmTooOld, match=r"3\.17"):
        asyncio.run(install(Helm(executable=stand_in(version=version))))
    assert [call[0] for call in stand_in.calls()] == ["version"]


def test_without_a_helm_it_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(HelmNotFound, match=r"sidelane\[helm\]"):
        Helm()
    with pytest.raises(HelmNotFound, match="can't be run: No such file"):
        asyncio.run(Helm(executable=tmp_path / "nothing").status("x"))
    (tmp_path / "text").write_text("no program")
    with pytest.raises(HelmNotFound, match="can't be run: Permission denied"):
        asyncio.run(Helm(executable=tmp_path / "text").status("x"))


def test_the_helm_of_the_extra_is_used_only_without_one_on_path(monkeypatch, stand_in, tmp_path):
    program = stand_in()
    monkeypatch.setenv("PATH", str(program.parent))
    assert executable.find() == str(program)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(program.parent))
    assert executable.find() == str(program)


#: A program that makes one call, and writes the process of each Helm that is tied to it into the file `ready`.
CALLS = """
import asyncio, pathlib
from sidelane.helm.client import Helm
from sidelane.helm.leash import Leash

tie = Leash.tie

def tied(*args):
    tie(*args)
    pathlib.Path({ready!r}).write_text(str(args[1]))

Leash.tie = tied

async def call():
    await Helm(executable={program!r}).{verb}

asyncio.run(call())
"""
VERBS = {
    "install": "installing('x', 'chart').__aenter__()",
    "upgrade": "upgrade('x', 'chart', {'a': 1})",
    "template": "template_text('x', 'chart', {'a': 1})",
}
SLEEPS = "open({pid!r}, 'w').write(str(os.getpid()))\ntime.sleep(90)"  # longer than `until` waits


def test_a_cancelled_call_ends_its_helm_before_it_returns(stand_in, tmp_path):
    pid = tmp_path / "pid"
    helm = Helm(executable=stand_in(SLEEPS.format(pid=str(pid))))

    async def cancelled():
        task = asyncio.create_task(install(helm))
        while not (pid.exists() and pid.read_text()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return gone(pid.read_text())

    assert asyncio.run(cancelled())


def test_a_helm_that_will_not_stop_is_made_to(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr("sidelane.helm.process.GRACE", 0.2)
    pid = tmp_path / "pid"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS.format(pid=str(pid))
    helm = Helm(executable=stand_in(deaf))

    async def cancelled():
        task = asyncio.create_task(install(helm))
        while not (pid.exists() and pid.read_text()):
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    until(lambda: gone(pid.read_text()))


def test_a_helm_that_is_a_script_is_ended_with_what_it_runs(tmp_path):
    pid = tmp_path / "pid"
    program = tmp_path / "helm"
    program.write_text(f"#!/bin/sh\n[ $1 = version ] && echo v3.18.0 && exit\nsleep 90 & echo $! > {pid}\nwait\n")
    program.chmod(0o755)
    helm = Helm(executable=program)

    async def cancelled():
        task = asyncio.create_task(helm.status("x"))
        while not (pid.exists() and pid.read_text()):
            await asyncio.sleep(0.02)
        begun = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - begun

    assert asyncio.run(cancelled()) < 5
    until(lambda: gone(pid.read_text().strip()))


LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel tells a process of its parent's death on Linux alone"
)


def calls(program, verb, ready):
    return CALLS.format(program=str(program), verb=verb, ready=str(ready))


def tied(ready, helm):
    """Return True once this Helm, and not the one that told its version before, is tied to its caller."""
    return ready.exists() and ready.read_text() == helm


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["uninstall('x')", "namespace()"])
def test_a_killed_caller_takes_its_helm_with_it(stand_in, tmp_path, number, verb):
    """A Helm that removes a release is tied to its caller from its first instruction."""
    pid = tmp_path / "pid"
    program = stand_in(SLEEPS.format(pid=str(pid)))
    ready = tmp_path / "ready"
    caller = subprocess.Popen([sys.executable, "-c", calls(program, verb, ready)])
    until(lambda: pid.exists() and pid.read_text() and (verb.startswith("uninstall") or tied(ready, pid.read_text())))
    assert not gone(pid.read_text())
    caller.send_signal(number)
    caller.wait()
    until(lambda: gone(pid.read_text()))


@LINUX
def test_a_killed_caller_takes_with_it_what_its_helm_runs(tmp_path):
    """A credential plugin, or the helm that a script runs."""
    pid = tmp_path / "pid"
    program = tmp_path / "helm"
    program.write_text(f"#!/bin/sh\n[ $1 = version ] && echo v3.18.0 && exit\nsleep 90 & echo $$ $! > {pid}\nwait\n")
    program.chmod(0o755)
    ready = tmp_path / "ready"
    script = calls(program, "status('x')", ready)
    caller = subprocess.Popen([sys.executable, "-c", script])
    until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    helm, runs = pid.read_text().split()
    until(lambda: tied(ready, helm))
    caller.kill()
    caller.wait()
    until(lambda: gone(runs))


@pytest.mark.parametrize("verb", ["install", "upgrade", "template"])
def test_a_caller_that_is_killed_before_it_tied_its_helm_leaves_it_an_incomplete_document(stand_in, tmp_path, verb):
    read, ready = tmp_path / "read", tmp_path / "ready"
    program = stand_in(f"text = sys.stdin.read()\nopen({str(read)!r}, 'w').write(repr(text))")
    dies = (
        "import os, signal; from sidelane.helm.leash import Leash\n"
        "version = iter([True])\n"
        "Leash.tie = lambda *_: next(version, False) or os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = dies + calls(program, VERBS[verb], ready)
    subprocess.run([sys.executable, "-c", script], check=False)
    until(lambda: read.exists() and read.read_text())
    assert read.read_text() == repr("{")


def test_what_a_helm_leaves_running_is_not_stopped_with_it(tmp_path):
    """Such as the daemon of a credential plugin."""
    pid = tmp_path / "pid"
    leaves = f"sleep 60 </dev/null >/dev/null 2>&1 & echo $! > {pid}"

    async def run():
        async with process.begun("/bin/sh", ["-c", leaves], os.environ) as process_:
            await process_.communicate()

    asyncio.run(run())
    left = int(pid.read_text())
    try:
        time.sleep(0.1)
        assert not gone(left)
    finally:
        os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("first", ["sidelane.helm.client", "pyhelm3"])
def test_a_script_may_import_pyhelm3_itself(first):
    script = (
        f"import sys, {first}\n"
        "assert ('pydantic' in sys.modules) == ('pyhelm3' in sys.modules)\n"
        "import pyhelm3, sidelane.helm.client\n"
        "assert issubclass(sidelane.helm.client.Helm, pyhelm3.Command)\n"
        "pyhelm3.Client, pyhelm3.Error\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_words_that_no_row_knows_are_given_as_they_are():
    error = explain("WARNING: old\nError: first\nlast words", 7)
    assert type(error) is HelmError
    assert str(error) == "Helm ended with 7: first last words"
    assert "it wrote no message" in str(explain("", 1))
    invalid = "Error: YAML parse error on a.yaml: it is no YAML\n\nUse --debug flag to render out invalid YAML\n"
    assert str(explain(invalid, 1)).endswith("it is no YAML")


def test_a_refusal_by_an_admission_policy_names_it_and_ends_in_what_to_do() -> None:
    words = (
        "Error: UPGRADE FAILED: deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'lane-objects-g-1' with "
        "binding 'lane-objects-deny-g-1' denied request: spec.template must not change; install it as another Build"
    )
    error = explain(words, 1)
    assert isinstance(error, ClusterDenied)
    assert error.problem == "the admission policy lane-objects-g-1 refused it: spec.template must not change"
    assert error.remedy == "install it as another Build"
    assert explain(words.partition(";")[0], 1).remedy == ""


def test_a_value_that_helm_repeats_is_hidden():
    words = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nsub:\n"
    words += "- at '/password': 'hunter2' does not match pattern '^[a-z]+$'\n"
    assert "hunter2" not in str(explain(words, 1))
    assert "at '/password': (hidden) does not match pattern" in str(explain(words, 1))


def test_warnings_in_front_of_the_error_are_not_taken_for_it():
    words = (
        'W1123 namespaces "x" not found\nError: Kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": EOF'
    )
    assert type(explain(words, 1)) is ClusterUnreachable


def test_a_hook_that_failed_is_named():
    words = "Error: failed post-install: 1 error occurred:\n\t* job seed failed: BackoffLimitExceeded\n"
    error = explain(words, 1)
    assert (type(error), error.problem) == (NotReady, "the job seed failed: BackoffLimitExceeded")


def test_a_program_that_is_gone_before_asyncio_was_told_is_seen_to_its_end(monkeypatch):
    """Files that a reaped process has left open are closed, and no garbage collector complains of them later."""

    def gone(*_):
        raise ProcessLookupError

    monkeypatch.setattr("os.killpg", gone)

    async def run():
        async with process.begun("/bin/sleep", ["0.3"], {}) as process_:
            assert process_.returncode is None
        return process_.returncode

    assert asyncio.run(run()) == 0

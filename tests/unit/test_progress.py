"""Progress on standard error, in a log and on a terminal."""

import io
import time

import pytest
from sidelane.cli import progress
from sidelane.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def written(monkeypatch, capsys):
    """Progress in a hurry, and what it has written to a standard error that is no terminal."""
    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    monkeypatch.setattr(progress, "INTERVAL", 1.2)
    return lambda: capsys.readouterr().err


def test_in_a_log_a_step_has_one_line_and_more_while_it_lasts(written):
    with Progress() as tell:
        tell("one")
        time.sleep(0.7)
        for _ in range(3):  # told again as it is, as each reading does
            tell("two")
            time.sleep(0.7)
    steps = [line.rpartition(" (")[0] for line in written().splitlines()]
    assert steps == ["one", "two", "two"]


def test_a_quick_step_is_not_told(written, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 1.0)
    with Progress() as tell:
        tell("one")
        time.sleep(0.6)
    assert written() == ""


def test_on_a_terminal_one_line_is_rewritten_and_never_broken(written, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream := Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    with Progress() as tell:
        tell("zookeeper-coco-1: 0 of 3 ready; zk-coco-1-0: container zookeeper is waiting")
        time.sleep(0.8)
    line = stream.getvalue().split("\x1b[K")[1].rstrip("\r")
    assert len(line) == 39
    assert line.startswith("zookeeper-coco-1: 0 of 3 ready; zk-coc")
    assert stream.getvalue().endswith("\r\x1b[K")

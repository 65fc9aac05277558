"""Measures whole processes against bare ones, in turn, so that both meet the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

#: A command of one run; its number makes each install's lane its own.
Command = Callable[[int], Sequence[str]]


class Row(NamedTuple):
    """A comparison: the bare command, ours, and the goal. settle: seconds before each run, for the cluster to end its
    work for the run before.
    """

    name: str
    bare: Command
    ours: Command
    goal: str = ""
    settle: float = 0.0


class Cost(NamedTuple):
    """The cost of one run. processor: seconds, of the command and its children. peak: bytes of its largest process."""

    seconds: float
    processor: float
    peak: int


class Result(NamedTuple):
    """The medians of a row: milliseconds of both, the ratios of wall and processor time, run by run, and our peak."""

    name: str
    bare_ms: float
    ours_ms: float
    ratio: float
    processor: float
    peak_mb: float
    goal: str

    @classmethod
    def of(cls, name: str, pairs: Sequence[tuple[Cost, Cost]], goal: str) -> Result:
        return cls(
            name,
            statistics.median(bare.seconds for bare, _ in pairs) * 1000,
            statistics.median(ours.seconds for _, ours in pairs) * 1000,
            statistics.median(ours.seconds / bare.seconds for bare, ours in pairs),
            statistics.median(ours.processor / bare.processor for bare, ours in pairs),
            max(ours.peak for _, ours in pairs) / 2**20,
            goal,
        )

    def __str__(self) -> str:
        more = self.ours_ms - self.bare_ms
        times = f"{self.bare_ms:>8.0f}{self.ours_ms:>8.0f}{self.ratio:>7.2f}{self.processor:>7.2f}{more:>+8.0f}"
        return f"{self.name:<38}{times}{self.peak_mb:>7.0f}  {self.goal}"


HEADER = f"{'':<38}{'bare ms':>8}{'ours ms':>8}{'ratio':>7}{'cpu':>7}{'more ms':>8}{'MB':>7}"


def run(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Runs a command to its end."""
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read().decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(row: Row, runs: int, environment: dict[str, str]) -> Result:
    """One row: a warm-up of each, then the two in turn."""

    def once(command: Command, n: int) -> Cost:
        time.sleep(row.settle)
        return run(command(n), environment)

    once(row.bare, 0), once(row.ours, 0)
    pairs = [(once(row.bare, n), once(row.ours, n)) for n in range(1, runs + 1)]
    return Result.of(row.name, pairs, row.goal)


def always(*command: str | Path) -> Command:
    """The same command in every run."""
    return lambda _: [str(part) for part in command]

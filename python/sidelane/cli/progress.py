"""Progress on standard error: silence for what is quick, the step and its seconds for what takes long."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Self

from sidelane.support.harmless import in_line

#: Seconds until a step is worth a word, and between words where no line can be rewritten.
PATIENCE, INTERVAL = 1.0, 30.0


class Progress:
    """Told each step as it begins; says nothing of steps that end within a second.

    On a terminal one line is rewritten each half second; in a log a step gets a line, and one more every 30 seconds.
    """

    def __init__(self) -> None:
        self._step = ""
        self._since = time.monotonic()
        self._told = 0.0
        self._shown = False
        self._ended = threading.Event()
        self._terminal = sys.stderr.isatty()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __call__(self, step: str) -> None:
        step = in_line(step)
        if step == self._step:
            return
        self._step, self._since, self._told = step, time.monotonic(), 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._terminal and self._shown:
            sys.stderr.write("\r\x1b[K")

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            step, seconds = self._step, time.monotonic() - self._since
            if not step or seconds < PATIENCE:
                continue
            if self._terminal:
                sys.stderr.write(f"\r\x1b[K{_fitting(f'{step} ({seconds:.0f} s)')}")
                sys.stderr.flush()
                self._shown = True
            elif not self._told or seconds - self._told >= INTERVAL:
                self._told = seconds
                print(f"{step} ({seconds:.0f} s)", file=sys.stderr, flush=True)  # noqa: T201


def _fitting(line: str) -> str:
    """A line that the terminal does not break: one that is broken can't be rewritten."""
    width = shutil.get_terminal_size().columns - 1
    return line if len(line) <= width else f"{line[: width - 1]}…"

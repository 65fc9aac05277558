"""Progress on standard error: each long step with its seconds; nothing for quick steps."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

from sidelane.support.harmless import in_line

#: The seconds until a step is printed, and between two lines in a log.
PATIENCE, INTERVAL = 1.0, 30.0


class Progress:
    """A callable that receives each step at its start; steps that end within a second are not printed.

    On a terminal it rewrites one line each half second; in a log it prints a line, and another every 30 seconds.
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
    """Cuts a line to the terminal's width, because a wrapped line cannot be rewritten."""
    import shutil  # only a long step on a terminal needs it, and it loads every compression

    width = shutil.get_terminal_size().columns - 1
    return line if len(line) <= width else f"{line[: width - 1]}…"

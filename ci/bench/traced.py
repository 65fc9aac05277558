"""Runs the command line in this process and notes what takes its time: `traced.py OUT STARTED COMMAND…`.

STARTED: the time (time.perf_counter, one clock for all processes) at which this process was started. OUT gets the spans
as JSON: name, group, begin, wall and processor time in seconds. Each module, each process and the functions in `SPANS`
are spans. The functions are replaced when their module is imported, so nothing is imported that the command itself does
not import.
"""

from __future__ import annotations

import time

READY, READY_PROCESSOR = time.perf_counter(), time.process_time()

# ruff: noqa: E402 - the time above is Python's own start
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

#: module → its functions that are spans, and their group. A method is written Class.method.
SPANS = {
    "selectors": {"EpollSelector.select": "waiting"},
    "sidelane.charts.sources": {"find": "chart", "Chart.load": "chart"},
    "sidelane.charts.values": {"accepted": "values"},
    "sidelane.checks.engine": {"check": "checks"},
    "sidelane.kubeyaml": {"read_documents": "YAML"},
    "sidelane.manifest": {"Manifest.read": "YAML"},
    "sidelane.manifest.differences": {"differences": "comparison"},
    "sidelane.releases.provenance.carried": {"Carrier.write": "record", "apart": "record"},
    "sidelane.releases.provenance.statement": {"make": "record"},
}

spans: list[dict[str, Any]] = []


def note(name: str, group: str, begun: float, processor: float) -> None:
    """Notes a span that ends now."""
    wall = time.perf_counter() - begun
    spans.append({"name": name, "group": group, "begun": begun, "wall": wall, "processor": processor})


def timed(function: Callable[..., Any], name: str, group: str) -> Callable[..., Any]:
    """Returns the function, which notes each of its calls."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        begun, processor = time.perf_counter(), time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            note(name, group, begun, time.thread_time() - processor)

    return call


class Finder:
    """Times the import of each module that is a file, and replaces the functions that are spans."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = timed(spec.loader.exec_module, name, "import")

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for place, group in SPANS.get(name, {}).items():
                replace(module, place, f"{name}.{place}", group)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def replace(module: ModuleType, place: str, name: str, group: str) -> None:
    """Puts the timed function into the place of a module's function or method."""
    *outer, last = place.split(".")
    home: Any = getattr(module, outer[0]) if outer else module
    original = vars(home)[last]
    if isinstance(original, classmethod):
        setattr(home, last, classmethod(timed(original.__func__, name, group)))
    else:
        setattr(home, last, timed(original, name, group))


class Popen(subprocess.Popen[bytes]):
    """A process whose start is a span, and whose life is one that `waitpid` ends."""

    started: dict[int, tuple[str, float]] = {}  # noqa: RUF012 - of all processes

    def __init__(self, arguments: Sequence[str], *args: Any, **kwargs: Any) -> None:
        begun, processor = time.perf_counter(), time.thread_time()
        super().__init__(arguments, *args, **kwargs)
        words = [Path(arguments[0]).name, *arguments[1:4]]
        name = " ".join(word for word in words if not word.startswith(("-", "/")))
        self.started[self.pid] = (name, begun)
        note(f"start of {name}", "start of a process", begun, time.thread_time() - processor)


def waitpid(pid: int, options: int) -> tuple[int, int]:
    """os.waitpid, which notes the processor time that the kernel counted for the process."""
    child, status, usage = os.wait4(pid, options)
    if child in Popen.started:
        name, begun = Popen.started.pop(child)
        note(name, "process", begun, usage.ru_utime + usage.ru_stime)
    return child, status


def main() -> None:
    out, started, *arguments = sys.argv[1:]
    spans.append(
        {
            "name": "Python's start",
            "group": "start",
            "begun": float(started),
            "wall": READY - float(started),
            "processor": READY_PROCESSOR,
        }
    )
    sys.meta_path.insert(0, Finder)
    subprocess.Popen, os.waitpid = Popen, waitpid  # type: ignore[assignment, misc]
    sys.argv = ["sidelane", *arguments]
    code: Any = 0
    try:
        from sidelane.cli import main as command  # noqa: PLC0415 - its import is what is timed

        command()
    except SystemExit as ended:
        code = ended.code
    note("all", "all", float(started), time.process_time())
    Path(out).write_text(json.dumps(spans))
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()

"""Rendering for tests: one Helm for each distinct rendering of a run, also with the processes of pytest-xdist."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from sidelane.charts.rendering import release_of
from sidelane.charts.values import with_lane
from sidelane.helm.plain import Answer, template
from sidelane.helm.values import json_text
from sidelane.naming.lane import Lane
from sidelane.pytest_plugin import FOLDER
from sidelane.pytest_plugin.charts import chart_at
from sidelane.pytest_plugin.rendered import NotRendered, Rendered

#: The release's name without a lane. It differs from every chart's, so that a name without the release shows.
RELEASE: Final = "release"


class Render:
    """The fixture ``render``: renders a chart with Helm, without a cluster. The same rendering runs Helm once.

    >>> def test_zookeeper(render):
    ...     rendered = render("charts/zookeeper", lane="coco-1", values={"replicas": 3})
    ...     assert rendered.statefulset("zk-coco-1").container("zookeeper").env["SIDELANE_LANE"] == "coco-1"
    """

    def __init__(
        self, config: pytest.Config, helm: str | os.PathLike[str], chart: Callable[[], str | os.PathLike[str]]
    ) -> None:
        self._helm, self._chart = os.fspath(helm), chart
        self._folder, self._root = Path(config.stash[FOLDER]), config.rootpath

    def __call__(self, chart: str | os.PathLike[str] | None = None, **options: Any) -> Rendered:  # noqa: D417
        """Return the objects of a chart.

        Args:
            chart: a folder or a .tgz, relative to pytest's root folder; by default that of the fixture ``chart``.
            values: the values.
            files: values files, over which ``values`` go.
            lane: a lane. Its Version and Build become values, and it names the release.
            release: the release's name; by default ``release``, or the lane's.
            namespace: by default ``default``.
            flags: more flags of `helm template`, such as ``["--api-versions", "monitoring.coreos.com/v1"]``.

        Raises:
            NotRendered: Helm does not render it; an AssertionError with Helm's message.
            ChartNotFound, InvalidLane, InvalidValues: the arguments are invalid.

        """
        __tracebackhide__ = True
        rendered, answer = self.attempt(chart, **options)
        if answer.code:
            raise NotRendered(rendered.chart, rendered.command, answer.stderr)
        return rendered

    def attempt(
        self,
        chart: str | os.PathLike[str] | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        files: Sequence[str | os.PathLike[str]] = (),
        lane: Lane | str | None = None,
        release: str = "",
        namespace: str = "default",
        flags: Sequence[object] = (),
    ) -> tuple[Rendered, Answer]:
        """Render as a call does, and return Helm's answer, too, which may be an error."""
        where = chart_at(self._root, self._chart() if chart is None else chart)
        own = Lane.parse(lane) if isinstance(lane, str) else lane
        given = dict(values or {}) if own is None else with_lane(values or {}, own, where)
        name = release or (RELEASE if own is None else release_of(where, own, given))
        paths = [self._root / file for file in files]
        arguments = [name, str(where.path), "--namespace", namespace]
        arguments += [word for path in paths for word in ("--values", str(path))]
        arguments += [*map(str, flags), *(["--values", "-"] if given else [])]
        answer = _once(self._folder, self._helm, arguments, (json_text(given) + "\n").encode(), where.path)
        command = shlex.join(["helm", "template", *arguments])
        return Rendered(where, name, namespace, own, given, answer.stdout, command), answer


def _once(folder: Path, helm: str, arguments: Sequence[str], values: bytes, chart: Path) -> Answer:
    """Run Helm, or return its answer to the same question. Another process that asks the same meanwhile waits."""
    asked = [helm, arguments, values.decode(), _state(chart), [_content(Path(word)) for word in arguments]]
    stored = folder / hashlib.sha256(json.dumps(asked).encode(errors="surrogatepass")).hexdigest()
    if (answer := _kept(stored)) is not None:
        return answer
    folder.mkdir(mode=0o700, exist_ok=True)
    with stored.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = _kept(stored)
        if answer is None:
            answer = template(helm, arguments, values)
            made = stored.with_suffix(".new")
            made.write_text(json.dumps(answer), encoding="utf-8")
            made.replace(stored)
    return answer


@functools.lru_cache(maxsize=64)
def _read(stored: Path) -> Answer:
    return Answer(*json.loads(stored.read_text(encoding="utf-8")))


def _kept(stored: Path) -> Answer | None:
    try:
        return _read(stored)
    except FileNotFoundError:
        return None


def _content(file: Path) -> str:
    """Return the content of a file among the arguments."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape") if file.is_file() else ""
    except OSError:  # a word that is too long to be a path
        return ""


def _state(chart: Path) -> list[tuple[str, int, int]]:
    """Return the names, times and sizes of a chart's files: a test may write a chart, render it and change it."""
    if chart.is_file():
        return [_of(os.fspath(chart))]
    # Without Path, which would take most of the time of a rendering that is there.
    return [_of(os.path.join(at, name)) for at, _, names in os.walk(chart, followlinks=True) for name in names]  # noqa: PTH118


def _of(file: str) -> tuple[str, int, int]:
    about = os.stat(file)  # noqa: PTH116
    return file, about.st_mtime_ns, about.st_size

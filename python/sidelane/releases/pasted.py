"""Complete commands for messages, which work when pasted."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.sources import is_bundled
from sidelane.manifest.operational import value_at
from sidelane.naming.lane import Lane
from sidelane.releases.provenance import leaves
from sidelane.support.secrets import HIDDEN, is_secret

#: The command line's options for the values in a release's name.
_OPTIONS = {"name": "--name", "serviceVersion": "--service-version"}
#: The most values in a command; more would be unreadable.
_MOST = 8


def upgrade(chart: Chart, lane: Lane, values: Mapping[str, Any], changes: Iterable[str]) -> str:
    """Returns the `sidelane upgrade` that changes these values of a release, given by their paths, and no others.

    values: the values for the chart. sidelane.support.advice adds the connection's flags.
    """
    everything = coalesce(chart.defaults, values)
    words = ["sidelane", "upgrade", _chart(chart), "--lane", str(lane), *chart.held.flags]
    words += [*_named(chart, everything), "--reuse-values"]
    for path in changes:
        words += _set(path, everything)
    return shlex.join(words)


def install(chart: Chart, lane: Lane | str, values: Mapping[str, Any]) -> str | None:
    """Returns the `sidelane install` of the same values in another lane; None for too many values, for secrets, and for
    keys that --set cannot write.
    """
    everything = coalesce(chart.defaults, values)
    named = _named(chart, everything)
    given = {
        path: value
        for path, value in leaves(dict(values))
        if path.rpartition(".")[2] not in ("Version", "Build")
        and path not in chart.held.keys
        and not (path in _OPTIONS and _OPTIONS[path] in named)
        and value != value_at(chart.defaults, path)
    }
    known = all(value_at(values, path) == value and re.fullmatch(r"[\w.-]+", path) for path, value in given.items())
    if len(given) > _MOST or not known or any(is_secret(path.split(".")) for path in given):
        return None
    words = ["sidelane", "install", _chart(chart), "--lane", str(lane), *chart.held.flags, *named]
    for path in given:
        words += _set(path, everything)
    return None if "CHART" in words else shlex.join(words)


def beside(free: Lane | str | None, command: str | None = None, *, release: str = "") -> str:
    """Returns the remedy for a refused change of a deployed lane.

    free: the lane of the next free Build, if the Version has one. command: the command that installs it there, if there
    is one; otherwise the record of the release has the values.
    """
    if free is None:
        return "a deployed lane is never changed: install it as a new Version; this one has no higher Build"
    where = f"; `sidelane record {release}` shows the values of {release}" if release else ""
    where = f": `{command}`" if command else where
    return f"a deployed lane is never changed: install it as {free}, the next free Build{where}"


def _named(chart: Chart, values: Mapping[str, Any]) -> list[str]:
    """Returns the options for the values in the name of a chart's release."""
    words = []
    for key in re.findall(r"\{(\w+)\}", chart.release_pattern):
        if key in _OPTIONS and values.get(key) != chart.defaults.get(key):
            words += [_OPTIONS[key], str(values[key])]
    return words


def _chart(chart: Chart) -> str:
    """Returns a chart's name for the command line; a fetched chart no longer exists as a file."""
    if is_bundled(chart):
        return chart.name
    if str(chart.path).startswith(f"{tempfile.gettempdir()}/sidelane-"):
        return "CHART"
    return f"./{chart.path}" if str(chart.path) == chart.path.name else str(chart.path)


def _set(path: str, values: Mapping[str, Any]) -> list[str]:
    value: Any = values
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if is_secret(path.split(".")):
        return ["--set", f"{path}={HIDDEN}"]
    return ["--set" if isinstance(value, int) else "--set-json", f"{path}={json.dumps(value)}"]

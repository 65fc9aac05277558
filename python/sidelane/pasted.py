"""Commands in messages, whole: they work as they are pasted."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from sidelane.charts import Chart, coalesce, is_bundled
from sidelane.hidden import HIDDEN, is_secret
from sidelane.lane import Lane

#: Options of the command line for the values that charts name their releases by.
_OPTIONS = {"name": "--name", "serviceVersion": "--service-version"}


def upgrade(chart: Chart, lane: Lane, values: Mapping[str, Any], changes: Iterable[str]) -> str:
    """Returns the `sidelane upgrade` that changes these values of a release, given by their paths, and no others.

    values: as they are given to the chart. The connection's flags are added by sidelane.advice.
    """
    everything = coalesce(chart.defaults, values)
    words = ["sidelane", "upgrade", _chart(chart), "--lane", str(lane)]
    for key in re.findall(r"\{(\w+)\}", chart.release_pattern):
        if key in _OPTIONS and everything.get(key) != chart.defaults.get(key):
            words += [_OPTIONS[key], str(everything[key])]
    words.append("--reuse-values")
    for path in changes:
        words += _set(path, everything)
    return shlex.join(words)


def _chart(chart: Chart) -> str:
    """Returns a chart as it is named on the command line; one that Helm fetched is away by then."""
    if is_bundled(chart):
        return chart.name
    return "CHART" if str(chart.path).startswith(f"{tempfile.gettempdir()}/sidelane-") else str(chart.path)


def _set(path: str, values: Mapping[str, Any]) -> list[str]:
    value: Any = values
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if is_secret(path.split(".")):
        return ["--set", f"{path}={HIDDEN}"]
    return ["--set" if isinstance(value, int) else "--set-json", f"{path}={json.dumps(value)}"]

"""The conventions that an installation holds a chart to, as far as charts, values and records need them.

The rules of the conventions are those of sidelane.checks; releases/checking.py finds and reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class LaneKeys(NamedTuple):
    """The keys of the values that take a lane's Version and Build in a chart that has neither, such as image.tag."""

    version: str = ""
    build: str = ""


class Held(NamedTuple):
    """The conventions of a chart that is installed.

    source: a preset's name, or the path of a file outside the chart; empty for the naming contract, and for a file in
    the chart, which the chart's digest covers. text: the content of a file outside the chart. keys: the keys that take
    the lane. lanes: the conventions name lanes; under others, only a chart that knows Version and Build gets them.
    flags: the options of the command line that chose them, for commands in messages.
    """

    source: str = ""
    text: str = ""
    keys: LaneKeys = LaneKeys()
    lanes: bool = True
    flags: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the form in a record, from which a replay holds the chart to the same; empty for the default."""
        known = {
            "name": self.source.replace("\\", "/").rpartition("/")[2],
            "text": self.text,
            "version": self.keys.version,
            "build": self.keys.build,
        }
        return {key: value for key, value in known.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, lanes: bool) -> Held:
        """Return the conventions in a record. lanes: they name lanes."""
        keys = LaneKeys(str(data.get("version") or ""), str(data.get("build") or ""))
        return cls(str(data.get("name") or ""), str(data.get("text") or ""), keys, lanes)


#: The naming contract.
BY_CONTRACT: Final = Held()

"""A chart by its name and version, as Helm writes it beside a release and into labels: ``zookeeper-0.1.0``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The chart of routes.
ROUTE: Final = "route"
# A text: it is compiled where a release is read, and not where this module is imported.
_WRITTEN: Final = r"(.+?)-([0-9]+\.[0-9]+\.[0-9]+\S*)"


class ChartRef(NamedTuple):
    """A chart's name and version. version: empty where the text has none.

    >>> ChartRef.parse("zookeeper-0.1.0")
    ChartRef(name='zookeeper', version='0.1.0')
    """

    name: str
    version: str

    @classmethod
    def parse(cls, text: str) -> ChartRef:
        """Reads what Helm writes. A text without a version is a name alone."""
        found = re.fullmatch(_WRITTEN, text)
        return cls(found[1], found[2]) if found else cls(text, "")

    def __str__(self) -> str:
        return f"{self.name}-{self.version}" if self.version else self.name

    @property
    def is_route(self) -> bool:
        """True for the chart of routes, and for a namesake: what a route is, its objects' labels say (route.py)."""
        return self.name == ROUTE and bool(self.version)

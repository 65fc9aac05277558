"""A chart by its name and version, as Helm writes it beside a release and into labels: ``zookeeper-0.1.0``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The chart of routes.
ROUTE: Final = "route"
# A string, so that `re` compiles it when a release is read and not at import.
_WRITTEN: Final = r"(.+?)-([0-9]+\.[0-9]+\.[0-9]+\S*)"


class ChartRef(NamedTuple):
    """A chart's name and version. The version is empty if the text has none.

    >>> ChartRef.parse("zookeeper-0.1.0")
    ChartRef(name='zookeeper', version='0.1.0')
    """

    name: str
    version: str

    @classmethod
    def parse(cls, text: str) -> ChartRef:
        """Parse Helm's form. A text without a version is a name."""
        match = re.fullmatch(_WRITTEN, text)
        return cls(match[1], match[2]) if match else cls(text, "")

    def __str__(self) -> str:
        return f"{self.name}-{self.version}" if self.version else self.name

    @property
    def is_route(self) -> bool:
        """True for every chart named ``route``. The labels of its objects decide if a release is a route (route.py)."""
        return self.name == ROUTE and bool(self.version)

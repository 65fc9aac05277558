"""Strategies for the parts of a name: whatever the naming contract takes."""

from __future__ import annotations

from hypothesis import strategies as st
from sidelane import Lane, naming
from sidelane.lane import BUILD, VERSION


def within(limit: int, pattern: object) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= limit)


VERSIONS = within(40, VERSION)
BUILDS = within(18, BUILD)
SHORT_LANES = st.builds(Lane, within(15, VERSION), within(8, BUILD))
COMPONENTS = within(15, naming.COMPONENT)

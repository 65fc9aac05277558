"""The basis of a release, stored with it: its inputs, and the releases that it needs."""

from __future__ import annotations

from typing import Final, NamedTuple


class Basis(NamedTuple):
    """The basis of a release. A part that is unknown or missing is empty, or 0.

    inputs: a digest of the chart and the values. needs: the releases of its lane that it needs. level: the length of
    its longest chain of needs. bundle: the digest of the bundle that it is replayed from.
    """

    inputs: str = ""
    needs: tuple[str, ...] = ()
    level: int = 0
    bundle: str = ""


#: An empty basis.
NOTHING: Final = Basis()

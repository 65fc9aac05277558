"""The basis of a release, which Sidelane keeps with it: its inputs, and the releases that it needs."""

from __future__ import annotations

from typing import Final, NamedTuple


class Basis(NamedTuple):
    """The basis of a release. A part that is unknown or missing is empty, or 0.

    inputs: a digest of the chart and the values. needs: the releases of its lane that it needs. level: how many
    releases, each needing the next, lie below it. bundle: the digest of the bundle that it is made again from.
    """

    inputs: str = ""
    needs: tuple[str, ...] = ()
    level: int = 0
    bundle: str = ""


#: Nothing that is known or kept.
NOTHING: Final = Basis()

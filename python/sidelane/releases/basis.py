"""What a release is made from and stands on, as Sidelane keeps it with the release."""

from __future__ import annotations

from typing import Final, NamedTuple


class Basis(NamedTuple):
    """What a release is made from and stands on; each is empty, or 0, where there is none.

    inputs: a digest of the chart and the values. needs: the releases of its lane that it needs. level: how many
    releases, each needing the next, lie below it. bundle: the digest of the bundle that it is made again from.
    """

    inputs: str = ""
    needs: tuple[str, ...] = ()
    level: int = 0
    bundle: str = ""


#: Nothing that is known or kept.
NOTHING: Final = Basis()

"""The terms of a route's change: its author, the revision that the author saw, and the risks that the author allows."""

from __future__ import annotations

from typing import Final, NamedTuple


class Terms(NamedTuple):
    """The terms of one change.

    by: who changes the route; None for whom CI names, or user@host. seen: the revision that the caller looked at, where
    it is not the call that looks. unready: targets need not be ready. overwrite: replace what somebody changed in the
    objects themselves. dry_run: look and check, and write nothing. context: what the change is a part of, for the
    history.
    """

    by: str | None = None
    seen: int | None = None
    unready: bool = False
    overwrite: bool = False
    dry_run: bool = False
    context: str = ""


#: Nothing that has to be allowed.
USUAL: Final = Terms()

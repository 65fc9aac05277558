"""The terms of a route's change: its author, the revision that the author saw, and the risks that the author allows."""

from __future__ import annotations

from typing import Final, NamedTuple


class Terms(NamedTuple):
    """The terms of one change.

    by: the author; None for the CI's user, or user@host. seen: the revision that the caller saw; None to read it in the
    call. unready: allow targets that are not ready. overwrite: also undo direct changes of the objects. dry_run: read
    and check, and write nothing. context: the larger operation, for the history. always: write the same content too, as
    a new revision with its own note.
    """

    by: str | None = None
    seen: int | None = None
    unready: bool = False
    overwrite: bool = False
    dry_run: bool = False
    context: str = ""
    always: bool = False


#: The usual terms: no exceptions.
USUAL: Final = Terms()

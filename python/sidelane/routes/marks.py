"""The mark of a shift in a route's history: enough to continue or undo all of its routes from any machine.

Each step writes one mark, as the context of the change's note, to every route of the shift::

    shift 4f1c9a from 2-coco-1 to 2-coco-2, step 2 of 5,25,100, held by 9f8e7d6c until 1764260000,
    on svc1/2-coco-1@3 svc2/2-coco-1@7

A member is a route with its revision before the shift. The holder is the token of a lease (releases/stores/holding.py).
When the gates of the last step have passed, each route gets the mark of that step once more, with ``, ended`` after the
steps: a shift whose process died before is not ended, although all of its steps are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sidelane.errors import InvalidInput
from sidelane.naming.contract import component_name
from sidelane.naming.lane import Lane
from sidelane.releases.stores import Release
from sidelane.routes import moving, notes
from sidelane.routes.moving import Move
from sidelane.routes.notes import Change, Revision

_MARK: Final = re.compile(
    r"shift (?P<id>[0-9a-f]+) (?P<move>to \S+|from \S+ to \S+), step (?P<step>\d+) of (?P<steps>[0-9,]+)"
    r"(?P<promoted>, promoted)?(?P<ended>, ended)?(, stay (?P<stay>cookie|header|none))?"
    r", held by (?P<holder>\w+) until (?P<until>\d+), on (?P<members>\S.*)"
)


class Member(NamedTuple):
    """One route of a shift. base: its revision before the shift."""

    service: str
    lane: Lane
    base: int

    @property
    def name(self) -> str:
        """The stable name: ``svc1-2-coco-1``."""
        return component_name(self.service, self.lane)

    def __str__(self) -> str:
        return f"{self.service}/{self.lane}@{self.base}"

    @classmethod
    def parse(cls, text: str) -> Member:
        """Parses ``svc1/2-coco-1@3``. Raises ValueError, InvalidLane."""
        name, _, base = text.rpartition("@")
        service, _, lane = name.partition("/")
        return cls(service, Lane.parse(lane), int(base))


class Mark(NamedTuple):
    """The state of a shift: ``step`` of ``steps`` was written, counted from 1. promoted: a person has let it go on.
    ended: the gates of the last step have passed. stay: the one of all of its routes; None for each route's own.
    """

    id: str
    move: Move
    step: int
    steps: tuple[int, ...]
    members: tuple[Member, ...]
    holder: str
    until: int
    promoted: bool = False
    ended: bool = False
    stay: str | None = None

    @property
    def text(self) -> str:
        """The mark as the context of a note."""
        steps, members = ",".join(map(str, self.steps)), " ".join(map(str, self.members))
        state = f"{', promoted' * self.promoted}{', ended' * self.ended}{f', stay {self.stay}' if self.stay else ''}"
        return (
            f"shift {self.id} {self.move}, step {self.step} of {steps}{state}, "
            f"held by {self.holder} until {self.until}, on {members}"
        )

    @property
    def picture(self) -> str:
        """A shift in progress in short, for pictures: its move, its step, and the next one; empty for an ended one."""
        if self.ended:
            return ""
        percent, *after = self.steps[self.step - 1 : self.step + 1]
        then = f"next {after[0]} %" if after else "ends"
        return f"shift {self.move}: step {self.step} of {len(self.steps)}, {percent} %, {then} after its gates"

    def __str__(self) -> str:
        percent = self.steps[self.step - 1]
        if self.ended:
            return f"shift {self.id} {self.move} has ended at {percent} %"
        return f"shift {self.id} {self.move} is at step {self.step} of {len(self.steps)} ({percent} %)"


def read(context: str) -> Mark | None:
    """Parses the context of a note; None if it has no mark."""
    match = _MARK.fullmatch(context)
    if match is None:
        return None
    try:
        steps = tuple(map(int, match["steps"].split(",")))
        members = tuple(map(Member.parse, match["members"].split(" ")))
        mark = Mark(match["id"], moving.parse(match["move"]), int(match["step"]), steps, members, match["holder"],
                    int(match["until"]), bool(match["promoted"]), bool(match["ended"]), match["stay"])  # fmt: skip
    except (ValueError, IndexError, InvalidInput):
        return None
    return mark if 1 <= mark.step <= len(steps) and (not mark.ended or mark.step == len(steps)) else None


def short(context: str) -> str:
    """Returns a context for people: a mark without its lease and members."""
    mark = read(context)
    if mark is None:
        return context
    state = f"{', promoted' * mark.promoted}{', ended' * mark.ended}"
    return f"shift {mark.id} {mark.move}, step {mark.step} of {len(mark.steps)}{state}"


def of_release(release: Release) -> Mark | None:
    """Returns the mark of a route's last change, without its history; None if it has none, or is incomplete."""
    change = notes.read(Revision(release.revision, None, release.status, release.description))
    return read(change.context) if change.held else None


def current(changes: Sequence[Change]) -> Mark | None:
    """Returns the mark of the shift that a route is in, from its history; None if it is in none.

    A change that restored a step of a shift in progress is that step again. The mark of an ended shift counts only as
    long as it is the last change.
    """
    held = [change for change in changes if change.held]
    if not held:
        return None
    mark = read(held[-1].context)
    if mark is not None or held[-1].restores is None:
        return mark
    first = notes.origin(changes, held[-1].revision)
    mark = next((read(change.context) for change in held if change.revision == first), None)
    ended = {mark.id for mark in (read(change.context) for change in held) if mark is not None and mark.ended}
    return None if mark is None or mark.id in ended else mark

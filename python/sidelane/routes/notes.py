"""The note of each change in a route's history: the targets and the author.

A note is the description of a Helm revision, so `helm history` shows it as well:
``leads to v1=90, v2=10; mode istio; by alice@laptop``, ``back to revision 3: leads to v1=100; mode service; by
alice@laptop``. The text before ``leads to`` is the change's context.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sidelane.routes.model import Route

#: The variable with the author of a change, if the caller gives none.
CHANGED_BY: Final = "SIDELANE_CHANGED_BY"

# The author in CI systems: the first variable that is set. None of them holds a secret.
_CI: Final = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILDKITE_BUILD_CREATOR",
    "CIRCLE_USERNAME",
    "BUILD_REQUESTEDFOR",
    "BUILD_USER_ID",
    "DRONE_BUILD_TRIGGER",
)
_NOTE: Final = re.compile(
    r"((?P<context>[^:;]+): )?leads to (?P<leads>[^;]+)(; mode (?P<mode>[^;]+))?; by (?P<by>[^;]+)"
)
_HELM: Final = re.compile(r"(Install|Upgrade) complete|Rollback to \d+|Initial install underway|Preparing upgrade")
#: The begin of a shift's mark (marks.py).
_STEP: Final = re.compile(r"shift [^,]+, step \d+ of ")
_BACK: Final = re.compile(r"(?:back to revision|Rollback to) (\d+)")  # the second is Helm's own


class Revision(NamedTuple):
    """One stored revision of a release. status: Helm's word."""

    number: int
    updated: datetime | None
    status: str
    note: str


@dataclass(frozen=True)
class Change:
    """One change of a route. restores: the revision that it restored, None for a new one. by and leads: empty if
    Sidelane did not write the note (plain Helm, a rollback, a failure); ``note`` has the text. context: the larger
    operation, such as a shift. mode: empty if unknown.
    """

    revision: int
    when: datetime | None
    status: str
    leads: str
    by: str
    restores: int | None
    note: str
    context: str = ""
    mode: str = ""

    @property
    def is_helms(self) -> bool:
        """True if the note is Helm's own: plain Helm made the change."""
        return _HELM.fullmatch(self.note) is not None

    @property
    def step(self) -> str:
        """The shift and its step that this change made; empty for other changes."""
        match = _STEP.match(self.context)
        return match[0] if match else ""

    @property
    def held(self) -> bool:
        """True if the change took effect, and did not fail."""
        return self.status in {"deployed", "superseded"}

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the change, without unknown values."""
        known: dict[str, object] = {
            "revision": self.revision,
            "when": self.when.isoformat() if self.when else None,
            "status": self.status,
            "leads": self.leads,
            "mode": self.mode,
            "by": self.by,
            "why": self.context,
            "plainHelm": self.is_helms or None,
            "restores": self.restores,
            "note": self.note,
        }
        return {key: value for key, value in known.items() if value not in (None, "")}


def note(route: Route, by: str, context: str = "") -> str:
    """Returns the note of a change to this route."""
    text = f"leads to {route}; mode {route.mode}; by {by}"
    return f"{context}: {text}" if context else text


def back_to(revision: int) -> str:
    """Returns the context of a change that restores a revision."""
    return f"back to revision {revision}"


def read(revision: Revision) -> Change:
    """Parses a revision into a change."""
    number, updated, status, text = revision
    match = _NOTE.fullmatch(text)
    parts = match.groupdict("") if match else dict.fromkeys(("leads", "by", "context", "mode"), "")
    back = _BACK.fullmatch(parts["context"] if match else text)
    restores = int(back[1]) if back else None
    return Change(number, updated, status, parts["leads"], parts["by"], restores, text, parts["context"], parts["mode"])


def changes_of(revisions: Iterable[Revision]) -> tuple[Change, ...]:
    """Parses the revisions of a route."""
    return tuple(map(read, revisions))


def who(by: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Returns the author of a change, one line of text: ``by``, SIDELANE_CHANGED_BY, the CI's user, or user@host."""
    names = [by, environment.get(CHANGED_BY), *(environment.get(name) for name in _CI)]
    text = next((name for name in names if name), None) or _user_at_host()
    return re.sub(r"[^\w.@+/-]+", " ", text).strip()[:80] or "unknown"


def _user_at_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in /etc/passwd
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def before(changes: Sequence[Change]) -> Change | None:
    """Returns the change that an undo restores: the one before the last. None when there is no earlier one.

    Undone changes do not count: two undos go back two changes, and an undo of a change that followed an undo goes back
    to the state before that change. The undo of a failed change restores the last change that took effect.
    """
    held = {change.revision: change for change in changes if change.held}
    if not held:
        return None
    if not changes[-1].held:
        return held[origin(changes, max(held))]
    first = origin(changes, max(held))
    earlier = [number for number in held if number < first]
    return held[origin(changes, max(earlier))] if earlier else None


def origin(changes: Sequence[Change], number: int) -> int:
    """Returns the revision with the original content: the revision itself, or the one that it restored or repeats."""
    same = _same(changes)
    while (earlier := same.get(number)) is not None:
        number = earlier
    return number


def _same(changes: Sequence[Change]) -> dict[int, int | None]:
    """Maps each revision to the earlier one that it restored or repeats; to None for new content.

    A change repeats the one before it if both made the same step of a shift: its promotion, its end, its continuation.
    """
    same: dict[int, int | None] = {}
    steps: dict[int, str] = {}
    last = 0
    for change in changes:
        back = change.restores if change.restores in same else None
        if back is None and change.held and change.step and change.step == steps.get(last):
            back = last
        same[change.revision] = back
        steps[change.revision] = change.step if back is None else steps[back]
        last = change.revision if change.held else last
    return same

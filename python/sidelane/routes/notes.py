"""What a route's history says of each change: where it leads since then, and who made it.

A note is the description of a Helm revision, so `helm history` shows it as well:
``leads to v1=90, v2=10; mode istio; by alice@laptop``, ``back to revision 3: leads to v1=100; mode service; by
alice@laptop``. The text before ``leads to`` is the change's context.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sidelane.routes.model import Route

#: The variable that says who changes a route, where neither the caller nor CI does.
CHANGED_BY: Final = "SIDELANE_CHANGED_BY"

# Whom CI systems name: the first that is set. None of them holds a secret.
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
_BACK: Final = re.compile(r"(?:back to revision|Rollback to) (\d+)")  # the second is Helm's own


class Revision(NamedTuple):
    """One revision of a release, as its place keeps it. status: Helm's word."""

    number: int
    updated: datetime | None
    status: str
    note: str


@dataclass(frozen=True)
class Change:
    """One change of a route. restores: the revision that it brought back, None for a new one. by and leads: empty where
    the note was not made here (plain Helm, a rollback, a failure); then ``note`` says what there is. context: what it
    was a part of, such as a shift. mode: empty where it is not known.
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
        """Whether the note is Helm's own: plain Helm made the change."""
        return _HELM.fullmatch(self.note) is not None

    @property
    def held(self) -> bool:
        """Whether the route led there: it was not a change that failed."""
        return self.status in {"deployed", "superseded"}

    def to_json(self) -> dict[str, object]:
        """The change as programs read it; what is not known is left out."""
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
    """What the history says of a change to this route."""
    text = f"leads to {route}; mode {route.mode}; by {by}"
    return f"{context}: {text}" if context else text


def back_to(revision: int) -> str:
    """The context of a change that brings a revision back."""
    return f"back to revision {revision}"


def read(revision: Revision) -> Change:
    """The change that a revision is."""
    number, updated, status, text = revision
    match = _NOTE.fullmatch(text)
    parts = match.groupdict("") if match else dict.fromkeys(("leads", "by", "context", "mode"), "")
    back = _BACK.fullmatch(parts["context"] if match else text)
    restores = int(back[1]) if back else None
    return Change(number, updated, status, parts["leads"], parts["by"], restores, text, parts["context"], parts["mode"])


def who(by: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Who makes a change: as given, or by SIDELANE_CHANGED_BY, or whom CI names, or user@host. One line of text."""
    names = [by, environment.get(CHANGED_BY), *(environment.get(name) for name in _CI)]
    text = next((name for name in names if name), None) or _user_at_host()
    return re.sub(r"[^\w.@+/-]+", " ", text).strip()[:80] or "unknown"


def _user_at_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user that no file knows
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def before(changes: Sequence[Change]) -> Change | None:
    """What an undo brings back: where the route led before its last change. None when there is nothing before it.

    What was undone counts as if it had never been: two undos go back two changes, and an undo of what followed an undo
    goes back to before that. A change that failed is undone by what held before it.
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
    """The revision whose content a revision has: itself, or the one that it brought back."""
    known = {change.revision: change.restores for change in changes}
    while (restores := known.get(number)) is not None and restores < number and restores in known:
        number = restores
    return number

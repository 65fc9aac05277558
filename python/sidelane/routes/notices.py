"""Notifications of a shift: each event is posted to receivers as a CloudEvent (https://cloudevents.io, version 1.0).

A receiver that fails never stops or delays a shift: events are sent in the background, and failures are reported.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sidelane.routes.asking import problem_of, require_address

#: The time limit for one receiver, and for all that is unsent at the end of a shift, in seconds.
_PATIENCE: Final = 5.0
_AT_THE_END: Final = 10.0


class Event(NamedTuple):
    """One event of a shift. kind: ``step``, ``failed`` or ``ended``. text: a sentence for people. data: the shift in
    JSON form at that time.
    """

    number: int
    kind: str
    text: str
    data: Mapping[str, object]
    when: str

    def to_json(self) -> dict[str, object]:
        """Returns the event as a CloudEvent in structured mode."""
        shift = str(self.data["id"])
        return {
            "specversion": "1.0",
            "id": f"{shift}-{self.number}",
            "source": "/sidelane/shift",
            "type": f"dev.sidelane.shift.{self.kind}",
            "subject": shift,
            "time": self.when,
            "datacontenttype": "application/json",
            "data": {"text": self.text, "shift": dict(self.data)},
        }


def event(number: int, kind: str, text: str, data: Mapping[str, object]) -> Event:
    """Returns an event of the present time."""
    return Event(number, kind, text, data, datetime.now(UTC).isoformat())


class Notices:
    """Sends events to receivers. unsent: a line for each event that a receiver did not accept."""

    def __init__(self, urls: Sequence[str] = ()) -> None:
        """Checks the receivers. Raises InvalidRoute for what is not an http or https address."""
        for url in urls:
            require_address(url, "https://hooks.example.com/sidelane")
        self._urls = list(dict.fromkeys(urls))
        self._sending: dict[str, asyncio.Task[None]] = {}
        self.unsent: list[str] = []

    def send(self, item: Event) -> None:
        """Sends an event in the background, to each receiver after the events before it."""
        for url in self._urls:
            self._sending[url] = asyncio.ensure_future(self._post(url, item, self._sending.get(url)))

    async def finish(self) -> None:
        """Waits for the events that are being sent, for a limited time."""
        if self._sending:
            _, late = await asyncio.wait(self._sending.values(), timeout=_AT_THE_END)
            for task in late:
                task.cancel()
            self.unsent += ["a receiver did not accept all events in time"] * bool(late)

    async def _post(self, url: str, item: Event, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        problem = await asyncio.to_thread(_posted, url, item.to_json())
        if problem:
            # The path of an address may be a secret.
            self.unsent.append(f"{urllib.parse.urlsplit(url).hostname} did not accept event {item.number}: {problem}")


def _posted(url: str, body: Mapping[str, Any]) -> str:
    """Posts a CloudEvent. Returns the problem, or an empty text."""
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - see Notices
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            return ""
    except http.client.HTTPException as error:
        return f"no answer: it is not HTTP ({type(error).__name__})"
    except (OSError, ValueError) as error:
        return problem_of(error)

"""Users who keep what they are told: a browser with a jar of cookies, and an application that sends a header back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import NamedTuple

from traffic.load import Answer, get


class Seen(NamedTuple):
    """One answer: when its request was sent and when it was read (time.monotonic), and the version or the error."""

    began: float
    ended: float
    who: str


class Session:
    """One user, who sends a request, keeps what its answer says, and sends the next. header: the one to send back."""

    def __init__(self, port: int, header: str) -> None:
        self.seen: list[Seen] = []
        #: The cookies of this site, by name.
        self.jar: dict[str, str] = {}
        self._port, self._header, self._sent = port, header.lower(), ""

    async def run(self) -> None:
        """Sends requests until it is cancelled."""
        while True:
            answer = await get(self._port, headers=self._headers())
            self._keep(answer)
            self.seen.append(Seen(answer.began, time.monotonic(), answer.who))
            await asyncio.sleep(0.01)

    def between(self, begin: float, end: float) -> list[str]:
        """The versions that answered requests sent after the begin, and answered before the end."""
        return [seen.who for seen in self.seen if seen.began >= begin and seen.ended <= end]

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        return {**({"cookie": cookies} if cookies else {}), **({self._header: self._sent} if self._sent else {})}

    def _keep(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == self._header:
                self._sent = value
            if name == "set-cookie":
                self._keep_cookie(value)

    def _keep_cookie(self, text: str) -> None:
        for name, cookie in SimpleCookie(text).items():
            if cookie["max-age"] and int(cookie["max-age"]) <= 0:
                self.jar.pop(name, None)
            else:
                self.jar[name] = cookie.value


class Crowd:
    """Sessions that go on until the end of the block."""

    def __init__(self, port: int, header: str) -> None:
        self.port, self._header = port, header
        self.sessions: list[Session] = []
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Crowd]:
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def join(self, number: int) -> None:
        """This many users more."""
        joined = [Session(self.port, self._header) for _ in range(number)]
        self.sessions += joined
        self._tasks += [asyncio.create_task(session.run()) for session in joined]

    async def go_on(self, number: int = 4) -> tuple[float, float]:
        """Waits until each user has this many answers to requests sent from now on. Returns the begin and the end."""
        begin = time.monotonic()
        while any(len(session.between(begin, time.monotonic())) < number for session in self.sessions):
            assert time.monotonic() < begin + 60, "users got no answers"
            await asyncio.sleep(0.01)
        return begin, time.monotonic()

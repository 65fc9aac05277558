"""Versions of a service that say who they are, and callers that never stop calling."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple


class Version:
    """One version of a service: an HTTP server that answers with its own name. header: a line of each answer's head."""

    def __init__(self, name: str, header: str = "") -> None:
        self.name = name
        self.asked = 0
        self._header = f"{header}\r\n" if header else ""

    async def start(self) -> None:
        self._open: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """As a pod dies: no new connection, and those that are open are reset."""
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        body = self.name.encode()
        answer = f"HTTP/1.1 200 OK\r\n{self._header}content-length: {len(body)}\r\n\r\n".encode() + body
        held = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                # The stream of /held has no end before its caller's.
                writer.write(held if head.startswith(b"GET /held ") else answer)
        self._open.discard(writer)
        writer.close()


@contextlib.asynccontextmanager
async def versions(*names: str, header: str = "") -> AsyncIterator[dict[str, Version]]:
    """These versions, running until the end of the block. header: a line for the head of each answer."""
    made = {name: Version(name, header) for name in names}
    for version in made.values():
        await version.start()
    try:
        yield made
    finally:
        for version in made.values():
            version.kill()
        await asyncio.sleep(0.05)  # connections are closed in the loop's next rounds


class Answer(NamedTuple):
    """began: when its request was sent, or its connection opened (time.monotonic). who: the version, or the error.
    headers: names in lower case, with their values.
    """

    began: float
    status: int
    who: str
    headers: tuple[tuple[str, str], ...] = ()


async def get(port: int, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
    """One request on a connection of its own."""
    began = time.monotonic()
    try:
        async with connected(port) as (reader, writer):
            answer = await _exchange(reader, writer, path, method, {**(headers or {}), "connection": "close"})
            return answer._replace(began=began)
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return Answer(began, 0, repr(error))


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is closed at the end of the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, method: str, headers: dict[str, str]
) -> Answer:
    began = time.monotonic()
    lines = [f"{method} {path} HTTP/1.1", "host: svc1-2-coco-1", *(f"{key}: {value}" for key, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    named = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    body = (await reader.readexactly(int(dict(named).get("content-length", 0)))).decode()
    return Answer(began, int(first.split()[1]), body, named)


class Load:
    """Callers on a port, each with the next request when the one before is answered."""

    def __init__(self, port: int, *, keep_alive: bool = True) -> None:
        self._port, self._keep_alive = port, keep_alive
        self.answers: list[Answer] = []

    @contextlib.asynccontextmanager
    async def running(self, callers: int = 4) -> AsyncIterator[Load]:
        tasks = [asyncio.create_task(self._call()) for _ in range(callers)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def more(self, number: int) -> list[Answer]:
        """The next answers to requests that are sent from now on."""
        now = time.monotonic()
        first = len(self.answers)
        while True:
            later = [answer for answer in self.answers[first:] if answer.began >= now]
            if len(later) >= number:
                return later
            await asyncio.sleep(0.01)

    @property
    def failed(self) -> Iterator[Answer]:
        return (answer for answer in self.answers if answer.status != 200)

    async def _call(self) -> None:
        while True:
            if not self._keep_alive:
                self.answers.append(await get(self._port))
                continue
            began = time.monotonic()
            try:
                async with connected(self._port) as (reader, writer):
                    while True:
                        began = time.monotonic()
                        self.answers.append(await _exchange(reader, writer, "/", "GET", {}))
            except (OSError, ValueError, asyncio.IncompleteReadError) as error:
                self.answers.append(Answer(began, 0, repr(error)))


def shares_are(answers: list[Answer], weights: dict[str, int]) -> bool:
    """Return True if the versions' shares of the answers are within five standard deviations of their weights,
    as they are by chance but for once in a million times. A version of weight 0 must have none.
    """
    counts, total = Counter(answer.who for answer in answers), sum(weights.values())
    if not counts.keys() <= {name for name, weight in weights.items() if weight}:
        return False
    for name, weight in weights.items():
        share, number = weight / total, len(answers)
        if abs(counts[name] - number * share) > 5 * (number * share * (1 - share)) ** 0.5:
            return False
    return True

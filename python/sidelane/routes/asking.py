"""Bounded questions to the outside, for gates and for the counts of open connections: an HTTP request, a program."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import shlex
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from sidelane.errors import InvalidRoute
from sidelane.helm.durations import seconds
from sidelane.helm.process import begun

#: The default limit for one answer, in seconds.
PATIENCE: Final = "10s"
#: The most bytes that are read of an HTTP answer, and that are kept of a program's output.
ANSWER: Final = 1 << 20
OUTPUT: Final = 1 << 12

A = TypeVar("A")


class Problem(NamedTuple):
    """The reason why there is no answer, as the end of a sentence."""

    text: str


class Program(NamedTuple):
    """A program and its arguments. limit: the most seconds that it may run."""

    name: str
    arguments: tuple[str, ...]
    limit: float

    @classmethod
    def parse(cls, text: str, limit: float) -> Program:
        """Splits a command line as a shell does; no shell runs it. Raises InvalidRoute."""
        try:
            name, *arguments = shlex.split(text)
        except ValueError as error:
            raise InvalidRoute(f"the command {text!r} is invalid: {error}", remedy="close its quotes") from None
        return cls(name, tuple(arguments), limit)

    async def output(self, environment: Mapping[str, str]) -> bytes | Problem:
        """Runs the program, with these variables too. Returns the begin of its output, if it exits with 0."""
        try:
            async with (
                asyncio.timeout(self.limit),
                begun(self.name, self.arguments, {**os.environ, **environment}, tied=True) as process,
            ):
                shown, _ = await asyncio.gather(_begin(process.stdout), _begin(process.stderr))
                await process.wait()
        except TimeoutError:
            return Problem(f"{self.name} did not end within {self.limit:g} s")
        except (OSError, ValueError) as error:
            return Problem(f"{self.name} cannot be run: {getattr(error, 'strerror', error)}")
        return shown if process.returncode == 0 else Problem(f"{self.name} exited with {process.returncode}")


async def _begin(stream: asyncio.StreamReader | None) -> bytes:
    """Reads a stream to its end, and keeps only its begin."""
    kept = b""
    while stream is not None and (part := await stream.read(1 << 16)):
        kept += part[: OUTPUT - len(kept)]
    return kept


def options_of(text: str, kind: str) -> list[tuple[str, str]]:
    """Parses ``limit=500ms,failures=3``. Raises InvalidRoute."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [part.partition("=") for part in parts]
    for key, equals, _ in pairs:
        if not equals:
            raise InvalidRoute(f"the option {key!r} of a {kind} check has no value", remedy=f"write it such as {key}=3")
    return [(key, value) for key, _, value in pairs]


def limit_of(options: dict[str, str]) -> float:
    """Takes the limit for one answer, in seconds, out of the options. Raises InvalidRoute."""
    limit = seconds(options.pop("limit", PATIENCE))
    if limit <= 0:
        raise InvalidRoute("limit must be greater than 0", remedy="write it such as limit=500ms")
    return limit


async def in_time(limit: float, ask: Callable[[], A]) -> A | Problem:
    """Runs a blocking question in a thread, for at most so many seconds."""
    try:
        async with asyncio.timeout(limit):
            return await asyncio.to_thread(ask)
    except TimeoutError:
        return Problem(f"no answer within {limit:g} s")


def fetched(url: str, limit: float, headers: Mapping[str, str] | None = None) -> bytes:
    """Returns the first ANSWER bytes of an answer with 2xx or 3xx, read within so many seconds.

    Raises HTTPError for another status; OSError or ValueError for no answer.
    """
    deadline, content = time.monotonic() + limit, b""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - http or https, see require_address
    try:
        with urllib.request.urlopen(request, timeout=limit) as answer:  # noqa: S310
            while len(content) < ANSWER and (part := answer.read1(min(1 << 16, ANSWER - len(content)))):
                content += part
                if time.monotonic() > deadline:
                    raise TimeoutError("it came too slowly")
    except http.client.HTTPException as error:
        raise ValueError(f"it is not HTTP ({type(error).__name__})") from None
    return content


def problem_of(error: OSError | ValueError) -> str:
    """Returns the problem of ``fetched`` as the end of a sentence."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the answer was {error.code}"
    return f"no answer: {getattr(error, 'reason', error)}"  # refused, reset, timed out, or not HTTP


def require_address(url: str, example: str = "http://svc1-v2-2-coco-1/healthz") -> None:
    """Raises InvalidRoute for what is not an http or https address."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets, or a port that is not a number
        valid = False
    if not valid:
        raise InvalidRoute(
            f"{without_password(url)!r} is not an http or https address", remedy=f"write it such as {example}"
        )


def without_password(text: str) -> str:
    """Hides the password of an address, and its query, which may have a token."""
    return re.sub(r"(https?://[^\s?]*)\?\S+", r"\1?(hidden)", re.sub(r"//[^/@\s]+@", "//(hidden)@", text))

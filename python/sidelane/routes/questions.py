"""The questions of gates: a command, an HTTP request, a query to Prometheus."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import shlex
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from sidelane.errors import InvalidRoute
from sidelane.helm.durations import seconds
from sidelane.helm.process import begun

PROMETHEUS_URL: Final = "PROMETHEUS_URL"
PROMETHEUS_TOKEN: Final = "SIDELANE_PROMETHEUS_TOKEN"  # noqa: S105 - a name of a variable

#: The default limit for one answer, in seconds.
_PATIENCE: Final = "10s"
#: The most bytes that are read of an answer.
_ANSWER: Final = 1 << 20


class Question(Protocol):
    """The question of a gate. Returns the problem as the end of a sentence, or an empty text."""

    async def __call__(self, environment: Mapping[str, str]) -> str: ...


def options_of(text: str, kind: str) -> list[tuple[str, str]]:
    """Parses ``limit=500ms,failures=3``. Raises InvalidRoute."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [part.partition("=") for part in parts]
    for key, equals, _ in pairs:
        if not equals:
            raise InvalidRoute(f"the option {key!r} of a {kind} check has no value", remedy=f"write it such as {key}=3")
    return [(key, value) for key, _, value in pairs]


def _limit(options: dict[str, str]) -> float:
    limit = seconds(options.pop("limit", _PATIENCE))
    if limit <= 0:
        raise InvalidRoute("limit must be greater than 0", remedy="write it such as limit=500ms")
    return limit


def command(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to a program that must exit with 0. Raises InvalidRoute."""
    limit = _limit(options)
    try:
        program, *arguments = shlex.split(subject)
    except ValueError as error:
        raise InvalidRoute(f"the command {subject!r} is invalid: {error}", remedy="close its quotes") from None

    async def ask(environment: Mapping[str, str]) -> str:
        try:
            async with (
                asyncio.timeout(limit),
                begun(program, arguments, {**os.environ, **environment}, tied=True) as process,
            ):
                await process.communicate()
        except TimeoutError:
            return f"{program} did not end within {limit:g} s"
        except OSError as error:
            return f"{program} cannot be run: {error.strerror}"
        return "" if process.returncode == 0 else f"{program} exited with {process.returncode}"

    return ask


def http(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to an address that must answer with 2xx or 3xx. Raises InvalidRoute."""
    limit = _limit(options)
    _address(subject)

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        return await _in_time(limit, lambda: _status(subject, limit))

    return ask


def prometheus(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to a query whose results must stay within a limit. Raises InvalidRoute."""
    at = options.pop("at", "") or os.environ.get(PROMETHEUS_URL, "")
    if not at:
        raise InvalidRoute(
            "no Prometheus address is configured", remedy=f"add at=http://prometheus:9090, or set {PROMETHEUS_URL}"
        )
    _address(at)
    most, least = (_number(options, name) for name in ("limit", "least"))
    if (most is None) == (least is None):
        raise InvalidRoute(
            "a prometheus check must have either limit, the maximum, or least, the minimum",
            remedy="add one, such as limit=0.01",
        )

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        patience = seconds(_PATIENCE)
        return await _in_time(patience, lambda: _judged(_values(at, subject, patience), most, least))

    return ask


def _number(options: dict[str, str], name: str) -> float | None:
    text = options.pop(name, None)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise InvalidRoute(f"{name}={text} is not a number", remedy=f"write it such as {name}=0.01") from None


async def _in_time(limit: float, ask: Callable[[], str]) -> str:
    try:
        async with asyncio.timeout(limit):
            return await asyncio.to_thread(ask)
    except TimeoutError:
        return f"no answer within {limit:g} s"


def _status(url: str, limit: float) -> str:
    try:
        with urllib.request.urlopen(url, timeout=limit) as answer:  # noqa: S310 - http or https, see _address
            answer.read(_ANSWER)
            return ""
    except urllib.error.HTTPError as error:
        return f"the answer was {error.code}"
    except (OSError, ValueError) as error:  # refused, reset, timed out, or not HTTP
        return f"no answer: {getattr(error, 'reason', error)}"


def _values(at: str, query: str, limit: float) -> list[float] | str:
    """Returns a query's results, or the problem with the answer (Prometheus' HTTP API, /api/v1/query)."""
    url = f"{at.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    token = os.environ.get(PROMETHEUS_TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=limit) as answer:  # noqa: S310
            result: Any = json.loads(answer.read(_ANSWER))["data"]
        samples = [result["result"]] if result["resultType"] == "scalar" else [s["value"] for s in result["result"]]
        return [float(value) for _, value in samples]
    except urllib.error.HTTPError as error:
        return f"Prometheus answered {error.code}"
    except OSError as error:
        return f"Prometheus does not respond: {getattr(error, 'reason', error)}"
    except (ValueError, KeyError, TypeError):
        return "Prometheus' answer has no numbers"


def _judged(values: list[float] | str, most: float | None, least: float | None) -> str:
    if isinstance(values, str):
        return values
    if not values or any(map(math.isnan, values)):
        return "the query gives no number"  # an unknown value counts as bad
    if most is not None and max(values) > most:
        return f"the query gives {max(values):g}, above the limit {most:g}"
    if least is not None and min(values) < least:
        return f"the query gives {min(values):g}, below the least {least:g}"
    return ""


def _address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRoute(
            f"{without_password(url)!r} is not an http or https address",
            remedy="write it such as http://svc1-v2-2-coco-1/healthz",
        )


def without_password(text: str) -> str:
    """Hides the password of an address."""
    return re.sub(r"//[^/@\s]+@", "//(hidden)@", text)

"""The questions of gates: a command, an HTTP request, a query to Prometheus."""

from __future__ import annotations

import json
import math
import os
import urllib.error
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final, Protocol

from sidelane.errors import InvalidRoute
from sidelane.helm.durations import seconds
from sidelane.routes.asking import (
    PATIENCE,
    Problem,
    Program,
    fetched,
    in_time,
    limit_of,
    problem_of,
    require_address,
)

PROMETHEUS_URL: Final = "PROMETHEUS_URL"
PROMETHEUS_TOKEN: Final = "SIDELANE_PROMETHEUS_TOKEN"  # noqa: S105 - a name of a variable


class Question(Protocol):
    """The question of a gate. Returns the problem as the end of a sentence, or an empty text."""

    async def __call__(self, environment: Mapping[str, str]) -> str: ...


def command(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to a program that must exit with 0. Raises InvalidRoute."""
    program = Program.parse(subject, limit_of(options))

    async def ask(environment: Mapping[str, str]) -> str:
        answer = await program.output(environment)
        return answer.text if isinstance(answer, Problem) else ""

    return ask


def http(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to an address that must answer with 2xx or 3xx. Raises InvalidRoute."""
    limit = limit_of(options)
    require_address(subject)

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        return _said(await in_time(limit, lambda: _status(subject, limit)))

    return ask


def prometheus(subject: str, options: dict[str, str]) -> Question:
    """Returns the question to a query whose results must stay within a limit. Raises InvalidRoute."""
    at = options.pop("at", "") or os.environ.get(PROMETHEUS_URL, "")
    if not at:
        raise InvalidRoute(
            "no Prometheus address is configured", remedy=f"add at=http://prometheus:9090, or set {PROMETHEUS_URL}"
        )
    require_address(at)
    most, least = (_number(options, name) for name in ("limit", "least"))
    if (most is None) == (least is None):
        raise InvalidRoute(
            "a prometheus check must have either limit, the maximum, or least, the minimum",
            remedy="add one, such as limit=0.01",
        )

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        patience = seconds(PATIENCE)
        return _said(await in_time(patience, lambda: _judged(_values(at, subject, patience), most, least)))

    return ask


def _said(answer: str | Problem) -> str:
    return answer.text if isinstance(answer, Problem) else answer


def _number(options: dict[str, str], name: str) -> float | None:
    text = options.pop(name, None)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise InvalidRoute(f"{name}={text} is not a number", remedy=f"write it such as {name}=0.01") from None


def _status(url: str, limit: float) -> str:
    try:
        fetched(url, limit)
    except (OSError, ValueError) as error:
        return problem_of(error)
    return ""


def _values(at: str, query: str, limit: float) -> list[float] | str:
    """Returns a query's results, or the problem with the answer (Prometheus' HTTP API, /api/v1/query)."""
    url = f"{at.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    token = os.environ.get(PROMETHEUS_TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        result: Any = json.loads(fetched(url, limit, headers))["data"]
        samples = [result["result"]] if result["resultType"] == "scalar" else [s["value"] for s in result["result"]]
        return [float(value) for _, value in samples]
    except urllib.error.HTTPError as error:
        return f"Prometheus answered {error.code}"
    except OSError as error:
        return f"Prometheus does not respond: {getattr(error, 'reason', error)}"
    except (ValueError, KeyError, TypeError, RecursionError):
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

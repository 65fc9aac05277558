"""Gates: conditions that must hold during each step of a shift.

    command[limit=30s] ./smoke.sh v2                        the program exits 0, within the limit
    http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/   the status is 2xx or 3xx, within the limit
    prometheus[limit=0.01] sum(rate(errors{version="v2"}[1m])) / sum(rate(requests{version="v2"}[1m]))
    prometheus[least=0.99,at=http://prometheus:9090] avg(up{version="v2"})

Sidelane asks a gate repeatedly during a step. The gate fails after ``failures`` bad answers in a row, 1 by default. The
address of Prometheus is ``at`` or PROMETHEUS_URL; its token is read from SIDELANE_PROMETHEUS_TOKEN.
"""

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sidelane.errors import InvalidRoute, SidelaneError
from sidelane.helm.durations import seconds
from sidelane.helm.process import begun

PROMETHEUS_URL: Final = "PROMETHEUS_URL"
PROMETHEUS_TOKEN: Final = "SIDELANE_PROMETHEUS_TOKEN"  # noqa: S105 - a name of a variable

#: The place of a service's name in a gate that is asked for each service.
_SERVICE: Final = "{service}"
#: The default limit for one answer, in seconds.
_PATIENCE: Final = "10s"
#: The most bytes that are read of an answer.
_ANSWER: Final = 1 << 20
_FORM: Final = re.compile(r"(?P<kind>[a-z]+)(\[(?P<options>[^\]]*)\])?\s+(?P<subject>\S.*)", re.DOTALL)


class Question(Protocol):
    """The question of a gate. Returns the problem as the end of a sentence, or an empty text."""

    async def __call__(self, environment: Mapping[str, str]) -> str: ...


@dataclass
class Gate:
    """A question, the number of bad answers in a row that fail it, and the answers so far."""

    text: str
    ask: Question
    failures: int = 1
    asked: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    said: str = field(default="", init=False)
    _row: int = field(default=0, init=False)

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Parses a gate from the command line's text. Raises InvalidRoute."""
        match = _FORM.fullmatch(text.strip())
        makers = {"command": _command, "http": _http, "prometheus": _prometheus}
        if match is None or match["kind"] not in makers:
            raise InvalidRoute(
                f"{_without_password(text)!r} is not a valid check",
                remedy="write it such as 'http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/healthz'; "
                "the kinds are command, http and prometheus",
            )
        options = dict(_options(match["options"] or "", match["kind"]))
        failures = options.pop("failures", "1")
        if not (failures.isascii() and failures.isdigit() and 1 <= int(failures) <= 1000):
            raise InvalidRoute(
                f"failures={failures} must be a whole number from 1 to 1000", remedy="write it such as failures=3"
            )
        gate = cls(_without_password(text.strip()), makers[match["kind"]](match["subject"], options), int(failures))
        if options:
            raise InvalidRoute(
                f"a {match['kind']} check has no option {', '.join(sorted(options))}",
                remedy="its options are limit and failures, for prometheus also least and at",
            )
        return gate

    async def passes(self, environment: Mapping[str, str]) -> bool:
        """Asks once more. Returns False when too many answers in a row were bad."""
        self.asked += 1
        problem = await self.ask(environment)
        if problem:
            self.failed += 1
            self._row += 1
            self.said = problem
        else:
            self._row = 0
        return self._row < self.failures

    @property
    def problem(self) -> str:
        """The problem in the last answer; empty for a good one."""
        return self.said if self._row else ""

    def anew(self) -> None:
        """Resets the count of bad answers for the next step."""
        self._row = 0

    def to_json(self) -> dict[str, object]:
        return {"check": self.text, "asked": self.asked, "failed": self.failed, "said": self.said}


def parsed(texts: Sequence[str], services: Sequence[str]) -> list[Gate]:
    """Parses gates. One with ``{service}`` in its text becomes one for each service. Raises InvalidRoute."""
    return [
        Gate.parse(text.replace(_SERVICE, service))
        for text in texts
        for service in (dict.fromkeys(services) if _SERVICE in text else ("",))
    ]


def _options(text: str, kind: str) -> list[tuple[str, str]]:
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


def _command(subject: str, options: dict[str, str]) -> Question:
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


def _http(subject: str, options: dict[str, str]) -> Question:
    limit = _limit(options)
    _address(subject)

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        return await _in_time(limit, lambda: _status(subject, limit))

    return ask


def _prometheus(subject: str, options: dict[str, str]) -> Question:
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
            f"{_without_password(url)!r} is not an http or https address",
            remedy="write it such as http://svc1-v2-2-coco-1/healthz",
        )


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//(hidden)@", text)


def readiness(look: Callable[[], Any], *, runs: bool = True) -> Gate:
    """Returns the gate that every shift has: the target exists, and is ready for its share. Two bad answers in a row
    fail it, because one may be a fault of the API server. runs: False in a directory, where readiness is unknown.
    """

    async def ask(environment: Mapping[str, str]) -> str:
        del environment
        try:
            await look()
        except SidelaneError as error:
            return error.problem.replace("\n  ", " ")
        return ""

    text = "the target is ready for its share" if runs else "the target exists (nothing runs in a directory)"
    return Gate(text, ask, failures=2)

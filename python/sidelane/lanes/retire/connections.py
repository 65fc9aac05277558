"""The counts of open connections to releases that are about to be removed.

    envoy http://127.0.0.1:9901                                    Envoy's statistics, for the removed Services
    envoy[stat=upstream_cx_active] http://gateway:15090/stats/prometheus svc1-v1-2-coco-1
    command[limit=5s] ./connections svc1-v1-2-coco-1               the program prints a whole number

Envoy's statistic is ``upstream_rq_active`` by default: requests and streams in progress. ``upstream_cx_active`` also
counts the idle connections that Envoy keeps open for the next request. The last word is a regular expression that is
found in the names of the clusters. An address without a path is Envoy's administration interface.

An answer without a number is not 0: the count is unknown then.
"""

from __future__ import annotations

import asyncio
import json
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sidelane.errors import InvalidRoute
from sidelane.routes.asking import (
    ANSWER,
    Problem,
    Program,
    fetched,
    in_time,
    limit_of,
    options_of,
    problem_of,
    require_address,
    without_password,
)

_FORM: Final = re.compile(r"(?P<kind>envoy|command)(\[(?P<options>[^\]]*)\])?\s+(?P<subject>\S.*)", re.DOTALL)
_STATS: Final = ("upstream_rq_active", "upstream_cx_active")
_EXAMPLE: Final = "'envoy http://127.0.0.1:9901' or 'command ./connections svc1-v1-2-coco-1'"
#: Prometheus' text format: name{labels} value [time].
_SAMPLE: Final = re.compile(r"envoy_cluster_(?P<stat>\w+)\{(?P<labels>.*)\}\s+(?P<value>\S+)(\s+-?\d+)?\s*")
_LABEL: Final = re.compile(r'envoy_cluster_name="(?P<name>(?:[^"\\]|\\.)*)"')
#: A number that no count of connections reaches.
_TOO_MANY: Final = 2**53


class Removed(NamedTuple):
    """A lane or a release that is about to be removed. services: the names of its Services."""

    what: str
    services: tuple[str, ...]

    @property
    def clusters(self) -> str:
        """A regular expression for the names of Envoy's clusters of these Services."""
        names = "|".join(map(re.escape, self.services))
        return rf"(?<![\w.-])(?:{names})(?![\w-])" if names else "(?!)"


class Envoy(NamedTuple):
    """A source of counts. clusters: a regular expression; empty for the removed Services."""

    address: str
    stat: str
    clusters: str
    limit: float

    @classmethod
    def parse(cls, subject: str, options: dict[str, str]) -> Envoy:
        """Parses ``ADDRESS [CLUSTERS]``. Raises InvalidRoute."""
        address, _, clusters = subject.strip().partition(" ")
        require_address(address, "http://127.0.0.1:9901")
        stat = options.pop("stat", _STATS[0])
        if stat not in _STATS:
            raise InvalidRoute(f"stat={stat} is not a count of Envoy", remedy=f"write {' or '.join(_STATS)}")
        try:
            re.compile(clusters.strip())
        except re.error as error:
            raise InvalidRoute(
                f"{clusters.strip()!r} is not a regular expression: {error}", remedy=f"write it such as {_EXAMPLE}"
            ) from None
        return cls(address, stat, clusters.strip(), limit_of(options))

    async def ask(self, removed: Removed) -> int | Problem:
        """Returns the sum of the statistic over the clusters."""
        host = urllib.parse.urlsplit(self.address).hostname
        answer = await in_time(self.limit, lambda: self._read(removed))
        return Problem(f"{host}: {answer.text}") if isinstance(answer, Problem) else answer

    def _read(self, removed: Removed) -> int | Problem:
        url = self.address
        if urllib.parse.urlsplit(url).path in ("", "/") and not urllib.parse.urlsplit(url).query:
            url = f"{url.rstrip('/')}/stats?format=json&filter={urllib.parse.quote(self.stat)}"
        try:
            content = fetched(url, self.limit)
        except (OSError, ValueError) as error:
            return Problem(problem_of(error))
        if len(content) >= ANSWER:
            return Problem("the answer is too large; add a filter to the address")
        return counted(content.decode(errors="replace"), self.stat, self.clusters or removed.clusters)


class Command(NamedTuple):
    """A program that prints the number of open connections."""

    program: Program

    async def ask(self, removed: Removed) -> int | Problem:
        """Runs the program, with the names of the removed Services in a variable."""
        answer = await self.program.output({"SIDELANE_SERVICES": " ".join(removed.services)})
        if isinstance(answer, Problem):
            return answer
        number = _number(answer.decode(errors="replace").strip())
        return Problem(f"{self.program.name} did not print a whole number") if number is None else number


Source = Envoy | Command


def parsed(texts: Sequence[str]) -> tuple[Source, ...]:
    """Parses sources of counts; the same text counts once. Raises InvalidRoute."""
    return tuple(map(_parsed, dict.fromkeys(text.strip() for text in texts)))


def _parsed(text: str) -> Source:
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidRoute(
            f"{without_password(text)!r} does not count connections", remedy=f"write it such as {_EXAMPLE}"
        )
    options = dict(options_of(match["options"] or "", match["kind"]))
    if match["kind"] == "envoy":
        source: Source = Envoy.parse(match["subject"], options)
    else:
        source = Command(Program.parse(match["subject"], limit_of(options)))
    if options:
        raise InvalidRoute(
            f"{match['kind']} has no option {', '.join(sorted(options))}",
            remedy="its options are limit, and for envoy also stat",
        )
    return source


async def total(sources: Sequence[Source], removed: Removed) -> int | Problem:
    """Returns the sum of all counts, or the first problem."""
    counts = await asyncio.gather(*(source.ask(removed) for source in sources))
    problem = next((count for count in counts if isinstance(count, Problem)), None)
    return problem or sum(count for count in counts if isinstance(count, int))


def counted(text: str, stat: str, clusters: str) -> int | Problem:
    """Returns the sum of a statistic of Envoy over the clusters in whose names a regular expression is found.

    text: the statistics as JSON, as Envoy's plain text, or in Prometheus' text format.
    """
    wanted, numbers = re.compile(clusters), []
    try:
        for name, value in _of_json(text, stat) if text.lstrip().startswith("{") else _of_text(text, stat):
            if wanted.search(name):
                number = _number(value)
                if number is None:
                    return Problem(f"the count of the cluster {name[:80]} is not a whole number")
                numbers.append(number)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Problem("the answer is not Envoy's statistics")
    return sum(numbers) if numbers else Problem(f"no cluster with {stat} has the name {clusters}")


def _of_json(text: str, stat: str) -> Iterator[tuple[str, object]]:
    for item in json.loads(text)["stats"]:
        if "name" in item and (cluster := _cluster(item["name"], stat)):
            yield cluster, item["value"]


def _of_text(text: str, stat: str) -> Iterator[tuple[str, object]]:
    for line in text.splitlines():
        if sample := _SAMPLE.fullmatch(line):
            label = _LABEL.search(sample["labels"])
            if sample["stat"] == stat and label:
                yield label["name"], sample["value"]
            continue
        name, _, value = line.rpartition(": ")
        if cluster := _cluster(name, stat):
            yield cluster, value


def _cluster(name: str, stat: str) -> str:
    """Returns the cluster of ``cluster.<name>.<stat>``; empty for another statistic."""
    inner = name.removeprefix("cluster.").removesuffix(f".{stat}")
    return inner if len(inner) == len(name) - len("cluster.") - len(stat) - 1 else ""


def _number(value: Any) -> int | None:
    """Returns a count, or None for what is not a whole number from 0 to 2^53."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,16})(\.0*)?", value, re.ASCII)
        value = int(match[1]) if match else None
    return value if type(value) is int and 0 <= value < _TOO_MANY else None

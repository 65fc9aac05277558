"""Gates: conditions that must hold during each step of a shift.

    command[limit=30s] ./smoke.sh v2                        the program exits 0, within the limit
    http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/   the status is 2xx or 3xx, within the limit
    prometheus[limit=0.01] sum(rate(errors{version="v2"}[1m])) / sum(rate(requests{version="v2"}[1m]))
    prometheus[least=0.99,at=http://prometheus:9090] avg(up{version="v2"})

    manual                                                  a step ends only after `sidelane shift promote`

Sidelane asks a gate repeatedly during a step. It asks where it runs itself: on this machine, or in the pod that runs
it. The gate fails after ``failures`` bad answers in a row, 1 by default. The address of Prometheus is ``at`` or
PROMETHEUS_URL; its token is read from SIDELANE_PROMETHEUS_TOKEN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sidelane import kubeyaml
from sidelane.errors import InvalidInput, InvalidRoute, SidelaneError
from sidelane.routes import questions
from sidelane.routes.asking import options_of, without_password
from sidelane.routes.questions import Question
from sidelane.support import files

#: The place of a service's name in a gate that is asked for each service.
_SERVICE: Final = "{service}"
#: The most bytes of a gate file.
_FILE: Final = 64 * 1024
_FORM: Final = re.compile(r"(?P<kind>[a-z]+)(\[(?P<options>[^\]]*)\])?\s+(?P<subject>\S.*)", re.DOTALL)


@dataclass
class Gate:
    """A question, the number of bad answers in a row that fail it, and the answers so far. manual: a step does not end
    before a person promotes it.
    """

    text: str
    ask: Question
    failures: int = 1
    manual: bool = False
    asked: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    said: str = field(default="", init=False)
    _row: int = field(default=0, init=False)

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Parses a gate from the command line's text. Raises InvalidRoute."""
        if text.strip() == "manual":
            return cls("manual: `sidelane shift promote`", _nothing, manual=True)
        match = _FORM.fullmatch(text.strip())
        makers = {"command": questions.command, "http": questions.http, "prometheus": questions.prometheus}
        if match is None or match["kind"] not in makers:
            raise InvalidRoute(
                f"{without_password(text)!r} is not a valid check",
                remedy="write it such as 'http[limit=500ms,failures=3] http://svc1-v2-2-coco-1/healthz'; "
                "the kinds are command, http, prometheus and manual",
            )
        options = dict(options_of(match["options"] or "", match["kind"]))
        failures = options.pop("failures", "1")
        if not (failures.isascii() and failures.isdigit() and 1 <= int(failures) <= 1000):
            raise InvalidRoute(
                f"failures={failures} must be a whole number from 1 to 1000", remedy="write it such as failures=3"
            )
        gate = cls(without_password(text.strip()), makers[match["kind"]](match["subject"], options), int(failures))
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


async def _nothing(environment: Mapping[str, str]) -> str:
    del environment
    return ""


def from_file(path: str) -> list[str]:
    """Reads the texts of gates from a YAML file, ``gates: [TEXT, …]``. Raises InvalidInput."""
    try:
        text = files.bounded(path, _FILE)
        if len(text) > _FILE:
            raise ValueError(f"it has more than {_FILE} bytes")
        content = kubeyaml.read(text.decode(), source=path)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(path, error) from None
    gates = content.get("gates") if isinstance(content, dict) and set(content) == {"gates"} else None
    if not isinstance(gates, list) or not gates or not all(isinstance(text, str) for text in gates):
        raise InvalidRoute(
            f"{path!r} is not a file of gates", remedy="write it such as 'gates: [\"http[limit=500ms] http://svc1/\"]'"
        )
    return gates


def parsed(texts: Sequence[str], services: Sequence[str]) -> list[Gate]:
    """Parses gates. One with ``{service}`` in its text becomes one for each service. Raises InvalidRoute."""
    return [
        Gate.parse(text.replace(_SERVICE, service))
        for text in texts
        for service in (dict.fromkeys(services) if _SERVICE in text else ("",))
    ]


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


class Restarts:
    """The gate that every shift on a cluster has: no container of the targets' pods restarts during a step.

    count: returns the restarts of each pod; None where pods cannot be read.
    """

    def __init__(self, count: Callable[[], Any]) -> None:
        self._count = count
        self._before: Mapping[str, int] | None = None
        self.gate = Gate("no container of the targets restarts", self._ask)

    async def begin(self) -> None:
        """Remembers the restarts at the begin of a step."""
        try:
            self._before = await self._count()
        except SidelaneError:
            self._before = None
        if self._before is None:
            self.gate.text = "no container of the targets restarts (not checked: their pods can't be read)"

    async def _ask(self, environment: Mapping[str, str]) -> str:
        del environment
        if self._before is None:
            return ""
        try:
            now = await self._count() or {}
        except SidelaneError:  # the readiness gate reports a cluster that does not answer
            return ""
        more = {pod: number - self._before.get(pod, 0) for pod, number in now.items()}
        return "; ".join(f"{pod} restarted {number} times" for pod, number in more.items() if number > 0)

"""The readiness of one or more releases, as one line, as text and as JSON. Every text in it is safe to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

#: The most objects that the text describes; the JSON form has all.
_DESCRIBED: Final = 10
#: The most characters of a message in the summary.
_SHORT: Final = 120
#: Reasons of a waiting container that suffice in a summary; their messages are long.
_TELLING: Final = frozenset({"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"})


@dataclass(frozen=True)
class Event:
    """An event of an object. at: the last time, in the API server's form. count: the number of occurrences."""

    type: str
    reason: str
    message: str
    at: str = ""
    count: int = 1

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.reason}: {self.message}{times}"

    def to_json(self) -> dict[str, object]:
        return {
            "type": self.type,
            "reason": self.reason,
            "message": self.message,
            "at": self.at,
            "count": self.count,
        }


@dataclass(frozen=True)
class Container:
    """A container that is not ready.

    state: waiting, terminated or running. reason, message: Kubernetes' own. exit_code: of its last completed run. log:
    its last lines. log_problem: the reason why there are none.
    """

    name: str
    state: str
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    restarts: int = 0
    init: bool = False
    log: tuple[str, ...] = ()
    log_problem: str = ""

    def __str__(self) -> str:
        kind = "init container" if self.init else "container"
        reason = f": {self.reason}" if self.reason else " and not ready" if self.state == "running" else ""
        ended = "" if self.exit_code is None else f" (exit {self.exit_code})"
        restarts = f", {self.restarts} restart{'s' if self.restarts > 1 else ''}" if self.restarts else ""
        return f"{kind} {self.name} is {self.state}{reason}{ended}{restarts}"

    @property
    def cause(self) -> str:
        """The state, with the message if the reason is not enough."""
        suffices = self.reason in _TELLING or not self.message
        return str(self) if suffices else f"{self}: {self.message}"

    def to_json(self) -> dict[str, object]:
        known: dict[str, object] = {
            "name": self.name,
            "init": self.init,
            "state": self.state,
            "reason": self.reason,
            "message": self.message,
            "exitCode": self.exit_code,
            "restarts": self.restarts,
            "log": list(self.log),
            "logProblem": self.log_problem,
        }
        return {key: value for key, value in known.items() if value not in ("", None, [])}


@dataclass(frozen=True)
class Unready:
    """A pod, a claim or another object that is not ready.

    reason: one word, Kubernetes' own if there is one. hopeless: True if it can never become ready, so waiting is
    useless. uid: the object's, empty if it does not exist.
    """

    kind: str
    name: str
    namespace: str
    release: str = ""
    reason: str = ""
    message: str = ""
    containers: tuple[Container, ...] = ()
    events: tuple[Event, ...] = ()
    hopeless: bool = False
    uid: str = ""

    @property
    def cause(self) -> str:
        """The reason in a few words, such as ``container zookeeper is waiting: ErrImagePull``."""
        if self.containers:
            return self.containers[0].cause
        return ": ".join(filter(None, (self.reason, self.message)))

    @property
    def label(self) -> str:
        """The pod's name, or the kind and the name of another object."""
        return self.name if self.kind == "Pod" else f"{self.kind} {self.name}"

    def lines(self) -> Iterator[str]:
        """The object, the states of its containers, its last events and the last lines of its logs."""
        own = ": ".join(filter(None, (self.reason, self.message)))
        yield f"{self.label}: {own}" if own or not self.containers else f"{self.label}:"
        for container in self.containers:
            yield f"  {container}"
            if container.message:
                yield f"    {container.message}"
            yield from (f"    log: {line}" for line in container.log)
            if container.log_problem:
                yield f"    log: ({container.log_problem})"
        yield from (f"  event: {event}" for event in self.events)

    def to_json(self) -> dict[str, object]:
        known: dict[str, object] = {
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "release": self.release,
            "reason": self.reason,
            "message": self.message,
            "containers": [container.to_json() for container in self.containers],
            "events": [event.to_json() for event in self.events],
            "hopeless": self.hopeless,
        }
        return {key: value for key, value in known.items() if value not in ("", [], False)}


@dataclass(frozen=True)
class Readiness:
    """The number of ready pods, claims and other objects that Helm waits for.

    complete: Helm's --wait would end now. Under Helm 3 that may be before all pods of a Deployment are ready.
    note: the parts that could not be read, in one clause.
    """

    ready: int
    wanted: int
    complete: bool
    unready: tuple[Unready, ...] = ()
    note: str = ""

    @property
    def hopeless(self) -> tuple[Unready, ...]:
        """The objects that can never become ready."""
        return tuple(each for each in self.unready if each.hopeless)

    @property
    def counted(self) -> str:
        unknown = self.note and not self.wanted and not self.complete
        return "unknown" if unknown else f"{self.ready} of {self.wanted} ready"

    def summary(self) -> str:
        """One line: ``7 of 9 ready; zk-coco-1-0: container zookeeper is waiting: ErrImagePull``."""
        if not self.unready:
            return self.counted
        first, more = self.unready[0], len(self.unready) - 1
        cause = first.cause if len(first.cause) <= _SHORT else f"{first.cause[:_SHORT]}…"
        return f"{self.counted}; {first.label}: {cause}" + (f"; and {more} more" if more else "")

    def text(self) -> str:
        """Every object that is not ready, with its reasons, on separate lines."""
        lines = [line for each in self.unready[:_DESCRIBED] for line in each.lines()]
        if more := len(self.unready) - _DESCRIBED:
            lines += (
                [f"and {more} more: {', '.join(each.label for each in self.unready[_DESCRIBED:])}"] if more > 0 else []
            )
        return "\n".join([*lines, *([f"({self.note})"] if self.note else [])])

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the readiness."""
        known: dict[str, object] = {
            "ready": self.ready,
            "wanted": self.wanted,
            "complete": self.complete,
            "unready": [each.to_json() for each in self.unready],
        }
        return {**known, "note": self.note} if self.note else known


def merged(parts: Iterable[Readiness]) -> Readiness:
    """Merges the readiness of several releases."""
    every_part = list(parts)
    return Readiness(
        ready=sum(part.ready for part in every_part),
        wanted=sum(part.wanted for part in every_part),
        complete=all(part.complete for part in every_part),
        unready=tuple(each for part in every_part for each in part.unready),
        note="; ".join(dict.fromkeys(part.note for part in every_part if part.note)),
    )

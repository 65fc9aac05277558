"""Every exception of Sidelane.

    SidelaneError                        exit code
    ├── InvalidInput                          2      what was asked for is not well formed
    │   ├── InvalidLane                              a Version, a Build or a lane
    │   ├── InvalidName                              a component, service, service version or namespace
    │   ├── InvalidDeployment                        a deployment file
    │   ├── InvalidRoute                             targets, weights, steps or gates that can't be
    │   └── ChartNotFound                            no chart of that name, path or version
    ├── Refused                               1      well formed, and against a rule
    │   ├── InvalidValues                            values that the chart's schema does not take
    │   ├── InvalidManifest                          YAML that can't be read, or must not be
    │   ├── CheckFailed                              rendered objects break the naming contract
    │   ├── ReleaseConflict                          the lane's release is there with other content
    │   │   ├── ReleaseExists                        a release of that name is there
    │   │   └── FieldsOwned                          others have set fields that Helm would write
    │   ├── NotOurs                                  a release that Sidelane did not make
    │   ├── StillHeld                                something stands in the way of retiring it
    │   ├── ReleaseNotFound                          no such release
    │   ├── TooLarge                                 a release that is larger than Helm can keep
    │   ├── NotSigned                                an envelope that is no signature of this record by this key
    │   ├── TargetNotReady                           a route would lead to what is not there, or not ready
    │   ├── RouteChanged                             somebody else changed the route in between
    │   ├── GateFailed                               a step of a shift was not let through; the weights are back
    │   ├── KindNotServed                            the cluster has no definition of a kind that is asked for
    │   └── TargetBusy                               another process is writing
    └── HelmError                             3      Helm or the cluster failed
        ├── HelmNotFound                             no helm on PATH
        ├── HelmTooOld                               older than 3.17
        ├── ClusterUnreachable                       no answer from the API server
        ├── ClusterDenied                            credentials refused, or not allowed to do this
        ├── NotReady                                 a release that can't get ready
        │   └── TimedOut                             not ready in time
        ├── ApplyFailed                              a lane was deployed in part, or not at all
        └── NotWhatWasChecked                        Helm did something else than what was checked and given

A message is one sentence made of the rule that was broken and the value that broke it; ``remedy`` says what to
do next. A command in it is whole: it has its arguments where it is raised, and a client adds its connection's flags
(advice.py). No message holds a token or a secret value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sidelane.support.advice import Place
from sidelane.support.harmless import in_lines
from sidelane.support.redaction import redact


class SidelaneError(Exception):
    """The root: catch this to catch all that Sidelane raises on purpose.

    ``str(error)`` is the problem and the remedy together; ``exit_code`` is what the CLI ends with.
    """

    exit_code: int = 1

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        problem, remedy = redact(problem), redact(remedy)
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        # Behind a list the remedy gets a line of its own.
        between = "\n" if "\n" in self.problem else "; "
        return in_lines(f"{self.problem}{between}{self.remedy}" if self.remedy else self.problem)

    def complete(self, place: Place) -> None:
        """Makes the commands that the error advises whole: they then name this place."""
        self.problem, self.remedy = place.whole(self.problem), place.whole(self.remedy)
        self.args = (self.problem, self.remedy)

    def to_json(self) -> dict[str, object]:
        """The error as programs read it: its class, its problem and its remedy."""
        return {"error": type(self).__name__, "problem": self.problem, "remedy": self.remedy}


class InvalidInput(SidelaneError):
    """What was asked for is not well formed."""

    exit_code = 2

    @classmethod
    def unreadable(cls, path: str, error: OSError | ValueError) -> InvalidInput:
        """Returns the error for a file that can't be read."""
        reason = error.strerror if isinstance(error, OSError) else error
        return cls(f"the file {path!r} can't be read: {reason}", remedy="check its path and its rights")


class InvalidLane(InvalidInput):
    """A Version, a Build or a lane that the naming contract does not know."""


class InvalidName(InvalidInput):
    """A component, service, service version or namespace that can't be part of a name."""


class InvalidDeployment(InvalidInput):
    """A deployment file that is none. ``errors`` holds every mistake, each with its path."""

    def __init__(self, problem: str, *, errors: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.errors = errors

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "errors": list(self.errors)}


class InvalidRoute(InvalidInput):
    """Targets, weights, steps or gates of a route that can't be."""


class ChartNotFound(InvalidInput):
    """No chart of that name, path or version."""


class Refused(SidelaneError):
    """Well formed, and against a rule: nothing was changed."""


class InvalidValues(Refused):
    """Values that the chart's schema does not take. ``errors`` holds every one, each with its path."""

    def __init__(self, problem: str, *, errors: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.errors = errors

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "errors": list(self.errors)}


class InvalidManifest(Refused):
    """YAML that can't be read as Kubernetes objects, or that would take too much to read."""


class CheckFailed(Refused):
    """Rendered objects break the naming contract. ``findings`` holds every one, as text."""

    def __init__(self, problem: str, *, findings: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.findings = findings

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "findings": list(self.findings)}


class ReleaseConflict(Refused):
    """The lane's release, or one of its objects, is there with other content. ``differences`` names the fields.

    free: the lane of the next free Build, ``coco-2``, where the same can be installed; empty where there is none.
    """

    def __init__(self, problem: str, *, differences: tuple[str, ...] = (), remedy: str = "", free: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.differences = differences
        self.free = free

    def to_json(self) -> dict[str, object]:
        free = {"free": self.free} if self.free else {}
        return {**super().to_json(), "differences": list(self.differences), **free}


class ReleaseExists(ReleaseConflict):
    """A release of that name is there; whether it is the same is for the caller to find out."""


class FieldsOwned(ReleaseConflict):
    """Others have set fields of an object that Helm would write (server-side apply). ``fields`` has their paths."""

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(re.findall(r"(?<=[: ])\.[^\s,;]+", self.problem))


class NotOurs(Refused):
    """A release that Sidelane did not make, and so neither changes nor removes without being told to."""


class StillHeld(Refused):
    """A lane or a release that can't be retired yet. ``held`` says what is in the way, a sentence each."""

    def __init__(self, problem: str, *, held: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.held = held

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "held": list(self.held)}


class ReleaseNotFound(Refused):
    """No such release in this namespace."""


class TooLarge(Refused):
    """A release, with its chart, values and objects, is larger than Helm can keep; nothing was written."""


class NotSigned(Refused):
    """An envelope that is none, is not signed by the key that was asked for, or holds another record."""


class TargetNotReady(Refused):
    """A route would lead to a target that is not there, is not of its lane, or is not ready for its share."""


class RouteChanged(Refused):
    """Somebody else changed the route since it was looked at; nothing was overwritten."""


class GateFailed(Refused):
    """A gate did not let a step of a shift through, and the weights from before the shift are back. ``shift`` has all
    that was done.
    """

    def __init__(self, problem: str, *, shift: object = None, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.shift = shift


class KindNotServed(Refused):
    """The cluster serves no objects of a kind that is asked for: its definition is not installed there."""


class TargetBusy(Refused):
    """Another process is writing here; nothing was changed."""


class HelmError(SidelaneError):
    """Helm or the cluster failed."""

    exit_code = 3


class HelmNotFound(HelmError):
    """No helm on PATH, and none installed beside this Python."""


class HelmTooOld(HelmError):
    """A Helm older than the ones that Sidelane is tested with."""


class ClusterUnreachable(HelmError):
    """The API server does not answer."""


class ClusterDenied(HelmError):
    """The API server answered, and refused the credentials or the right to do this."""


class NotReady(HelmError):
    """A release is not ready, and can't get ready. ``readiness`` (sidelane.releases.readiness.Readiness) has each pod,
    claim or other object that is not ready, with its reason, last events and last log lines; None when they could not
    be read.
    """

    def __init__(self, problem: str, *, readiness: Any = None, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.readiness = readiness

    def to_json(self) -> dict[str, object]:
        known = {"readiness": self.readiness.to_json()} if self.readiness is not None else {}
        return {**super().to_json(), **known}


class TimedOut(NotReady):
    """A release was not ready in time."""


class ApplyFailed(HelmError):
    """Releases of a lane failed. ``errors`` has each release's own error, ``undone`` names what was removed again,
    ``done`` what this run did and left. When all of them were refused it ends as a refusal does, with 1.
    """

    def __init__(
        self,
        problem: str,
        *,
        errors: Mapping[str, SidelaneError],
        undone: tuple[str, ...] = (),
        done: tuple[str, ...] = (),
    ) -> None:
        remedies = dict.fromkeys(error.remedy for error in errors.values() if error.remedy)
        super().__init__(problem, remedy="; ".join([*remedies, "then run it again: it takes up what is left"]))
        self.errors, self.undone, self.done = errors, undone, done
        self.exit_code = max(error.exit_code for error in errors.values())

    def complete(self, place: Place) -> None:
        super().complete(place)
        for error in self.errors.values():
            error.complete(place)

    def to_json(self) -> dict[str, object]:
        errors = {name: error.to_json() for name, error in self.errors.items()}
        return {**super().to_json(), "errors": errors, "undone": list(self.undone), "done": list(self.done)}


class NotWhatWasChecked(HelmError):
    """Helm installed something else than what was checked, or used other values than it was given."""

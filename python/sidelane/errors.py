"""Every exception of Sidelane.

    SidelaneError                        exit code
    ├── InvalidInput                          2      malformed input
    │   ├── InvalidLane                              a Version, a Build or a lane
    │   ├── InvalidName                              a component, service, service version or namespace
    │   ├── InvalidDeployment                        a deployment file
    │   ├── InvalidConventions                       a conventions file
    │   ├── InvalidRoute                             a route's targets, weights, steps or gates
    │   └── ChartNotFound                            no chart of that name, path or version
    ├── Refused                               1      well-formed input that breaks a rule
    │   ├── InvalidValues                            values that the chart's schema does not allow
    │   ├── InvalidManifest                          YAML that cannot be read, or exceeds the limits
    │   ├── CheckFailed                              rendered objects break the naming contract
    │   ├── ReleaseConflict                          the lane's release exists with other content
    │   │   ├── ReleaseExists                        a release of that name exists
    │   │   └── FieldsOwned                          other managers own fields that Helm would write
    │   ├── NotOurs                                  a release that Sidelane did not create
    │   ├── StillHeld                                a lane or release that must not be retired yet
    │   ├── ReleaseNotFound                          no such release
    │   ├── TooLarge                                 a release larger than Helm can store
    │   ├── NotSigned                                not an envelope of this record, signed with this key
    │   ├── TargetNotReady                           a route's target is missing or not ready
    │   ├── RouteChanged                             another process changed the route in between
    │   ├── GateFailed                               a gate failed in a shift; the weights are restored
    │   ├── KindNotServed                            the cluster has no definition of a requested kind
    │   └── TargetBusy                               another process is writing
    └── HelmError                             3      Helm or the cluster failed
        ├── HelmNotFound                             no helm on PATH
        ├── HelmTooOld                               older than 3.17
        ├── ClusterUnreachable                       no answer from the API server
        ├── ClusterDenied                            credentials refused, or not allowed to do this
        ├── NotReady                                 a release that cannot become ready
        │   └── TimedOut                             not ready in time
        ├── ApplyFailed                              a lane was deployed partly, or not at all
        └── NotWhatWasChecked                        Helm's result differs from the checked content or given values

A message is one sentence with the broken rule and the value that broke it; ``remedy`` is the next step. Commands in it
are complete: the code that raises the error gives the arguments, and a client adds the flags of its connection
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
    """The base class of every error that Sidelane raises on purpose.

    ``str(error)`` is the problem and the remedy together; ``exit_code`` is the CLI's exit code.
    """

    exit_code: int = 1

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        problem, remedy = redact(problem), redact(remedy)
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        # After a list the remedy gets its own line.
        between = "\n" if "\n" in self.problem else "; "
        return in_lines(f"{self.problem}{between}{self.remedy}" if self.remedy else self.problem)

    def complete(self, place: Place) -> None:
        """Adds this place to the commands in the remedy."""
        self.problem, self.remedy = place.whole(self.problem), place.whole(self.remedy)
        self.args = (self.problem, self.remedy)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the error: its class, problem and remedy."""
        return {"error": type(self).__name__, "problem": self.problem, "remedy": self.remedy}


class InvalidInput(SidelaneError):
    """The input is malformed."""

    exit_code = 2

    @classmethod
    def unreadable(cls, path: str, error: OSError | ValueError) -> InvalidInput:
        """Returns the error for a file that can't be read."""
        reason = error.strerror if isinstance(error, OSError) else error
        return cls(f"the file {path!r} can't be read: {reason}", remedy="check its path and its permissions")


class InvalidLane(InvalidInput):
    """The Version, Build or lane is invalid under the naming contract."""


class InvalidName(InvalidInput):
    """The component, service, service version or namespace cannot be part of a name."""


class InvalidDeployment(InvalidInput):
    """The file is not a valid deployment file. ``errors`` holds every mistake, each with its path."""

    def __init__(self, problem: str, *, errors: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.errors = errors

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "errors": list(self.errors)}


class InvalidConventions(InvalidInput):
    """The file is not a valid conventions file. ``errors`` holds every mistake, each with its path."""

    def __init__(self, problem: str, *, errors: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.errors = errors

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "errors": list(self.errors)}


class InvalidRoute(InvalidInput):
    """A route's targets, weights, steps or gates are invalid."""


class ChartNotFound(InvalidInput):
    """There is no chart of that name, path or version."""


class Refused(SidelaneError):
    """The input is well formed but breaks a rule. Nothing was changed."""


class InvalidValues(Refused):
    """The chart's schema does not allow the values. ``errors`` holds every mistake, each with its path."""

    def __init__(self, problem: str, *, errors: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.errors = errors

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "errors": list(self.errors)}


class InvalidManifest(Refused):
    """The YAML cannot be read as Kubernetes objects, or exceeds the limits."""


class CheckFailed(Refused):
    """Rendered objects break the naming contract. ``findings`` holds every one, as text."""

    def __init__(self, problem: str, *, findings: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.findings = findings

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "findings": list(self.findings)}


class ReleaseConflict(Refused):
    """The lane's release, or one of its objects, exists with other content. ``differences`` names the fields.

    free: the lane of the next free Build, ``coco-2``, where the same can be installed; empty if there is none. flags:
    the options of the command line that choose the chart's conventions, if the release's record named them.
    """

    flags: tuple[str, ...] = ()

    def __init__(self, problem: str, *, differences: tuple[str, ...] = (), remedy: str = "", free: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.differences = differences
        self.free = free

    def to_json(self) -> dict[str, object]:
        free = {"free": self.free} if self.free else {}
        return {**super().to_json(), "differences": list(self.differences), **free}


class ReleaseExists(ReleaseConflict):
    """A release of that name exists; the caller compares its content."""


class FieldsOwned(ReleaseConflict):
    """Other managers own fields that Helm would write (server-side apply). ``fields`` has their paths."""

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(re.findall(r"(?<=[: ])\.[^\s,;]+", self.problem))


class NotOurs(Refused):
    """Sidelane did not create the release, and changes or removes it only with --foreign."""


class StillHeld(Refused):
    """The lane or release must not be retired yet. ``held`` has each reason, as a sentence."""

    def __init__(self, problem: str, *, held: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.held = held

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "held": list(self.held)}


class ReleaseNotFound(Refused):
    """There is no such release in this namespace."""


class TooLarge(Refused):
    """The release, with its chart, values and objects, is larger than Helm can store. Nothing was written."""


class NotSigned(Refused):
    """Not a DSSE envelope, not signed with this key, or for another record."""


class TargetNotReady(Refused):
    """A route's target is missing, is not of its lane, or is not ready for its share."""


class RouteChanged(Refused):
    """Another process changed the route in between. Nothing was overwritten."""


class GateFailed(Refused):
    """A gate failed during a step of a shift, and the weights from before the shift are restored. ``shift`` has the
    course of the shift.
    """

    def __init__(self, problem: str, *, shift: object = None, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.shift = shift


class KindNotServed(Refused):
    """The cluster does not serve a requested kind: its definition is not installed."""


class TargetBusy(Refused):
    """Another process is writing here. Nothing was changed."""


class HelmError(SidelaneError):
    """Helm or the cluster failed."""

    exit_code = 3


class HelmNotFound(HelmError):
    """There is no helm on PATH, and none installed beside this Python."""


class HelmTooOld(HelmError):
    """The Helm is older than those that Sidelane is tested with."""


class ClusterUnreachable(HelmError):
    """The API server does not respond."""


class ClusterDenied(HelmError):
    """The API server refused the credentials or the permission."""


class NotReady(HelmError):
    """A release is not ready, and cannot become ready. ``readiness`` (sidelane.releases.readiness.Readiness) has each
    pod, claim or other object that is not ready, with its reason, last events and last log lines; None when they could
    not be read.
    """

    def __init__(self, problem: str, *, readiness: Any = None, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.readiness = readiness

    def to_json(self) -> dict[str, object]:
        known = {"readiness": self.readiness.to_json()} if self.readiness is not None else {}
        return {**super().to_json(), **known}


class TimedOut(NotReady):
    """A release was not ready within the timeout."""


class ApplyFailed(HelmError):
    """Releases of a lane failed. ``errors`` has each release's own error, ``undone`` the names of removed releases,
    ``done`` those that this run deployed and left. When all of them were refused, the exit code is 1.
    """

    def __init__(
        self,
        problem: str,
        *,
        errors: Mapping[str, SidelaneError],
        undone: tuple[str, ...] = (),
        done: tuple[str, ...] = (),
    ) -> None:
        super().__init__(problem)
        self.errors, self.undone, self.done = errors, undone, done
        self.run_again("it")
        self.exit_code = max(error.exit_code for error in errors.values())

    def run_again(self, command: str) -> None:
        """Puts the command that continues into the remedy, after each release's own remedy."""
        remedies = dict.fromkeys(error.remedy for error in self.errors.values() if error.remedy)
        self.remedy = "; ".join([*remedies, f"then run {command} again: it continues from here"])
        self.args = (self.problem, self.remedy)

    def complete(self, place: Place) -> None:
        super().complete(place)
        for error in self.errors.values():
            error.complete(place)

    def to_json(self) -> dict[str, object]:
        errors = {name: error.to_json() for name, error in self.errors.items()}
        return {**super().to_json(), "errors": errors, "undone": list(self.undone), "done": list(self.done)}


class NotWhatWasChecked(HelmError):
    """Helm installed other content than was checked, or used other values than were given."""

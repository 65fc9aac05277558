"""Assess a release's objects by the cluster's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from sidelane.manifest import Object
from sidelane.manifest.fields import at, mapping
from sidelane.releases.readiness import objects as rules
from sidelane.releases.readiness import pods
from sidelane.releases.readiness.cleaning import Cleaner, secrets_of
from sidelane.releases.readiness.objects import Body
from sidelane.releases.readiness.value import Readiness, Unready

_REVISION: Final = "deployment.kubernetes.io/revision"
_FAILURES: Final = ("FailedCreate", "ReplicaSetCreateError", "FailedPlacement")
_MOVES: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"})


@dataclass(frozen=True)
class Subject:
    """A release, with the objects that Helm waits for.

    helm: Helm's major version, whose rules apply. hooks: hooks among the objects, which count while they run.
    """

    release: str
    helm: int
    objects: tuple[Object, ...]
    clean: Cleaner = field(repr=False, default=Cleaner())

    @classmethod
    def of(
        cls,
        release: str,
        objects: Sequence[Object],
        values: Mapping[str, Any],
        *,
        helm: int,
        hooks: str = "",
        secrets: Iterable[str] = (),
    ) -> Subject:
        """Returns the subject of a release's manifest and values. hooks: a verb such as ``install``, whose hooks count.

        secrets: texts to redact, besides the secrets of the values and objects.
        """
        waited = [
            obj for obj in objects if (is_hook_of(obj, hooks) if obj.is_hook else rules.is_waited_for(obj.body, helm))
        ]
        hidden = secrets_of(values, (obj.body for obj in objects)) | frozenset(secrets)
        return cls(release, helm, tuple(waited), Cleaner(hidden))


def is_hook_of(obj: Object, verb: str) -> bool:
    """Returns True for a hook that Helm waits for in this verb: a Job or a Pod."""
    events = str(obj.annotations.get("helm.sh/hook")).replace(" ", "").split(",")
    return bool(verb) and obj.kind in ("Job", "Pod") and any(event.endswith(f"-{verb}") for event in events)


class Live(NamedTuple):
    """The cluster's objects. objects: those of the subject, in its order, None for each missing one. The rest are their
    ReplicaSets and pods, the claims of pods that are not ready, and events.
    """

    objects: tuple[Body | None, ...]
    replica_sets: tuple[Body, ...] = ()
    pods: tuple[Body, ...] = ()
    claims: tuple[Body, ...] = ()
    events: tuple[Body, ...] = ()


def assess(subject: Subject, live: Live, *, note: str = "") -> Readiness:
    """Returns the readiness of a release. note: the parts that could not be read."""
    ready = wanted = 0
    complete = True
    every_unready: list[Unready] = []
    for obj, body in zip(subject.objects, live.objects, strict=True):
        if obj.is_hook:
            parts = _hook(subject, obj, body, live)
        elif body is None:
            parts = _Part(0, rules.wanted(obj.body), "it is missing", [])
        elif obj.kind == "Pod":
            parts = _pod(subject, body, live)
        else:
            parts = _object(subject, obj, body, live)
        ready, wanted = ready + parts.ready, wanted + parts.wanted
        complete = complete and not parts.lacking
        unready = parts.unready
        if parts.lacking and not unready:
            unready = [_unready(subject, body or obj.body, "", parts.lacking, _events_of(live, body or {}))]
        every_unready += unready if parts.lacking else [replace(each, hopeless=False) for each in unready]
    every_unready += _claims(subject, live, every_unready)
    every_unready.sort(key=_severity)
    return Readiness(ready, wanted, complete, tuple(every_unready), note)


class _Part(NamedTuple):
    """One object's share of the readiness, in pods. lacking: the reason why Helm would wait; empty if it would not."""

    ready: int
    wanted: int
    lacking: str
    unready: list[Unready]


def _hook(subject: Subject, obj: Object, body: Body | None, live: Live) -> _Part:
    """A hook counts while it runs. Before that, and after Helm has deleted it, it does not exist."""
    lacking = "" if body is None else _hook_lacking(body)
    if body is None or not lacking:
        return _Part(0, 0, "", [])
    if obj.kind == "Pod":
        return _Part(0, 1, lacking, [pods.unready(body, subject.release, live.events, subject.clean)])
    mine = [pod for pod in live.pods if _owner(pod) == _uid(body) and at(pod, "status", "phase") != "Succeeded"]
    waiting = [pods.unready(pod, subject.release, live.events, subject.clean) for pod in mine if not pods.is_ready(pod)]
    return _Part(0, 1, lacking, waiting)


def _hook_lacking(body: Body) -> str:
    if body.get("kind") == "Pod":
        return "" if at(body, "status", "phase") == "Succeeded" else "it has not ended"
    return rules.job_lacking(body)


def _pod(subject: Subject, body: Body, live: Live) -> _Part:
    lacking = rules.lacking(body, subject.helm)
    if not lacking and (pods.is_ready(body) or at(body, "status", "phase") == "Succeeded"):
        return _Part(1, 1, "", [])
    unready = pods.unready(body, subject.release, live.events, subject.clean)
    ended = at(body, "status", "phase") in ("Failed", "Succeeded")  # a pod that has ended never runs again
    return _Part(0, 1, lacking, [replace(unready, hopeless=unready.hopeless or ended)])


def _object(subject: Subject, obj: Object, body: Body, live: Live) -> _Part:
    mine = tuple(_pods_of(body, live))
    here = sum(pods.is_ready(pod) for pod in mine)
    lacking = rules.lacking({**body, "newReady": here}, subject.helm)
    if obj.kind not in _MOVES:
        return _Part(0 if lacking else 1, 1, lacking, [])
    if obj.kind == "Job":
        waiting = [pod for pod in mine if lacking and not _has_ended_well(pod)]
        unready = [pods.unready(pod, subject.release, live.events, subject.clean) for pod in waiting]
        if rules.condition(body, "Failed").get("status") == "True":  # its controller creates no more pods
            unready.insert(0, replace(_unready(subject, body, "", lacking, _events_of(live, body)), hopeless=True))
        return _Part(0 if lacking else 1, 1, lacking, unready)
    wanted = rules.wanted(body)
    unready = [pods.unready(pod, subject.release, live.events, subject.clean) for pod in mine if _counts(pod, body)]
    made = sum(not at(pod, "metadata", "deletionTimestamp") for pod in mine)
    if made < wanted and (failure := _failure(subject, body, mine, live)):
        unready.append(failure)
    return _Part(min(here, wanted), wanted, lacking, unready)


def _counts(pod: Body, owner: Body) -> bool:
    """Returns True for a pod that keeps its owner from being ready. So does a terminating pod of a stateful set: the
    next pod of its name can be created only when it is gone.
    """
    if pods.is_ready(pod):
        return False
    leaving = at(pod, "metadata", "deletionTimestamp") or at(pod, "status", "phase") in ("Succeeded", "Failed")
    return not leaving or owner.get("kind") == "StatefulSet"


def _has_ended_well(pod: Body) -> bool:
    return pods.is_ready(pod) or at(pod, "status", "phase") == "Succeeded"


def _pods_of(body: Body, live: Live) -> Iterator[Body]:
    """Yields the pods of a workload; for a Deployment those of its newest ReplicaSet."""
    owners = {_uid(body)}
    if body.get("kind") == "Deployment":
        owners = {_uid(replica_set) for replica_set in _newest(body, live)}
    return (pod for pod in live.pods if _owner(pod) in owners)


def _newest(deployment: Body, live: Live) -> Iterator[Body]:
    revision = mapping(deployment, "metadata", "annotations").get(_REVISION)
    for replica_set in live.replica_sets:
        if (
            _owner(replica_set) == _uid(deployment)
            and mapping(replica_set, "metadata", "annotations").get(_REVISION) == revision
        ):
            yield replica_set


def _failure(subject: Subject, body: Body, mine: Iterable[Body], live: Live) -> Unready | None:
    """Returns the reason why a workload's pods cannot be created: a quota, Pod Security, a webhook …"""
    makers = [body, *_newest(body, live)]
    # The controller repeats its event during the failure: an event older than the newest pod is outdated.
    since = max((str(at(pod, "metadata", "creationTimestamp") or "") for pod in mine), default="")
    failures = [event for maker in makers for event in _events_of(live, maker) if event.get("reason") in _FAILURES]
    failures = [event for event in failures if pods.time_of(event) >= since]
    conditions = [rules.condition(maker, "ReplicaFailure") for maker in makers]
    failing = next((condition for condition in conditions if condition.get("status") == "True"), {})
    if failing:
        return _unready(subject, body, failing.get("reason"), failing.get("message"), failures)
    if failures:
        last = pods.last_events(failures, subject.clean)[-1]
        return _unready(subject, body, last.reason, last.message, failures)
    return None


def _unready(subject: Subject, body: Body, reason: object, message: object, events: Sequence[Body]) -> Unready:
    clean, uid = subject.clean, _uid(body)
    last = pods.last_events(events, clean)
    said = clean.text(message)
    return Unready(
        kind=clean.text(body.get("kind")),
        name=clean.text(at(body, "metadata", "name")),
        namespace=clean.text(at(body, "metadata", "namespace")),
        release=subject.release,
        reason=clean.text(reason),
        message=said,
        events=tuple(event for event in last if event.message != said),
        uid=uid,
    )


def _events_of(live: Live, body: Body) -> list[Body]:
    uid = _uid(body)
    return [event for event in live.events if uid and at(event, "involvedObject", "uid") == uid]


def _claims(subject: Subject, live: Live, unready: Sequence[Unready]) -> Iterator[Unready]:
    """Yields the unbound claims of pods that are not ready."""
    waiting = {each.uid for each in unready if each.kind == "Pod"}
    asked = {
        str(at(volume, "persistentVolumeClaim", "claimName"))
        for pod in live.pods
        if _uid(pod) in waiting
        for volume in at(pod, "spec", "volumes") or ()
    }
    named = {(each.kind, each.name) for each in unready}
    for claim in live.claims:
        name, phase = at(claim, "metadata", "name"), at(claim, "status", "phase")
        if name in asked and phase != "Bound" and ("PersistentVolumeClaim", name) not in named:
            yield _unready(subject, claim, phase or "Pending", "", _events_of(live, claim))


def _severity(unready: Unready) -> int:
    """Returns the sort key: hopeless objects, failed containers, pods that cannot be created, starting containers."""
    if unready.hopeless:
        return 0
    if any(
        container.reason not in pods.STARTING or container.exit_code or container.restarts
        for container in unready.containers
    ):
        return 1
    if unready.reason and unready.reason != "Terminating" and unready.kind != "PersistentVolumeClaim":
        return 2
    return 3 if unready.containers else 4


def _uid(body: Body) -> str:
    return str(at(body, "metadata", "uid") or "")


def _owner(body: Body) -> str:
    """Returns the uid of an object's controller, empty if there is none."""
    owners = at(body, "metadata", "ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if owner.get("controller"):
            return str(owner.get("uid") or "")
    return ""

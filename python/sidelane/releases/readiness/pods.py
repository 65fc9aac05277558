"""The state of one pod that is not ready: its containers, or the reason why it has none yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sidelane.manifest.fields import at, mapping
from sidelane.releases.readiness.cleaning import Cleaner
from sidelane.releases.readiness.objects import Body, condition
from sidelane.releases.readiness.value import Container, Event, Unready

#: The most events of an object.
_EVENTS: Final = 3
#: Reasons of a waiting container that only another pod can fix: kubelet cannot parse the image's name, and reads it
#: from the pod each time (pkg/kubelet/images/image_manager.go).
_HOPELESS: Final = frozenset({"InvalidImageName"})
#: Reasons of a waiting container that are normal during a start.
STARTING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})


def is_ready(pod: Body) -> bool:
    """Returns True for a pod that is Ready and is not being deleted."""
    return condition(pod, "Ready").get("status") == "True" and not at(pod, "metadata", "deletionTimestamp")


def unready(pod: Body, release: str, events: Iterable[Body], clean: Cleaner) -> Unready:
    """Returns a pod that is not ready, with the reason. events: of any objects."""
    own = tuple(_own(pod, events))
    containers = tuple(_containers(pod, own, clean))
    reason, message = _of_the_pod(pod, containers)
    probed = {container.message for container in containers}
    last = last_events(own, clean)
    return Unready(
        kind="Pod",
        name=clean.text(at(pod, "metadata", "name")),
        namespace=clean.text(at(pod, "metadata", "namespace")),
        release=release,
        reason=clean.text(reason),
        message=clean.text(message),
        containers=containers,
        events=tuple(event for event in last if event.message not in probed),
        hopeless=any(container.reason in _HOPELESS and container.state == "waiting" for container in containers),
        uid=str(at(pod, "metadata", "uid") or ""),
    )


def last_events(events: Iterable[Body], clean: Cleaner) -> tuple[Event, ...]:
    """Returns the last events, newest last; only warnings if there are any."""
    latest: dict[tuple[str, str], Event] = {}
    for body in sorted(events, key=time_of):
        count = at(body, "series", "count") or body.get("count") or 1
        event = Event(
            type=clean.text(body.get("type")),
            reason=clean.text(body.get("reason")),
            message=clean.text(body.get("message")),
            at=time_of(body),
            count=count if isinstance(count, int) else 1,
        )
        latest.pop((event.reason, event.message), None)
        latest[event.reason, event.message] = event
    warnings = [event for event in latest.values() if event.type == "Warning"]
    return tuple((warnings or list(latest.values()))[-_EVENTS:])


def _own(pod: Body, events: Iterable[Body]) -> Iterator[Body]:
    uid = at(pod, "metadata", "uid")
    # Events from before the scheduling of the pod are outdated.
    passed = condition(pod, "PodScheduled").get("status") == "True"
    for event in events:
        if at(event, "involvedObject", "uid") == uid and not (passed and event.get("reason") == "FailedScheduling"):
            yield event


def time_of(event: Body) -> str:
    """Returns the last time of an event, in the API server's form; empty if there is none."""
    for value in (
        at(event, "series", "lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        at(event, "metadata", "creationTimestamp"),
    ):
        if isinstance(value, str) and value:
            return value
    return ""


def _of_the_pod(pod: Body, containers: tuple[Container, ...]) -> tuple[object, object]:
    """Returns the reason and the message of the whole pod; empty if its containers have the reasons."""
    if at(pod, "metadata", "deletionTimestamp"):
        return "Terminating", "it is being deleted"
    if reason := at(pod, "status", "reason"):  # Evicted, NodeLost …
        return reason, at(pod, "status", "message")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return scheduled.get("reason") or "Unschedulable", scheduled.get("message")
    if containers:
        return "", ""
    ready = condition(pod, "Ready")
    return ready.get("reason") or at(pod, "status", "phase") or "Pending", ready.get("message")


def _containers(pod: Body, events: tuple[Body, ...], clean: Cleaner) -> Iterator[Container]:
    if condition(pod, "PodScheduled").get("status") == "False":
        return
    initial = list(_states(pod, "initContainerStatuses", events, clean, init=True))
    yield from initial
    for container in _states(pod, "containerStatuses", events, clean, init=False):
        if not (initial and container.reason == "PodInitializing"):
            yield container


def _states(pod: Body, field: str, events: tuple[Body, ...], clean: Cleaner, *, init: bool) -> Iterator[Container]:
    statuses = at(pod, "status", field)
    for status in statuses if isinstance(statuses, list) else ():
        if not isinstance(status, dict) or status.get("ready") is True:
            continue
        state = next(
            (name for name in ("waiting", "terminated", "running") if at(status, "state", name) is not None), ""
        )
        if init and state == "terminated" and at(status, "state", "terminated", "exitCode") == 0:
            continue
        if init and state in ("", "waiting") and at(status, "state", "waiting", "reason") == "PodInitializing":
            continue  # it has not started yet
        yield _container(status, state or "waiting", events, clean, init=init)


def _container(
    status: Mapping[str, Any], state: str, events: tuple[Body, ...], clean: Cleaner, *, init: bool
) -> Container:
    name = str(status.get("name") or "")
    now = mapping(status, "state", state)
    ended = mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")
    code, restarts = ended.get("exitCode"), status.get("restartCount")
    message = now.get("message") if state == "waiting" else _probe(name, events) if state == "running" else ""
    return Container(
        name=clean.text(name),
        state=state,
        reason=clean.text(now.get("reason")),
        message=clean.text(message),
        exit_code=code if isinstance(code, int) else None,
        restarts=restarts if isinstance(restarts, int) else 0,
        init=init,
        log=clean.last_words(str(ended.get("message") or "")),
    )


def _probe(container: str, events: tuple[Body, ...]) -> str:
    """Returns the last answer of a probe of this container, from kubelet's event."""
    failures = [
        event
        for event in events
        if event.get("reason") == "Unhealthy" and f"{{{container}}}" in str(at(event, "involvedObject", "fieldPath"))
    ]
    return str(max(failures, key=time_of).get("message") or "") if failures else ""

"""Pods, ReplicaSets and ControllerRevisions of a release, compared with the templates of its workloads.

A pod is compared with the template in the manifest, field by field: admission and controllers add fields to pods, and
change none. A revision is compared with the live workload, from which a controller copied it. During a rollout a pod of
an earlier template is compared with that one (rollouts.py).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sidelane.manifest import Object
from sidelane.manifest.differences import ABSENT, fields, in_line, public
from sidelane.manifest.drift import Drift, against_template
from sidelane.manifest.fields import at, mapping
from sidelane.releases.running import owners, rollouts
from sidelane.releases.running.reading import Running, identity_of

_DIGEST: Final = re.compile(r"@(sha256:[0-9a-f]{64})$")


class Ran(NamedTuple):
    """drift: fields of pods and revisions that differ from their workload; notes: other facts about them, as lines.
    rolling: a line for each workload with a rollout in progress.
    """

    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()
    rolling: tuple[str, ...] = ()


def compare(objects: Sequence[Object], running: Running) -> Ran:
    """Compares what controllers created for these objects with the objects' templates."""
    drift: list[Drift] = []
    notes: list[str] = []
    workloads = _workloads(objects, running)
    children = owners.created(running, [running.live[obj.identity] for obj in workloads.values()])
    earlier = {uid: rollouts.earlier(running.live[obj.identity], running) for uid, obj in workloads.items()}
    pods: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    leaving: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for body in running.of("ReplicaSet", "ControllerRevision", "Pod"):
        root = children.get(owners.uid(body))
        uid = owners.uid(root if root is not None else body)
        own = workloads.get(uid)
        if own is None or "deletionTimestamp" in body["metadata"]:
            continue
        before = next((earlier[uid][name] for name in rollouts.revisions(body) if name in earlier[uid]), None)
        if body["kind"] == "Pod":
            (pods if before is None else leaving)[uid].append(body)
            drifted, said = _pod(own, body, before)
        else:
            drifted, said = _revision(body, running.live[own.identity])
            if drifted and before is not None:  # it may have no pods any more, or none yet
                leaving[uid], drifted = leaving[uid], []
        drift += drifted
        notes += said
    for each, bodies in pods.items():
        drift += _images(workloads[each], bodies)
    rolling = [_rolling(workloads[uid], pods[uid], bodies) for uid, bodies in leaving.items()]
    return Ran(tuple(drift), tuple(notes), tuple(rolling))


def _workloads(objects: Sequence[Object], running: Running) -> dict[str, Object]:
    """Returns the objects that create pods, and are there, by their live UIDs."""
    there = (obj for obj in objects if obj.pod_template is not None and obj.identity in running.live)
    return {owners.uid(running.live[obj.identity]): obj for obj in there}


def _rolling(own: Object, pods: Sequence[object], leaving: Sequence[object]) -> str:
    every = len(pods) + len(leaving)
    return f"{own.identity}: rollout in progress: {len(pods)} of {every} pods have the present template"


def _pod(own: Object, body: Mapping[str, Any], before: Mapping[str, Any] | None) -> tuple[list[Drift], list[str]]:
    """Compares a pod with the template in the manifest. before: the earlier one that it has during a rollout."""
    if own.pod_template is None or own.kind == "Pod":  # a bare pod is compared as an object
        return [], []
    identity = identity_of(body)
    template = before if before is not None else at(own.body, *own.pod_template.path.split("."))
    spec = mapping(template, "spec")
    drifted = [
        Drift(identity, path, public(identity, path, want), public(identity, path, have))
        for path, want, have in against_template(template, body, identity)
        if rollouts.RESTARTED not in path
    ]
    if extra := [str(each.get("name")) for each in at(body, "spec", "ephemeralContainers") or []]:
        drifted.append(Drift(identity, "spec.ephemeralContainers", ABSENT, extra))
    if (limit := at(body, "spec", "activeDeadlineSeconds")) and "activeDeadlineSeconds" not in spec:
        drifted.append(Drift(identity, "spec.activeDeadlineSeconds", ABSENT, limit))
    added = [
        str(each.get("name"))
        for kind in ("initContainers", "containers")
        for each in at(body, "spec", kind) or []
        if each.get("name") not in {known.get("name") for known in spec.get(kind) or []}
    ]
    return drifted, [f"{identity}: admission added the container {name}" for name in added]


def _revision(body: Mapping[str, Any], workload: Mapping[str, Any]) -> tuple[list[Drift], list[str]]:
    """Compares a ReplicaSet or ControllerRevision with its workload. One without pods is only reported."""
    identity = identity_of(body)
    path = rollouts.path_of(body)
    copy = rollouts.plain(rollouts.template_of(body))
    wanted = rollouts.plain(at(dict(workload), "spec", "template"))
    drifted = [
        Drift(identity, f"{path}.{below}", public(identity, below, want), public(identity, below, have))
        for below, want, have in fields(wanted, copy)
    ]
    if not drifted or _is_current(body, workload):
        return drifted, []
    first = drifted[0]
    more = f", and {len(drifted) - 1} more" if len(drifted) > 1 else ""
    return [], [
        f"{identity}: an earlier revision, without pods: {first.path}: {in_line(first.expected, first.actual)}{more}"
    ]


def _is_current(body: Mapping[str, Any], workload: Mapping[str, Any]) -> bool:
    if body["kind"] == "ReplicaSet":
        return bool(at(dict(body), "spec", "replicas") or at(dict(body), "status", "replicas"))
    status = mapping(dict(workload), "status")
    names = {status.get("currentRevision"), status.get("updateRevision")}
    return workload["kind"] != "StatefulSet" or body["metadata"]["name"] in names


def _images(own: Object, pods: Sequence[Mapping[str, Any]]) -> Iterator[Drift]:
    """Yields each container that runs another image than its name says: a tag was moved, or a digest differs."""
    template = own.pod_template
    containers = (
        [*(template.spec.get("containers") or []), *(template.spec.get("initContainers") or [])] if template else []
    )
    for container in containers:
        name, image = str(container.get("name")), str(container.get("image"))
        ran = [
            (pod, str(status.get("imageID") or ""))
            for pod in pods
            for part in ("containerStatuses", "initContainerStatuses")
            for status in at(dict(pod), "status", part) or []
            if status.get("name") == name and status.get("imageID")
        ]
        digests = [(pod, match[1]) for pod, text in ran if (match := _DIGEST.search(text))]
        pinned = _DIGEST.search(image)
        if not digests:
            continue
        expected = pinned[1] if pinned else Counter(digest for _, digest in digests).most_common(1)[0][0]
        for pod, digest in digests:
            if digest != expected:
                yield Drift(identity_of(pod), f"status.containerStatuses[{name}].imageID", expected, digest)

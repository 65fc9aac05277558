"""Objects as an API server has them (Kubernetes API reference, core/v1 and apps/v1), for tests of readiness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sidelane.manifest import Manifest
from sidelane.manifest.objects import parse_object
from sidelane.releases.readiness import Cleaner, Live, Readiness, Subject, assess

if TYPE_CHECKING:
    from collections.abc import Iterable

Body = dict[str, Any]
NODE = {"type": "PodScheduled", "status": "True"}


def owned_by(body: Body) -> list[Body]:
    return [
        {
            "apiVersion": "apps/v1",
            "kind": body["kind"],
            "name": body["metadata"]["name"],
            "uid": body["metadata"]["uid"],
            "controller": True,
        }
    ]


def metadata(name: str, **more: Any) -> Body:
    return {
        "name": name,
        "namespace": "streams",
        "uid": f"uid-{name}",
        "generation": 1,
        "creationTimestamp": "2026-11-26T10:00:00Z",
        **more,
    }


def stateful_set(name: str, replicas: int, ready: int, /, **status: Any) -> Body:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(name),
        "spec": {
            "replicas": replicas,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "readyReplicas": ready,
            "currentReplicas": replicas,
            "updatedReplicas": replicas,
            "currentRevision": "a",
            "updateRevision": "a",
            **status,
        },
    }


def deployment(name: str, replicas: int, ready: int, /, **status: Any) -> Body:
    available = "True" if ready == replicas else "False"
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name, annotations={"deployment.kubernetes.io/revision": "2"}),
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "conditions": [
                {"type": "Available", "status": available},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ],
            **status,
        },
    }


def replica_set(owner: Body, revision: str, **status: Any) -> Body:
    name = f"{owner['metadata']['name']}-{revision}hash"
    annotations = {"deployment.kubernetes.io/revision": revision}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(name, annotations=annotations, ownerReferences=owned_by(owner)),
        "status": status,
    }


def pod(name: str, owner: Body | None, *containers: Body, ready: bool = False, **more: Any) -> Body:
    status = {
        "phase": "Running" if ready else "Pending",
        "conditions": [NODE, {"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": list(containers),
        **more.pop("status", {}),
    }
    owners = {"ownerReferences": owned_by(owner)} if owner else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata(name, **owners, **more), "status": status}


def container(name: str, state: Body, *, last: Body | None = None, restarts: int = 0) -> Body:
    return {
        "name": name,
        "ready": False,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }


def event(of: Body, reason: str, message: str, at: str = "2026-11-26T10:01:00Z", /, **more: Any) -> Body:
    involved = {"kind": of["kind"], "name": of["metadata"]["name"], "uid": of["metadata"]["uid"], **more.pop("of", {})}
    return {
        "involvedObject": involved,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        **more,
    }


def readiness(
    *bodies: Body | None,
    helm: int = 4,
    manifest: list[Body] | None = None,
    clean: Cleaner | None = None,
    **live: Iterable[Body],
) -> Readiness:
    """The readiness of these objects; ``manifest`` in their place where the cluster lacks some."""
    said = manifest or [body for body in bodies if body]
    objects = tuple(parse_object(body, "test", namespace="streams", source="test", line=1) for body in said)
    subject = Subject("zookeeper-coco-1", helm, objects, clean or Cleaner())
    return assess(subject, Live(tuple(bodies), **{key: tuple(value) for key, value in live.items()}))


def subject(text: str, values: Body | None = None, helm: int = 4, **more: Any) -> Subject:
    """The subject of a manifest's text."""
    return Subject.of("zookeeper-coco-1", Manifest.read(text).objects, values or {}, helm=helm, **more)


def as_json(value: object) -> Body:
    return json.loads(json.dumps(value))

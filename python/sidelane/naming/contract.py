"""The naming contract: how components, services and their versions are named in a lane.

    <component>-<Version>-<Build>                    zk-2-coco-1, zk-cs-2-coco-1
    <service>-<serviceVersion>-<Version>-<Build>     svc1-v1-2-coco-1
    <service>-<Version>-<Build>                      svc1-2-coco-1, the name that callers use
    <chart>-<Version>-<Build>                        zookeeper-2-coco-1, a Helm release
    <service>-<serviceVersion>-<Version>-<Build>     svc1-v1-2-coco-1, the release of one version of a service

Injective (see lane.py for the grammar that makes it so), and never cut: a name that is too long is refused.
`charts/common` is the same contract in templates; a test holds the two together.
"""

from __future__ import annotations

import functools
import re

from sidelane.errors import InvalidLane, InvalidName
from sidelane.naming.lane import Lane

COMPONENT = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
SERVICE_VERSION = re.compile(r"v[0-9][a-z0-9]*")

NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # RFC 1123 label

#: The longest name of each kind, in characters, that no component of Kubernetes cuts or refuses. Where the API
#: server itself would accept more, the reason is beside the number.
KIND_LIMITS = {
    "Service": 63,  # RFC 1035 label: its DNS name
    "StatefulSet": 52,  # the label controller-revision-hash is <name>-<up to 10 characters>
    "Deployment": 46,  # a pod is <name>-<10>-<5>, and generateName cuts its base to 58
    "ReplicaSet": 57,  # a pod is <name>-<5>
    "DaemonSet": 57,
    "Job": 57,
    "CronJob": 52,  # a Job is <name>-<up to 10 digits>; refused by the API server beyond this
    "Pod": 63,  # its host name
    "Namespace": 63,
}
#: Other kinds accept 253 (RFC 1123 subdomain), but our names are also the value of the label `app`: at most 63.
LABEL_VALUE_LIMIT = 63
RELEASE_LIMIT = 53  # Helm's own


def component_name(component: str, lane: Lane, *, kind: str = "Service") -> str:
    """Return the name of a component's object of this kind: ``zk-2-coco-1``.

    >>> component_name("zk-cs", Lane("2-coco", 1))
    'zk-cs-2-coco-1'

    Raises InvalidName for an invalid component, or if the name is too long for the kind.
    """
    return _within(KIND_LIMITS.get(kind, LABEL_VALUE_LIMIT), kind, f"{_component(component)}-{lane}")


def service_name(service: str, lane: Lane) -> str:
    """Return the stable name of a service, which callers use: ``svc1-2-coco-1``. Raises as component_name does."""
    return component_name(service, lane)


def service_version_name(service: str, service_version: str, lane: Lane, *, kind: str = "Deployment") -> str:
    """Return the name of one version of a service: ``svc1-v1-2-coco-1``. Raises as component_name does."""
    name = f"{_component(service)}-{_service_version(service_version)}-{lane}"
    return _within(KIND_LIMITS.get(kind, LABEL_VALUE_LIMIT), kind, name)


def release_name(subject: str, lane: Lane) -> str:
    """Return the Helm release name of a chart, or of one version of a service, in a lane.

    Such as ``zookeeper-2-coco-1`` or ``svc1-v1-2-coco-1``. Raises as component_name does.
    """
    service, dash, last = subject.rpartition("-")
    _component(service if dash and SERVICE_VERSION.fullmatch(last) else subject)
    return _within(RELEASE_LIMIT, "Helm release", f"{subject}-{lane}")


@functools.lru_cache(maxsize=4096)
def parse_name(name: str) -> tuple[str, Lane] | None:
    """Split ``<component>-<Version>-<Build>`` into the component and the lane; None for a name outside the contract.

    The left inverse of component_name and release_name. A service's version is the last part of the component.

    >>> parse_name("zookeeper-2-coco-1")
    ('zookeeper', Lane(version='2-coco', build='1'))
    """
    parts = name.split("-")
    # The grammar (lane.py) allows one reading only: the Version begins at the first part that begins with a digit, or
    # is the one part before the Build.
    begin = next((at for at, part in enumerate(parts[:-1]) if part[:1].isdigit()), len(parts) - 2)
    component = "-".join(parts[: max(begin, 0)])
    if not COMPONENT.fullmatch(component):
        return None
    try:
        return component, Lane("-".join(parts[begin:-1]), parts[-1])
    except InvalidLane:
        return None


def _component(value: str) -> str:
    if not isinstance(value, str) or not COMPONENT.fullmatch(value):
        raise InvalidName(
            f"the name {value!r} is invalid: it must be lower-case letters and digits in parts joined by single "
            "dashes, and each part must begin with a letter",
            remedy="write it such as 'orders' or 'order-api'; a part that begins with a digit reads as a Version",
        )
    last = value.rpartition("-")[2]
    if value != last and SERVICE_VERSION.fullmatch(last):
        raise InvalidName(
            f"the name {value!r} ends in {last!r}, which reads as a service version",
            remedy="rename it, and set the service version separately",
        )
    return value


def _service_version(value: str) -> str:
    if not isinstance(value, str) or not SERVICE_VERSION.fullmatch(value):
        raise InvalidName(
            f"the service version {value!r} is invalid: it must be 'v', a digit, and then lower-case letters "
            "and digits",
            remedy="write it such as 'v1' or 'v2beta1'",
        )
    return value


def _within(limit: int, kind: str, name: str) -> str:
    if len(name) > limit:
        raise InvalidName(
            f"the name {name!r} has {len(name)} characters, and a {kind} may have at most {limit}",
            remedy="choose a shorter Version or component; names are never cut",
        )
    return name

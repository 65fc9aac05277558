"""Objects that no release has, and that have a lane's labels, claim a release, or affect what a release runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sidelane.manifest import Identity, Object
from sidelane.manifest.fields import at, mapping
from sidelane.manifest.label_selectors import Selector, parse_selector, selectors
from sidelane.naming.labels import INSTANCE, LANE
from sidelane.releases.running import owners
from sidelane.releases.running.reading import Running, identity_of
from sidelane.support.harmless import in_line

_RELEASE: Final = "meta.helm.sh/release-name"
_SERVICE: Final = "kubernetes.io/service-name"
_STORED: Final = re.compile(r"sh\.helm\.release\.v1\.(?P<release>.+)\.v(?P<revision>[0-9]+)$")
#: Labels that identify a lane, a release or a component: a selector with one of them means these pods.
_IDENTIFYING: Final = frozenset({"app", LANE, INSTANCE, "sidelane.dev/version", "sidelane.dev/build",
                                 "app.kubernetes.io/name", "statefulset.kubernetes.io/pod-name"})  # fmt: skip


class Stranger(NamedTuple):
    """An object that no release has. why: its effect on the release."""

    identity: Identity
    why: str

    def __str__(self) -> str:
        return in_line(f"{self.identity}: {self.why}")

    def to_json(self) -> dict[str, object]:
        return {"object": self.identity.to_json(), "why": self.why}


@dataclass(frozen=True)
class Scope:
    """The releases of a call. whole: they are all releases of their lanes, so other names are unknown ones.

    own: the objects of each release, its hooks included. statuses: Helm's word for each.
    """

    own: Mapping[str, Sequence[Object]]
    whole: bool
    statuses: Mapping[str, str] = field(default_factory=dict)

    @property
    def lanes(self) -> frozenset[str]:
        return frozenset(
            str(obj.labels[LANE]) for objects in self.own.values() for obj in objects if LANE in obj.labels
        )


def find(scope: Scope, running: Running) -> dict[str, tuple[tuple[Stranger, ...], tuple[str, ...]]]:
    """Returns for each release the strangers that affect it, and notes: objects that concern a whole namespace."""
    known = {obj.identity for objects in scope.own.values() for obj in objects}
    bodies = _distinct(running)
    # Objects that say they are another release's are verified with that release.
    roots = [body for body in bodies if identity_of(body) in known or _is_of_another(body, scope)]
    made = owners.created(running, roots).keys() | {owners.uid(body) for body in roots}
    unknown = [body for body in bodies if owners.uid(body) not in made]
    by_release: dict[str, tuple[tuple[Stranger, ...], tuple[str, ...]]] = {}
    reported: set[Identity] = set()
    for release, objects in scope.own.items():
        strangers: dict[Identity, Stranger] = {}
        notes: list[str] = []
        for body in unknown:
            identity = identity_of(body)
            if identity in reported:
                continue
            if why := _effect(body, release, objects):
                strangers[identity] = Stranger(identity, why)
            elif note := _note(body, objects):
                notes.append(f"{identity}: {note}")
        for body in running.of("EndpointSlice"):
            if owners.uid(body) in made and (why := _addresses(body, objects, running)):
                strangers[identity_of(body)] = Stranger(identity_of(body), why)
        strangers |= {each.identity: each for each in _stored(release, scope.statuses.get(release, ""), running)}
        reported |= strangers.keys()
        by_release[release] = (tuple(strangers.values()), tuple(notes))
    _left_over(scope, unknown, reported, by_release)
    return by_release


def _distinct(running: Running) -> list[Mapping[str, Any]]:
    return list({owners.uid(body): body for bodies in running.all.values() for body in bodies}.values())


def _labels(body: Mapping[str, Any]) -> dict[str, Any]:
    return mapping(dict(body), "metadata", "labels")


def _release(body: Mapping[str, Any]) -> str:
    return str(mapping(dict(body), "metadata", "annotations").get(_RELEASE) or "")


def _is_of_another(body: Mapping[str, Any], scope: Scope) -> bool:
    """Tells whether an object is a release's that is not verified here."""
    if stored := _STORED.match(body["metadata"]["name"]):
        labels = _labels(body)
        return (
            stored["release"] not in scope.own
            and labels.get("owner") == "helm"
            and (labels.get("name") == stored["release"] and not (scope.whole and labels.get(LANE) in scope.lanes))
        )
    release = _release(body)
    return bool(release) and release not in scope.own and not (scope.whole and _labels(body).get(LANE) in scope.lanes)


def _effect(body: Mapping[str, Any], release: str, objects: Sequence[Object]) -> str:
    """Returns the effect of an object of no release on a release, empty if it has none."""
    kind, labels = str(body["kind"]), _labels(body)
    for obj in objects:
        if kind == "Pod" and obj.kind in ("Service", "PodDisruptionBudget"):
            if any(_selects(each, labels) for each in selectors(obj) if each.role == "subject"):
                return f"the {obj.kind} {obj.name} selects it, and no workload of a release created it"
        elif kind == "EndpointSlice" and obj.kind == "Service" and labels.get(_SERVICE) == obj.name:
            if mapping(obj.body, "spec", "selector"):
                return f"it leads requests to the Service {obj.name} elsewhere, and no controller created it"
        elif kind == "RoleBinding" and obj.kind == "ServiceAccount":
            if any(_is_subject(each, obj) for each in body.get("subjects") or []):
                return f"it gives rights to the ServiceAccount {obj.name}, and no release has it"
        elif kind == "NetworkPolicy" and (template := obj.pod_template) is not None:
            selector = _pod_selector(body)
            if selector.keys & _IDENTIFYING and selector.matches(template.labels):
                return f"it applies to the pods of {obj.identity}, and no release has it"
    return f"it has the mark of the release {release}, which does not have it" if _release(body) == release else ""


def _note(body: Mapping[str, Any], objects: Sequence[Object]) -> str:
    """Returns a fact about an object that is not a lane's and affects a release with all others of the namespace."""
    if body["kind"] == "NetworkPolicy" and not _labels(body).get(LANE):
        selector = _pod_selector(body)
        for obj in objects:
            if (template := obj.pod_template) is not None and selector.matches(template.labels):
                return f"applies to the pods of {obj.identity}"
    if body["kind"] == "RoleBinding" and any(obj.kind == "ServiceAccount" for obj in objects):
        groups = {str(each.get("name")) for each in body.get("subjects") or [] if each.get("kind") == "Group"}
        own = {f"system:serviceaccounts:{obj.identity.namespace}" for obj in objects if obj.kind == "ServiceAccount"}
        if groups & {"system:serviceaccounts", "system:authenticated", *own}:
            return "gives rights to every service account of the namespace"
    return ""


def _pod_selector(body: Mapping[str, Any]) -> Selector:
    return parse_selector("spec.podSelector", at(dict(body), "spec", "podSelector") or {}, "pods", "subject")


def _selects(selector: Selector, labels: Mapping[str, Any]) -> bool:
    return selector.selects == "pods" and not selector.is_empty and selector.matches(labels)


def _is_subject(subject: Mapping[str, Any], account: Object) -> bool:
    return (subject.get("kind"), subject.get("name")) == ("ServiceAccount", account.name) and (
        subject.get("namespace") or account.identity.namespace
    ) == account.identity.namespace


def _addresses(body: Mapping[str, Any], objects: Sequence[Object], running: Running) -> str:
    """Returns a line if a controller's EndpointSlice has an address that is not that of a pod."""
    service = _labels(body).get(_SERVICE)
    if not any(obj.kind == "Service" and obj.name == service for obj in objects):
        return ""
    pods = {
        str(each.get("ip"))
        for pod in running.of("Pod")
        for each in at(dict(pod), "status", "podIPs") or [{"ip": at(dict(pod), "status", "podIP")}]
    }
    for endpoint in body.get("endpoints") or []:
        if at(endpoint, "conditions", "ready") is False:  # a pod that starts or ends
            continue
        for address in endpoint.get("addresses") or []:
            if address not in pods and body.get("addressType") != "FQDN":
                return f"it leads requests to the Service {service} to {address}, which is not a pod of it"
    return ""


def _stored(release: str, status: str, running: Running) -> Iterator[Stranger]:
    """Yields Helm's Secrets and ConfigMaps of a release whose labels are not those that Helm writes."""
    revisions: dict[int, Mapping[str, Any]] = {}
    for body in running.of("Secret", "ConfigMap"):
        stored = _STORED.match(body["metadata"]["name"])
        if stored is None or stored["release"] != release:
            continue
        labels = _labels(body)
        if (labels.get("owner"), labels.get("name"), labels.get("version")) != ("helm", release, stored["revision"]):
            yield Stranger(identity_of(body), f"it looks like Helm's revision of {release}, without Helm's labels")
        else:
            revisions[int(stored["revision"])] = body
    latest = revisions[max(revisions)] if revisions else None
    if status and latest is not None and (label := _labels(latest).get("status")) != status:
        yield Stranger(identity_of(latest), f"its label status is {label}, and the status of {release} is {status}")


def _left_over(
    scope: Scope,
    unknown: Sequence[Mapping[str, Any]],
    reported: set[Identity],
    by_release: dict[str, tuple[tuple[Stranger, ...], tuple[str, ...]]],
) -> None:
    """Adds each other object with a lane's labels to the release that it resembles most."""
    for body in unknown:
        identity, labels = identity_of(body), _labels(body)
        stored = _STORED.match(identity.name)
        if identity in reported or labels.get(LANE) not in scope.lanes or (stored and stored["release"] in scope.own):
            continue
        reported.add(identity)

        def likeness(release: str, labels: Mapping[str, Any] = labels) -> int:
            return max((len(labels.items() & obj.labels.items()) for obj in scope.own[release]), default=0)

        nearest = max(scope.own, key=likeness)
        strangers, notes = by_release[nearest]
        other = _release(body)
        of = f"says that it is of {other}, which is not a release of the lane" if other else "no release has it"
        why = f"it has the labels of lane {labels[LANE]}, and {of}"
        by_release[nearest] = ((*strangers, Stranger(identity, why)), notes)

"""The guard of a namespace: which policies of charts/guard are in force there, and why others are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, cast

from sidelane.errors import ClusterDenied, InvalidInput, KindNotServed, Refused
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import LiveObject, Query
from sidelane.manifest import Manifest
from sidelane.manifest.fields import at, mapping
from sidelane.manifest.label_selectors import parse_selector
from sidelane.naming.labels import GUARD, LANE, NAME
from sidelane.releases.context import Context
from sidelane.support.harmless import in_line

#: The policies of charts/guard, by their components.
POLICIES: Final = ("endpoints", "helm-releases", "lane-objects", "lane-scale", "namespaces", "release-objects")
#: The policy for objects without a namespace, which the chart installs on request.
_CLUSTER: Final = "cluster-objects"
_VERSION: Final = "admissionregistration.k8s.io/v1"
_ACTIONS: Final = {"deny": "Deny", "warn": "Warn", "audit": "Audit"}

_STATIC: Final = ".static.k8s.io"

Mode = Literal["deny", "warn", "audit", "none"]


class Guarding(NamedTuple):
    """The guard of a namespace.

    mode: what happens to a forbidden request, by the label of the namespace. policies: those in force. gaps: the
    reasons why the namespace is not guarded completely, each with its remedy. known: False if they can't be read.
    cluster_objects: the same as mode for objects of lanes without a namespace, in the whole cluster.
    """

    namespace: str
    mode: Mode
    policies: tuple[str, ...]
    gaps: tuple[str, ...]
    known: bool = True
    cluster_objects: Mode = "none"

    @property
    def enforced(self) -> bool:
        """True if every policy refuses what is forbidden."""
        return self.mode == "deny" and not self.gaps

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form."""
        return {
            "namespace": self.namespace,
            "mode": self.mode,
            "enforced": self.enforced,
            "policies": list(self.policies),
            "gaps": list(self.gaps),
            "clusterObjects": self.cluster_objects,
        }


async def status(context: Context, *, all_namespaces: bool = False) -> tuple[Guarding, ...]:
    """Returns the guard of the call's namespace, or of each namespace, sorted by name.

    Raises InvalidInput for a directory, ClusterUnreachable, and ClusterDenied if the namespaces can't be read.
    """
    if context.is_directory:
        raise InvalidInput(
            "a directory has no guard: only a cluster refuses requests",
            remedy="leave out --directory, or protect the directory's repository",
        )
    namespace = None if all_namespaces else await context.target.chosen()
    reader = ClusterReader(context.helm, namespace)
    spaces = Query("v1", "Namespace", namespace or "", "")
    labels = {NAME: "guard"}
    try:
        namespaces, policies, bindings = await reader.read(
            spaces,
            Query(_VERSION, "ValidatingAdmissionPolicy", "", "", labels),
            Query(_VERSION, "ValidatingAdmissionPolicyBinding", "", "", labels),
        )
        unread = ""
    except (ClusterDenied, KindNotServed) as error:
        (namespaces,) = await reader.read(spaces)
        policies, bindings = (), ()
        unread = f"the policies can't be read: {error.problem}; {error.remedy}"
    if namespace and not namespaces:
        gap = f"there is no namespace {namespace}; create it with the label {GUARD}=deny"
        return (Guarding(namespace, "none", (), (gap,)),)
    return tuple(sorted(judged(space, policies, bindings, unread) for space in namespaces))


async def require(context: Context) -> None:
    """Raises Refused unless the call's namespace is guarded completely."""
    (guarding,) = await status(context)
    if not guarding.enforced:
        raise Refused(
            f"the namespace {guarding.namespace} is not guarded:\n  " + "\n  ".join(guarding.gaps),
            remedy="deploy there without --require-guard only if everyone with write access may change the lane",
        )


def judged(space: LiveObject, policies: Sequence[LiveObject], bindings: Sequence[LiveObject], unread: str) -> Guarding:
    name = str(space["metadata"]["name"])
    labels = {**mapping(space, "metadata", "labels")}
    label = str(labels.get(GUARD) or "")
    mode = cast("Mode", label) if label in _ACTIONS else "none"
    gaps = [_label_gap(name, label)] if mode != "deny" else []
    if unread:
        return Guarding(name, mode, (), (*gaps, unread), known=False)
    in_force: list[str] = []
    for policy in POLICIES if mode != "none" else ():
        if reasons := list(_reasons(policy, labels, mode, policies, bindings)):
            gaps += reasons
        else:
            in_force.append(policy)
    if not policies:
        gaps.append(
            "no policy of the chart guard is installed; see the README of charts/guard. Policies that the API server "
            "reads from files are not visible"
        )
    of_cluster = _cluster_mode(policies, bindings)
    return Guarding(name, mode, tuple(in_force), tuple(map(in_line, gaps)), cluster_objects=of_cluster)


def _cluster_mode(policies: Iterable[LiveObject], bindings: Sequence[LiveObject]) -> Mode:
    """Returns the strictest mode of any Build of the guard for objects without a namespace."""
    builds = [
        str(each["metadata"]["name"])
        for each in policies
        if _component(each) == _CLUSTER and at(each, "spec", "failurePolicy") != "Ignore"
    ]
    for mode, action in _ACTIONS.items():
        if any(_binds(binding, build, {}, action) for build in builds for binding in bindings):
            return cast("Mode", mode)
    return "none"


def _label_gap(name: str, label: str) -> str:
    label_text = f"the label {GUARD}={label}" if label else f"no label {GUARD}"
    return f"{name} has {label_text}; `kubectl label namespace {name} {GUARD}=deny --overwrite` makes the guard refuse"


def _reasons(
    policy: str,
    labels: Mapping[str, Any],
    mode: str,
    policies: Iterable[LiveObject],
    bindings: Sequence[LiveObject],
) -> Iterator[str]:
    """Yields the reasons why no Build of the guard enforces this policy; nothing if one does."""
    builds = [each for each in policies if _component(each) == policy]
    if not builds:
        yield f"the policy {policy} is missing; install the chart guard again"
        return
    reasons = [list(_gaps(build, labels, mode, bindings)) for build in builds]
    if all(reasons):
        yield from reasons[0]


def _component(body: Mapping[str, Any]) -> str:
    """Returns the component of an object of the guard: its name without the guard's own lane."""
    lane = mapping(dict(body), "metadata", "labels").get(LANE)
    return re.sub(rf"-{re.escape(str(lane))}$", "", str(body["metadata"]["name"]))


def _gaps(policy: LiveObject, labels: Mapping[str, Any], mode: str, bindings: Sequence[LiveObject]) -> Iterator[str]:
    name = policy["metadata"]["name"]
    if at(policy, "spec", "failurePolicy") not in (None, "Fail"):
        yield f"{name} passes requests when it fails: spec.failurePolicy is not Fail; install the chart guard again"
    for warning in at(policy, "status", "typeChecking", "expressionWarnings") or []:
        yield f"{name}: {warning.get('fieldRef')}: {warning.get('warning')}"
    # The policy for namespaces guards the label deny alone, and has one binding.
    action = "Deny" if name.startswith("namespaces-") else _ACTIONS[mode]
    if not any(_binds(binding, name, labels, action) for binding in bindings):
        yield f"{name} has no binding with {action} for this namespace; install the chart guard again"


def _binds(binding: LiveObject, policy: str, labels: Mapping[str, Any], action: str) -> bool:
    spec = mapping(binding, "spec")
    selector = at(spec, "matchResources", "namespaceSelector") or {}
    return (
        spec.get("policyName") == policy
        and action in (spec.get("validationActions") or [])
        and parse_selector("", selector, "pods", "subject").matches(labels)
    )


def static_manifests(text: str) -> list[dict[str, Any]]:
    """Returns the policies and bindings of a rendered guard in the form that an API server reads from its disk.

    Names end in ``.static.k8s.io``, and no other kind is allowed there
    (https://kubernetes.io/docs/reference/access-authn-authz/manifest-admission-control/).
    """
    objects = [
        dict(obj.body) for obj in Manifest.read(text).objects if obj.identity.group == _VERSION.partition("/")[0]
    ]
    for body in objects:
        body["metadata"] = {"name": f"{body['metadata']['name']}{_STATIC}", "labels": body["metadata"].get("labels")}
        if "policyName" in body["spec"]:
            body["spec"] = {**body["spec"], "policyName": f"{body['spec']['policyName']}{_STATIC}"}
    return objects

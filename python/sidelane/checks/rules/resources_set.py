"""Containers have requests and a memory limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.checks.rules.workloads import containers, templates
from sidelane.manifest.fields import at

_WANTED: Final = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def _check(context: Context) -> Iterator[Problem]:
    for obj, template in templates(context.manifest):
        if at(template.spec, "resources"):  # of the pod as a whole
            continue
        for path, container in containers(template, ("containers", "initContainers")):
            resources = container.get("resources")
            missing = [f"{part}.{name}" for part, name in _WANTED if _is_missing(resources, part, name)]
            if missing:
                yield Problem(obj, f"{path}.resources", f"lacks {', '.join(missing)}")


def _is_missing(resources: object, part: str, name: str) -> bool:
    # A limit without a request is the request, too.
    return at(resources, part, name) is None and (part == "limits" or at(resources, "limits", name) is None)


RULE: Final[Rule] = Rule(
    id="resources-set",
    title="Containers have requests and a memory limit",
    explanation=(
        "The scheduler places pods by their requests: without them lanes side by side share a node until it has no "
        "memory left, and pods without requests are evicted first. Without a memory limit one pod can take a node. A "
        "CPU limit is not demanded, because it slows a container while the node is idle."
    ),
    remedy="set resources.requests.cpu, requests.memory and limits.memory",
    wrong=(
        edited(RELEASE, ("limits: {memory: 64Mi}", "limits: {}")),
        edited(RELEASE, ("requests: {cpu: 100m, memory: 64Mi}, ", "")),
    ),
    right=(RELEASE, edited(RELEASE, ("{cpu: 100m, memory: 64Mi}", "{cpu: 100m}"))),
    check=_check,
    origin="Kubernetes, Resource Management for Pods and Containers",
    scope="practice",
    severity="warning",
    tests=False,
)

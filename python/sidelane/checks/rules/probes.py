"""Containers with ports have a readiness probe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.checks.rules.workloads import lasting, served
from sidelane.manifest.fields import at


def _check(context: Context) -> Iterator[Problem]:
    for obj, template in lasting(context.manifest):
        # One probe decides on the whole pod: a sidecar for metrics needs none of its own.
        serving = [(path, each) for path, each in served(template) if each.get("ports")]
        if serving and not any(each.get("readinessProbe") for _, each in served(template)):
            yield Problem(obj, serving[0][0], "no container of the pod has a readinessProbe")
        for path, container in served(template):
            live, ready = container.get("livenessProbe"), container.get("readinessProbe")
            if isinstance(live, dict) and live == ready and not at(container, "startupProbe"):
                yield Problem(
                    obj,
                    f"{path}.livenessProbe",
                    "is the same as the readinessProbe, so a pod that is busy is killed instead of spared",
                    "check only that the process responds, or give it a higher failureThreshold",
                )


_READY: Final = "          readinessProbe: {httpGet: {path: /, port: http}}\n"

RULE: Final[Rule] = Rule(
    id="probes",
    title="Containers with ports have a readiness probe",
    explanation=(
        "Without a readiness probe a pod gets requests before it can answer them, and a wait for the release ends too "
        "early. A liveness probe equal to it restarts pods that are only busy, all at once. Jobs and pods without "
        "ports need no probe."
    ),
    remedy="add a readinessProbe that succeeds only if the program serves",
    wrong=(
        edited(RELEASE, (_READY, "")),
        edited(RELEASE, ("{tcpSocket: {port: http}}", "{httpGet: {path: /, port: http}}")),
    ),
    right=(
        RELEASE,
        edited(
            RELEASE,
            (_READY, ""),
            ("          ports: [{name: http, containerPort: 8080}]\n", ""),
            ("          livenessProbe: {tcpSocket: {port: http}}\n", ""),
            ("targetPort: http", "targetPort: 8080"),
        ),
    ),
    check=_check,
    origin="Kubernetes, Liveness, Readiness, and Startup Probes",
    scope="practice",
    severity="warning",
)

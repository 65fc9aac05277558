"""The configuration of a lane is immutable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.findings import Fix
from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.checks.rules.workloads import templates
from sidelane.manifest import references


def _check(context: Context) -> Iterator[Problem]:
    # Only settings that pods use: others are data that someone may have to change.
    used = {reference.target for obj, _ in templates(context.manifest) for reference in references(obj)}
    for obj, _ in context.in_lanes():
        settings = (obj.identity.group, obj.kind) in {("", "ConfigMap"), ("", "Secret")} and obj.identity in used
        if settings and obj.body.get("immutable") is not True and _has_data(obj.body):
            message = f"the pods' {obj.kind} can be changed under them"
            yield Problem(obj, "immutable", message, fix=Fix("immutable", value=True))


def _has_data(body: object) -> bool:
    return isinstance(body, dict) and any(body.get(part) for part in ("data", "binaryData", "stringData"))


RULE: Final[Rule] = Rule(
    id="immutable-configuration",
    title="The configuration of a lane is immutable",
    explanation=(
        "Pods read a changed ConfigMap at once or at their next start, so an edit changes a deployed lane, and only "
        "some of its pods. Kubernetes refuses the edit of an immutable one, and needs not watch it. An empty one, "
        "which something else fills, is left out."
    ),
    remedy="set immutable: true; a change is a new Build",
    wrong=(edited(RELEASE, ("immutable: true\n", "")), edited(RELEASE, ("immutable: true", "immutable: false"))),
    right=(RELEASE, edited(RELEASE, ("immutable: true\ndata:\n  level: info\n", ""))),
    check=_check,
    origin="Kubernetes, ConfigMaps: immutable ConfigMaps",
    scope="lanes",
    severity="warning",
    fix="set immutable: true in the template of the ConfigMap or Secret",
)

"""Labels have the values of the conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.conventions.patterns import accepts, names_lane, placeholders
from sidelane.checks.conventions.patterns import shown as filled
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.manifest import Object

_OBJECT: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  labels: {{app.kubernetes.io/instance: web, {team}}}
"""


def _check(context: Context) -> Iterator[Problem]:
    patterns = {key: pattern for key, pattern in context.conventions.labels.items() if not of_lane(pattern)}
    for obj in context.manifest.objects if patterns else ():
        yield from _labels(context, obj, obj.labels, "metadata.labels", patterns)
        if (template := obj.pod_template) and template.path:
            yield from _labels(context, obj, template.labels, template.within("metadata.labels"), patterns)


def of_lane(pattern: str) -> bool:
    """Return whether the rule lane-labels checks labels of this pattern."""
    return names_lane(pattern) or "serviceVersion" in placeholders(pattern)


def _labels(
    context: Context, obj: Object, labels: Mapping[str, Any], path: str, patterns: Mapping[str, str]
) -> Iterator[Problem]:
    known = context.known(obj)
    for key, pattern in patterns.items():
        value = labels.get(key)
        if value is None:
            yield Problem(obj, path, f"lacks the label {key}")
        elif not accepts((pattern,), value, known):
            yield Problem(obj, f"{path}[{key}]", f"is {shown(value)}, but must be {filled(pattern, known)}")


RULE: Final[Rule] = Rule(
    id="label-pattern",
    title="Labels have the values of the conventions",
    explanation=(
        "Dashboards, policies and cost reports find objects by labels that every chart sets in the same way. The "
        "conventions name these labels and the patterns of their values. Labels of a lane are checked by lane-labels."
    ),
    remedy="set the label in the chart's template of common labels, for objects and for pod templates",
    wrong=(_OBJECT.format(team="team: Shop"), _OBJECT.format(team="")),
    right=(_OBJECT.format(team="team: shop-search"),),
    check=_check,
    origin="Kubernetes, Recommended Labels; Helm, Best Practices: Labels and Annotations",
    scope="all",
    conventions="extends: helm\nlabels: {team: '{component}'}",
)

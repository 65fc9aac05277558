"""Names match the patterns of the conventions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.conventions.patterns import accepts, names_lane, reading, shown
from sidelane.checks.rules.rule import Context, Problem, Rule

COMPONENT_REMEDY: Final = "use one of the conventions' components, or add this one to them"
_OBJECT: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{app.kubernetes.io/instance: web}}
"""


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        patterns = context.conventions.names_of(obj.kind)
        if not patterns or any(map(names_lane, patterns)):  # lane-suffix checks those
            continue
        known = context.known(obj)
        if not accepts(patterns, obj.name, known):
            expected = " or ".join(shown(pattern, known) for pattern in patterns)
            yield Problem(obj, "metadata.name", f"the name {obj.name!r} is not {expected}")
        elif unknown := component_problem(context, patterns, obj.name):
            yield Problem(obj, "metadata.name", unknown, COMPONENT_REMEDY)


def component_problem(context: Context, patterns: tuple[str, ...], name: str) -> str:
    """Return the problem of a component that the conventions do not have; empty text if there is none."""
    allowed = context.conventions.components
    if not allowed:
        return ""
    components = {reading(pattern, name, key) for pattern in patterns for key in ("component", "service")} - {""}
    return (
        ""
        if not components or components & {*allowed}
        else f"the component {min(components)!r} is not one of {', '.join(allowed)}"
    )


RULE: Final[Rule] = Rule(
    id="name-pattern",
    title="Names match the patterns of the conventions",
    explanation=(
        "Two releases of a chart can be installed in one namespace only if their objects have different names. So the "
        "conventions have a pattern for the names of each kind; those of `helm create` begin with the release's name. "
        "Helm refuses to install an object that another release owns. Patterns with a lane are checked by lane-suffix."
    ),
    remedy="build the name from the release's name, as `helm create` does with its template `fullname`",
    wrong=(_OBJECT.format(name="settings"), _OBJECT.format(name="webserver")),
    right=(_OBJECT.format(name="web"), _OBJECT.format(name="web-settings")),
    check=_check,
    origin="Helm, Best Practices: Templates, names; `helm create`",
    scope="all",
    conventions="extends: helm",
)

"""No object has another namespace than the release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited, made
from sidelane.checks.rules.rule import Context, Problem, Rule
from sidelane.manifest.fields import at

#: Rights hold in the namespace of their role: a chart that gives rights elsewhere has no other place for them.
_RIGHTS: Final = frozenset({"Role", "RoleBinding", "ServiceAccount"})


def _check(context: Context) -> Iterator[Problem]:
    namespaced = [obj for obj in context.manifest.objects if obj.identity.namespace and obj.kind not in _RIGHTS]
    home = Counter(obj.identity.namespace for obj in namespaced).most_common(1)
    made_here = {obj.name for obj in context.manifest.objects if obj.kind == "Namespace"}
    for obj in namespaced:
        given = at(obj.body, "metadata", "namespace")
        exempt = given in made_here if isinstance(given, str) else True
        if given != home[0][0] and not exempt:
            yield Problem(
                obj, "metadata.namespace", f"is {given!r}, but the release's other objects are in {home[0][0]!r}"
            )


_NAMESPACED: Final = ("metadata:\n  name", "metadata:\n  namespace: other\n  name")

RULE: Final[Rule] = Rule(
    id="no-fixed-namespace",
    title="No object has another namespace than the release",
    explanation=(
        "An object with a namespace of its own is outside the release's: the rights, quotas and policies there do not "
        "hold for it, two releases in two namespaces share it, and removing the namespace leaves it. The namespace of "
        "most objects is taken for the release's. Rights, and objects in namespaces that the chart makes, are left out."
    ),
    remedy="leave metadata.namespace out, or use .Release.Namespace",
    wrong=(RELEASE + edited(made("v1", "Secret", "data: {}"), _NAMESPACED),),
    right=(RELEASE + made("v1", "ServiceAccount", ""), edited(RELEASE, _NAMESPACED)),
    check=_check,
    origin="Helm, Best Practices: templates; Kubernetes, Namespaces",
    scope="all",
    severity="warning",
)

"""Helm's own fields of hooks, by which it runs them: they repeat the annotations of the hooks' manifests.

Source: https://github.com/helm/helm/blob/main/pkg/release/v1/util/manifest_sorter.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sidelane import kubeyaml
from sidelane.errors import InvalidManifest
from sidelane.manifest.fields import mapping
from sidelane.support.harmless import in_line

#: Helm's default, which it stores when it runs the hook.
_BEFORE: Final = frozenset({"before-hook-creation"})


def odd(hooks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yields a line for each field of a hook that differs from its manifest. hooks: of Helm's JSON of a release."""
    for hook in hooks:
        try:
            body = kubeyaml.read(hook.get("manifest") or "", source=str(hook.get("path")))
        except InvalidManifest:  # the comparison with the record reports it
            continue
        name = f"{mapping(body, 'metadata').get('name')}" if isinstance(body, dict) else ""
        annotations = mapping(body, "metadata", "annotations") if isinstance(body, dict) else {}
        for field, stored, said in _fields(hook, annotations):
            line = f"the hook {name}: Helm has the {field} {stored or 'none'}, and its manifest {said or 'none'}"
            yield in_line(line)


def _fields(hook: Mapping[str, Any], annotations: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yields name, stored value and the manifest's value of each field that differs."""
    events, said = _words(hook.get("events")), _listed(annotations.get("helm.sh/hook"))
    said = {"test" if each == "test-success" else each for each in said}
    if events != said:
        yield "events", ", ".join(sorted(events)), ", ".join(sorted(said))
    policies, wanted = _words(hook.get("delete_policies")), _listed(annotations.get("helm.sh/hook-delete-policy"))
    if policies != wanted and (wanted or policies != _BEFORE):
        yield "delete policies", ", ".join(sorted(policies)), ", ".join(sorted(wanted))
    weight, own = hook.get("weight") or 0, _number(annotations.get("helm.sh/hook-weight"))
    if weight != own:
        yield "weight", str(weight), str(own)


def _words(items: Any) -> set[str]:
    return {str(each) for each in items or ()}


def _listed(text: Any) -> set[str]:
    return set(filter(None, (each.strip().lower() for each in str(text or "").split(","))))


def _number(text: Any) -> int:
    """Returns a weight as Helm reads it: 0 for one that is not a whole number."""
    try:
        return int(str(text))
    except ValueError:
        return 0

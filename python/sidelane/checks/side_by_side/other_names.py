"""No setting of one release names an object that only the other has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sidelane.checks.side_by_side.clash import Clash, Side, Touch, containers, is_route
from sidelane.manifest import Object, references
from sidelane.manifest.fields import mapping, walk

_WORD: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: A longer text is read up to here.
_TEXT: Final = 1_000_000

_SERVICE: Final = "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{}}\n"
_POD: Final = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: main, {fields}}}]}}}}}}
"""
_CONFIG: Final = (
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{url: 'http://{host}:80/'}}\n"
)


def _find(mine: Side, theirs: Side) -> Iterator[Touch]:
    own = {obj.name for obj in mine.objects}
    others = {obj.name: obj for obj in theirs.objects if obj.name not in own}
    if not others:
        return
    for obj in mine.objects:
        if is_route(obj):
            continue
        for path, name in _names(obj):
            if name in others:
                message = f"names {others[name].identity}, which only the other release has"
                yield Touch(obj, path, message, others[name])
                break


def _names(obj: Object) -> Iterator[tuple[str, str]]:
    """Yield each name in the object's settings with its path."""
    for reference in references(obj):
        yield reference.path, reference.target.name
    for path, text in _texts(obj):
        for word in dict.fromkeys(_WORD.findall(text[:_TEXT])):
            yield path, word


def _texts(obj: Object) -> Iterator[tuple[str, str]]:
    if template := obj.pod_template:
        for path, container in containers(template):
            for pattern in ("args[]", "command[]", "env[].value"):
                yield from ((where, str(text)) for where, text in walk(container, pattern, path))
    if not obj.identity.group and obj.kind in ("ConfigMap", "Secret"):
        for part in ("data", "stringData") if obj.kind == "ConfigMap" else ("stringData",):
            yield from ((f"{part}.{key}", str(text)) for key, text in mapping(obj.body, part).items())


def _pod(name: str, fields: str) -> str:
    return _SERVICE.format(name=name) + _POD.format(name=name, fields=fields)


CLASH: Final[Clash] = Clash(
    id="other-names",
    title="No setting leads into the other release",
    explanation=(
        "A name in an argument, an environment variable, a configuration file or a reference that only the other "
        "release has leads there: a new version then uses the old one's database or queue, and stops with it."
    ),
    remedy="build the name from the release's own name",
    wrong=(
        (_pod("app-1", "args: [--db=app-2]"), _SERVICE.format(name="app-2")),
        (_SERVICE.format(name="app-1"), _pod("app-2", "env: [{name: DB, value: 'tcp://app-1.default.svc:5432'}]")),
        (_SERVICE.format(name="app-1") + _CONFIG.format(name="cfg-1", host="app-2"), _SERVICE.format(name="app-2")),
        (
            _SERVICE.format(name="app-1"),
            _pod("app-2", "envFrom: [{configMapRef: {name: app-1}}]"),
        ),
    ),
    right=(
        (_pod("app-1", "args: [--db=app-1]"), _pod("app-2", "args: [--db=app-2]")),
        (_pod("app-1", "args: [--db=shared]"), _pod("app-2", "args: [--db=shared]")),
        (_pod("app-1", "args: [--db=zk-app-2]"), _SERVICE.format(name="app-2")),
    ),
    find=_find,
    both_ways=True,
    origin="Kubernetes, DNS for Services and Pods",
)

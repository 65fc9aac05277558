"""Rendered YAML as the objects that Kubernetes would get, with their identities, selectors and references.

- objects.py: an object and its identity;
- label_selectors.py, name_references.py: an object's label selectors, and its references by name;
- differences.py: two manifests, field by field;
- fields.py: access to an object's fields by path;
- drift.py, as_found.py: an object, and the same object as it is in a cluster;
- operational.py, autoscaled.py: the fields that may differ.

The package reads no cluster, and knows neither charts nor lanes: rules about them belong in checks/rules/.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sidelane import kubeyaml
from sidelane.manifest.differences import diff_objects
from sidelane.manifest.label_selectors import LabelIndex, Selector, selectors
from sidelane.manifest.name_references import Reference, references
from sidelane.manifest.objects import Identity, Object, PodTemplate, parse_object
from sidelane.support.secrets import learn_objects

__all__ = [
    "Identity",
    "LabelIndex",
    "Manifest",
    "Object",
    "PodTemplate",
    "Reference",
    "Selector",
    "diff",
    "diff_objects",
    "references",
    "selectors",
]

_SOURCE: Final = re.compile(r"^# Source: (\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The objects of one rendering, in their order, with List objects split into their items.

    ``duplicates`` are keys that a mapping has twice. The last one counts, as in Helm; a check reports them.
    """

    objects: tuple[Object, ...]
    duplicates: tuple[kubeyaml.Duplicate, ...] = ()

    @classmethod
    def read(
        cls,
        text: str | bytes,
        *,
        namespace: str = "default",
        source: str = "<input>",
        begun: kubeyaml.Reading | None = None,
    ) -> Manifest:
        """Read rendered YAML as Kubernetes would read it.

        Objects without a namespace get the given one. ``source`` names the input in errors, and for objects without
        Helm's ``# Source:`` comment. ``begun`` is the reading of the same text by kubeyaml.begin. Raises
        InvalidManifest for unreadable input and for objects without a name.
        """
        duplicates: list[kubeyaml.Duplicate] = []
        documents = kubeyaml.read_documents(text, source=source, duplicates=duplicates, begun=begun)
        objects = tuple(_objects(documents, namespace, source))
        learn_objects(obj.body for obj in objects)
        return cls(objects, tuple(duplicates))

    def digest(self) -> str:
        """Return ``sha256:`` and 64 hexadecimal digits. The order of the objects and of their keys does not count, and
        neither do those of `helm test`.
        """
        lines = sorted((obj.identity, obj.canonical()) for obj in self.installed)
        return digest("\n".join(canonical for _, canonical in lines))

    @property
    def installed(self) -> tuple[Object, ...]:
        """The objects without those of `helm test`: the content of a release."""
        return tuple(obj for obj in self.objects if not obj.is_test)

    def without_secrets(self, texts: frozenset[str]) -> Manifest:
        """Return the objects with every secret hidden, so that nobody can guess a secret from their digest.

        texts: known secrets, such as those of the values. Other secrets are recognized by their keys.
        """
        return Manifest(tuple(obj.without_secrets(texts) for obj in self.objects))


def digest(text: str) -> str:
    """Return ``sha256:`` and the 64 hexadecimal digits of a text's SHA-256, in UTF-8."""
    import hashlib  # noqa: PLC0415 - a check needs none, and it loads OpenSSL

    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def diff(a: Manifest, b: Manifest, *, names: tuple[str, str] = ("the first", "the second")) -> tuple[str, ...]:
    """Return the differences, one line per field: ``StatefulSet zk-coco-1: spec.replicas: 3 → 5``.

    Empty for the same content. ``names`` describe the two manifests in lines about objects that only one has. Values
    of Secrets are never shown.
    """
    return tuple(diff_objects(a.objects, b.objects, names))


def _objects(documents: list[kubeyaml.Document], namespace: str, source: str) -> Iterator[Object]:
    for document in documents:
        template = _template(document.comment)
        where = f"{source}, line {document.line}" + (f" ({template})" if template else "")
        line = 0 if template else document.line  # Helm does not tell the template's line
        for body in _flattened(document.data):
            yield parse_object(body, where, namespace=namespace, source=template or source, line=line)


@functools.lru_cache(maxsize=1024)  # the documents of a template have the same comment
def _template(comment: str) -> str:
    """Return the template that Helm's comment names; empty text without one."""
    templates: list[str] = _SOURCE.findall(comment)
    return templates[-1] if templates else ""


def _flattened(body: Any) -> Iterator[Any]:
    """Yield the object itself, or a List's items. An item without a kind gets it from the List, as in apimachinery."""
    kind = body.get("kind") if isinstance(body, dict) else None
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(body.get("items"), list):
        yield body
        return
    for item in body["items"]:
        inherited = {"apiVersion": body.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
        yield from _flattened({**inherited, **item} if isinstance(item, dict) else item)

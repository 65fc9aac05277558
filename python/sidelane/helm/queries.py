"""Queries for objects of a cluster, and many of them as few.

For each lookup of a chart Helm asks the API server anew: first for the kind, then for the object.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

#: A list of all objects of a kind takes as long as this many reads of one, in a namespace with some hundred of them.
FEW: Final = 8
#: The kinds of which lanes have many. Not Secrets, in which Helm keeps its releases.
_LISTED: Final = frozenset(
    {
        *(("v1", kind) for kind in ("ConfigMap", "Service", "ServiceAccount")),
        *(("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet")),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("policy/v1", "PodDisruptionBudget"),
    }
)

#: An object as the API server has it, without ``metadata.managedFields`` unless they are requested.
LiveObject = dict[str, Any]


class Query(NamedTuple):
    """A query for one object by its name, or without a name for all objects of a kind.

    namespace: None means the reader's own; empty means cluster-scoped objects, or objects of all namespaces. labels:
    required labels of the objects; several values of one are alternatives. managed_fields: include
    ``metadata.managedFields``. only: of all objects of a kind, those with one of these names.
    """

    api_version: str
    kind: str
    name: str = ""
    namespace: str | None = None
    labels: Mapping[str, str | Sequence[str]] = {}
    managed_fields: bool = False
    only: Sequence[str] = ()

    @property
    def alternatives(self) -> dict[str, list[str]]:
        """The required labels, each with all values that are allowed."""
        return {key: [value] if isinstance(value, str) else list(value) for key, value in self.labels.items()}

    def to_json(self) -> dict[str, object]:
        """Return the query in the form that the chart reads."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "labels": self.alternatives,
            "managedFields": self.managed_fields,
            "only": list(self.only),
        }


class Batch(NamedTuple):
    """A query that stands for several. members: their places among all queries."""

    query: Query
    members: tuple[int, ...]


def batches(queries: Sequence[Query]) -> list[Batch]:
    """Returns the queries to ask: a list for many objects of a kind, and one list for all labels of a kind."""
    groups: dict[Hashable, list[int]] = {}
    for place, query in enumerate(queries):
        groups.setdefault(_group(query, place), []).append(place)
    return [batch for places in groups.values() for batch in _batched(queries, places)]


def _group(query: Query, place: int) -> Hashable:
    """Returns the same for queries that one list can answer."""
    kind = (query.api_version, query.kind, query.namespace, query.managed_fields)
    if query.name and kind[:2] in _LISTED and not query.labels:
        return (*kind, "")
    if query.labels and not query.name and not query.only:
        return (*kind, *sorted(query.labels))
    return place


def _batched(queries: Sequence[Query], places: Sequence[int]) -> Iterator[Batch]:
    first, names = queries[places[0]], sorted({queries[place].name for place in places})
    if len(places) == 1 or (first.name and len(names) <= FEW):
        yield from (Batch(queries[place], (place,)) for place in places)
    elif first.name:
        yield Batch(first._replace(name="", only=names), tuple(places))
    else:
        labels = {
            key: sorted({value for place in places for value in queries[place].alternatives[key]})
            for key in first.labels
        }
        yield Batch(first._replace(labels=labels), tuple(places))


def parted(
    queries: Sequence[Query], asked: Sequence[Batch], answers: Sequence[Sequence[LiveObject]]
) -> tuple[tuple[LiveObject, ...], ...]:
    """Returns the objects for each query, from the answers to the batches."""
    objects: dict[int, tuple[LiveObject, ...]] = {}
    for batch, answer in zip(asked, answers, strict=True):
        if len(batch.members) == 1:
            objects[batch.members[0]] = tuple(answer)
        elif batch.query.only:
            # The items of a list do not have their kind.
            kind = {"apiVersion": batch.query.api_version, "kind": batch.query.kind}
            named = {str(body["metadata"]["name"]): {**kind, **body} for body in answer}
            objects |= {at: tuple(filter(None, [named.get(queries[at].name)])) for at in batch.members}
        else:
            objects |= {at: _labelled(answer, queries[at].alternatives) for at in batch.members}
    return tuple(objects[place] for place in range(len(queries)))


def _labelled(objects: Sequence[LiveObject], required: Mapping[str, Sequence[str]]) -> tuple[LiveObject, ...]:
    labels = ((body, body["metadata"].get("labels") or {}) for body in objects)
    return tuple(body for body, own in labels if all(own.get(key) in values for key, values in required.items()))

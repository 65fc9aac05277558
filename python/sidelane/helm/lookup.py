"""Reading objects of a cluster, with Helm as the only door: its credentials, its plugins, its proxy, whatever it uses.

Helm's `lookup` reads any object; the chart in `_reader` prints what it finds. It is rendered against the cluster and
never installed, so nothing is written, and the right to get or list what is asked for is all that it takes. One call of
Helm answers any number of queries, in about 150 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from sidelane.errors import HelmError, NotWhatWasChecked
from sidelane.helm.client import Helm
from sidelane.helm.values import document

CHART: Final = Path(__file__).parent / "_reader"
_ANSWERS: Final = "  answers: "

#: An object as the API server has it, less ``metadata.managedFields`` unless these are asked for.
LiveObject = dict[str, Any]


class Query(NamedTuple):
    """What is looked for: one object by its name, or without a name all of a kind.

    namespace: None is the reader's own; empty for what has none, and for objects of every namespace. labels: what a
    found object must carry. managed_fields: give the objects with their ``metadata.managedFields``.
    """

    api_version: str
    kind: str
    name: str = ""
    namespace: str | None = None
    labels: Mapping[str, str] = {}
    managed_fields: bool = False

    def to_json(self) -> dict[str, object]:
        """The query as the chart reads it."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "labels": dict(self.labels),
            "managedFields": self.managed_fields,
        }


class ClusterReader:
    """Objects of a cluster, to be read. namespace: None is Helm's own choice, the kubeconfig's or "default".

    Every call raises ClusterUnreachable, ClusterDenied, and KindNotServed for a kind whose definition is not installed.
    """

    def __init__(self, helm: Helm, namespace: str | None = None) -> None:
        self._helm = helm
        self._namespace = namespace

    async def read(self, *queries: Query) -> tuple[tuple[LiveObject, ...], ...]:
        """What is there for each query, in the order of the queries; an empty tuple for what is not there."""
        if not queries:
            return ()
        answers = await answered(
            self._helm, CHART, {"queries": [query.to_json() for query in queries]}, self._namespace
        )
        if len(answers) != len(queries):
            raise NotWhatWasChecked(
                f"Helm answered {len(answers)} queries of {len(queries)}: it did not get the values that it was given",
                remedy="see which helm is on PATH",
            )
        return tuple(tuple(cast("list[LiveObject]", found)) for found in answers)

    async def get(self, api_version: str, kind: str, name: str, *, namespace: str | None = None) -> LiveObject | None:
        """One object, or None when it is not there."""
        (found,) = await self.read(Query(api_version, kind, name, namespace))
        return found[0] if found else None

    async def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> tuple[LiveObject, ...]:
        """Every object of a kind that carries these labels."""
        (found,) = await self.read(Query(api_version, kind, "", namespace, labels or {}))
        return found


async def answered(helm: Helm, chart: Path, values: Mapping[str, Any], namespace: str | None) -> Any:
    """What a chart that only looks things up prints as its ``answers``. Raises as ClusterReader does."""
    command = ["template", "reader", str(chart), "--dry-run=server", "--values", "-"]
    command += ["--namespace", namespace] if namespace else []
    text = (await helm.run(command, document(values))).decode()
    line = next((line for line in text.splitlines() if line.startswith(_ANSWERS)), None)
    if line is None:
        raise HelmError("Helm printed no answer to what it was asked to look up", remedy="see what the helm on PATH is")
    return json.loads(json.loads(line.removeprefix(_ANSWERS)))

"""Reading objects of a cluster through Helm, with Helm's own credentials, plugins and proxy.

Helm's `lookup` reads any object; the chart in `_reader` prints the results. It is rendered against the cluster and
never installed, so nothing is written, and only the right to get or list the objects is needed. One call of Helm
answers any number of queries, in about 150 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from sidelane.errors import HelmError, NotWhatWasChecked
from sidelane.helm.client import Helm
from sidelane.helm.values import document

CHART: Final = Path(__file__).parent / "_reader"
_ANSWERS: Final = "  answers: "

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

    def to_json(self) -> dict[str, object]:
        """Return the query in the form that the chart reads."""
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "labels": {key: [value] if isinstance(value, str) else list(value) for key, value in self.labels.items()},
            "managedFields": self.managed_fields,
            "only": list(self.only),
        }


class ClusterReader:
    """A reader of a cluster's objects. namespace: None means Helm's default, the kubeconfig's or "default".

    Every call raises ClusterUnreachable, ClusterDenied, and KindNotServed for a kind whose definition is not installed.
    """

    def __init__(self, helm: Helm, namespace: str | None = None) -> None:
        self._helm = helm
        self._namespace = namespace

    async def read(self, *queries: Query) -> tuple[tuple[LiveObject, ...], ...]:
        """Return the objects for each query, in the order of the queries; an empty tuple if there are none."""
        if not queries:
            return ()
        answers = await answered(
            self._helm, CHART, {"queries": [query.to_json() for query in queries]}, self._namespace
        )
        if len(answers) != len(queries):
            raise NotWhatWasChecked(
                f"Helm answered {len(answers)} queries of {len(queries)}: it did not receive the given values",
                remedy="check the helm on PATH",
            )
        return tuple(tuple(cast("list[LiveObject]", objects)) for objects in answers)

    async def get(self, api_version: str, kind: str, name: str, *, namespace: str | None = None) -> LiveObject | None:
        """Return one object, or None if it does not exist."""
        (objects,) = await self.read(Query(api_version, kind, name, namespace))
        return objects[0] if objects else None

    async def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> tuple[LiveObject, ...]:
        """Return every object of a kind that has these labels."""
        (objects,) = await self.read(Query(api_version, kind, "", namespace, labels or {}))
        return objects


async def answered(helm: Helm, chart: Path, values: Mapping[str, Any], namespace: str | None) -> Any:
    """Render a chart that only looks objects up, and return its ``answers``. Raises as ClusterReader does."""
    command = ["template", "reader", str(chart), "--dry-run=server", "--values", "-"]
    command += ["--namespace", namespace] if namespace else []
    text = (await helm.run(command, document(values))).decode()
    line = next((line for line in text.splitlines() if line.startswith(_ANSWERS)), None)
    if line is None:
        raise HelmError("Helm's output has no result of the lookup", remedy="check the helm on PATH")
    return json.loads(json.loads(line.removeprefix(_ANSWERS)))

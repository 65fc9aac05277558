"""Reading objects of a cluster through Helm, with Helm's own credentials, plugins and proxy.

Helm's `lookup` reads any object; the chart in `_reader` prints the results. It is rendered against the cluster and
never installed, so nothing is written, and only the right to get or list the objects is needed. One call of Helm
answers any number of queries, in about 150 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from sidelane.errors import ClusterDenied, HelmError, NotWhatWasChecked
from sidelane.helm.client import Helm
from sidelane.helm.queries import LiveObject, Query, batches, parted
from sidelane.helm.values import document

CHART: Final = Path(__file__).parent / "_reader"
_ANSWERS: Final = "# answers: "


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
        asked = batches(queries)
        try:
            answers = await self._answers([batch.query for batch in asked])
        except ClusterDenied:
            if len(asked) == len(queries):
                raise
            # Someone who may get objects of a kind may perhaps not list them.
            return tuple(map(tuple, await self._answers(queries)))
        return parted(queries, asked, answers)

    async def _answers(self, queries: Sequence[Query]) -> list[list[LiveObject]]:
        answers = await answered(
            self._helm, CHART, {"queries": [query.to_json() for query in queries]}, self._namespace
        )
        if len(answers) != len(queries):
            raise NotWhatWasChecked(
                f"Helm answered {len(answers)} queries of {len(queries)}: it did not receive the given values",
                remedy="check the helm on PATH",
            )
        return cast("list[list[LiveObject]]", answers)

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
    line = next((line for line in text.split("\n") if line.startswith(_ANSWERS)), None)
    if line is None:
        raise HelmError("Helm's output has no result of the lookup", remedy="check the helm on PATH")
    return json.loads(line.removeprefix(_ANSWERS))

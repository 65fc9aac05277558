"""Live objects: many of a kind by one list, or each by its name."""

import asyncio

from sidelane.errors import ClusterDenied
from sidelane.helm.lookup import ClusterReader
from sidelane.manifest import Manifest
from sidelane.releases.stores import live


def test_who_may_not_list_objects_reads_each():
    """The rights of a deployer that holds `get` alone."""
    asked = []

    class Reader(ClusterReader):
        async def read(self, *queries):
            asked.extend(queries)
            if any(query.only for query in queries):
                raise ClusterDenied("may not list", remedy="")
            return tuple(() for _ in queries)

    text = "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\n" for n in range(live.FEW + 1))
    assert asyncio.run(live.read(Reader(None), Manifest.read(text).objects)) == {}
    assert [query.name for query in asked[1:]] == [f"c{n}" for n in range(live.FEW + 1)]

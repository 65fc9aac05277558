"""Live objects: many of a kind by one list, or each by its name."""

import asyncio

from sidelane.errors import ClusterDenied
from sidelane.helm import lookup, queries
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import Query
from sidelane.manifest import Manifest
from sidelane.releases.stores import live


def asked_by(monkeypatch, answer):
    """Returns the queries of each lookup, as the reader's chart gets them."""
    asked = []

    async def answered(helm, chart, values, namespace):
        asked.append(values["queries"])
        return [answer(query) for query in values["queries"]]

    monkeypatch.setattr(lookup, "answered", answered)
    return asked


def test_who_may_not_list_objects_reads_each(monkeypatch):
    """The rights of a deployer that holds `get` alone."""

    def denied(query):
        if query["only"]:
            raise ClusterDenied("may not list", remedy="")
        return []

    asked = asked_by(monkeypatch, denied)
    names = [f"c{n}" for n in range(queries.FEW + 1)]
    text = "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n" for name in names)
    assert asyncio.run(live.read(ClusterReader(None), Manifest.read(text).objects)) == {}
    assert [[query["name"] for query in lookup] for lookup in asked] == [[""], names]


def test_queries_for_labels_of_a_kind_are_one_list_and_each_gets_its_own_objects(monkeypatch):
    def slices(query):
        names = query["labels"].get("service", ["z"])
        return [{"metadata": {"name": f"{name}-1", "labels": {"service": name}}} for name in names]

    asked = asked_by(monkeypatch, slices)
    kind = ("discovery.k8s.io/v1", "EndpointSlice")
    wanted = [Query(*kind, labels={"service": name}) for name in ("b", "a")]
    alone = [Query(*kind), Query(*kind, labels={"other": "a"}), Query(*kind, namespace="far", labels={"service": "a"})]
    first, second, *_, far = asyncio.run(ClusterReader(None).read(*wanted, *alone))
    assert [body["metadata"]["name"] for body in (*first, *second, *far)] == ["b-1", "a-1", "a-1"]
    ((one, *others),) = asked
    assert (one["labels"], len(others)) == ({"service": ["a", "b"]}, 3)


def test_secrets_are_never_listed_for_a_few_names(monkeypatch):
    """Helm keeps its releases in Secrets: a list of them may have many megabytes."""
    asked = asked_by(monkeypatch, lambda query: [])
    asyncio.run(ClusterReader(None).read(*(Query("v1", "Secret", f"s{n}") for n in range(queries.FEW + 1))))
    assert [query["name"] for query in asked[0]] == [f"s{n}" for n in range(queries.FEW + 1)]

"""Nothing of one lane touches another: every chart, over generated values and lanes that are much alike.

With each values file, and a Version or a Build that differs, test_side_by_side.py asks the same of the product's check.
`make soak` draws more.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sidelane.pytest_plugin import NotRendered
from soaking import TIMES
from values_files import loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Object = dict[str, Any]

CHARTS = Path(__file__).resolve().parents[2] / "charts"
every_chart = pytest.mark.parametrize(
    "chart", sorted(path.parents[1] for path in CHARTS.glob("*/ci/full-values.yaml")), ids=lambda chart: chart.name
)

# Lanes that a careless rule would take for one another: one begins or ends as the other does, or reads as its member.
versions = st.sampled_from(["coco", "coco1", "2-coco", "2-coco-1", "2", "2-1", "1-2-coco", "v1", "zk", "1-v1"])
builds = st.sampled_from(["0", "1", "11", "2", "20261122"])
lanes = st.tuples(versions, builds)


@every_chart
@settings(max_examples=2 * TIMES, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_two_lanes_share_nothing(render: Callable[..., list[Object]], chart: Path, data: st.DataObject) -> None:
    lane_of = []
    two = data.draw(st.lists(lanes, min_size=2, max_size=2, unique=True))
    for lane in two:
        values = data.draw(generated(chart))
        # A route's values may name the other lane: then it leads there on purpose.
        assume(not {"-".join(lane) for lane in two} & set(re.findall(r'"lane": "([^"]+)"', json.dumps(values))))
        try:
            lane_of.append(render(chart, values=in_lane(chart, values, lane)))
        except NotRendered:
            assume(False)  # values that the chart refuses touch nothing
    for mine, theirs in (lane_of, lane_of[::-1]):
        assert not owned(mine) & owned(theirs)
        assert not selects(mine, theirs)
        assert not mentions(mine, theirs)
    assert not [root for root in roots(lane_of[0]) if overlaps(root, roots(lane_of[1]))]
    assert not [key for objects in lane_of for key in host_ways(objects)]


def generated(chart: Path) -> st.SearchStrategy[Any]:
    """Those of one of the chart's ci files, without one of its keys; a service under a name like a part's."""
    files = [loaded(file) for file in sorted(chart.glob("ci/*-values.yaml"))]
    values = st.sampled_from(files).flatmap(lambda values: st.sampled_from([values, *without(values)]))
    name = st.sampled_from(["svc1", "zk-store", "nimbus-api", "ui-shop", "svc1-guard", "svc1-test"])
    return st.tuples(values, name).map(lambda pair: {**pair[0], "name": pair[1]} if "name" in pair[0] else pair[0])


def without(values: Object) -> list[Object]:
    """The values less one key that the chart has a default for."""
    needed = {"name", "serviceVersion", "image", "global"}
    return [{k: v for k, v in values.items() if k != key} for key in values if key not in needed]


def in_lane(chart: Path, values: Object, lane: tuple[str, str]) -> Object:
    version, build = lane
    own = {"Version": version, "Build": build}
    if "global" in loaded(chart / "values.yaml"):
        return {**values, "global": {**values.get("global", {}), **own}}
    return {**values, **own}


def owned(objects: list[Object]) -> set[tuple[str, str, str]]:
    """Every name in the namespace: objects, and the pods and claims that a StatefulSet names after itself."""
    names = set()
    for item in objects:
        name = item["metadata"]["name"]
        names.add((item["apiVersion"].rpartition("/")[0], item["kind"], name))
        if item["kind"] == "StatefulSet":
            for ordinal in range(12):
                names.add(("", "Pod", f"{name}-{ordinal}"))
                for claim in item["spec"].get("volumeClaimTemplates", []):
                    names.add(("", "PersistentVolumeClaim", f"{claim['metadata']['name']}-{name}-{ordinal}"))
    return names


def selects(objects: list[Object], others: list[Object]) -> list[str]:
    """Selectors that would take hold of another lane's pods or Services."""
    labels = [item["metadata"]["labels"] for item in others]
    labels += [item["spec"]["template"]["metadata"]["labels"] for item in others if "template" in item.get("spec", {})]
    return [
        f"{item['kind']} {item['metadata']['name']}"
        for item in objects
        for selector in selectors(item)
        if any(selector.items() <= given.items() for given in labels)
    ]


def selectors(item: Object) -> Iterator[Object]:
    if item["kind"] == "Service":
        yield item["spec"]["selector"]
    for path, value in walk(item):
        # Whom a NetworkPolicy lets in is the user's to say.
        chooses = path[-1] in {"selector", "labelSelector", "podSelector"} and not {"from", "to"} & set(path)
        if chooses and isinstance(value, dict) and item["kind"] != "Service":
            assert value.get("matchLabels"), f"{item['kind']} {item['metadata']['name']} {path}"
            yield value["matchLabels"]


def mentions(objects: list[Object], others: list[Object]) -> list[str]:
    """Names of the other lane, or of one of its pods, anywhere in this one's objects: in files, variables, commands."""
    mine = {name for _, _, name in owned(objects)}
    theirs = sorted({name for _, _, name in owned(others)} - mine)
    text = json.dumps(objects)
    words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text))
    return [name for name in theirs if name in words]


def roots(objects: list[Object]) -> list[str]:
    """The nodes of ZooKeeper under which the lane's Storm keeps its state."""
    return sorted(
        {root for _, text in strings(objects) for root in re.findall(r"storm\.zookeeper\.root\"?: \"?([^\"\s]+)", text)}
    )


def overlaps(root: str, others: list[str]) -> bool:
    return any(f"{root}/".startswith(f"{other}/") or f"{other}/".startswith(f"{root}/") for other in others)


def host_ways(objects: list[Object]) -> list[str]:
    """Ways to what a node has once, which two lanes would have to share."""
    shared = {"hostPort", "hostNetwork", "hostPath", "hostPID", "hostIPC", "nodePort", "externalIPs", "loadBalancerIP"}
    return [".".join(map(str, path)) for item in objects for path, value in walk(item) if path[-1] in shared and value]


def strings(node: object) -> Iterator[tuple[tuple[Any, ...], str]]:
    for path, value in walk({"": node}):
        if isinstance(value, str):
            yield path, value


def walk(node: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key), value
        yield from walk(value, (*path, key))

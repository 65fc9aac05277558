"""Graphs to draw: one as a reader of the README would have it, a hostile one, a large one, and generated ones."""

from __future__ import annotations

from generated import COMPONENTS, SHORT_LANES
from hypothesis import strategies as st
from sidelane import Lane
from sidelane.graph import Edge, Graph, Group, Node, Stable

ONE, TWO = Lane("2-coco", 1), Lane("2-coco", 2)
#: What a browser, a terminal or Mermaid would obey, were it not made harmless.
HOSTILE = (
    "</text></style></title><script>document.title='owned'</script>\"'&\\`*|]);%%{init}%%\x1b[31m\u202e\n 1. #quot; ;"
)


def lane(lane: Lane, *services: str) -> Group:
    nodes = [Node(f"pipeline-{lane}", lane, "pipeline-0.1.0", "deployed")]
    nodes += [Node(f"{service}-{lane}", lane, "service-0.1.0", "deployed", *service.split("-")) for service in services]
    return Group(lane, tuple(nodes))


def stable(service: str, lane: Lane, *edges: Edge, mode: str = "istio", status: str = "deployed") -> Stable:
    return Stable(f"{service}-{lane}", f"route-{service}-{lane}", lane, mode, status, edges)


SAMPLE = Graph(
    "streams",
    (lane(ONE, "svc1-v1", "svc1-v2", "svc2-v1"), lane(TWO, "svc1-v1", "svc1-v2", "svc2-v1")),
    (
        stable(
            "svc1",
            ONE,
            Edge("svc1-v1-2-coco-1", "weight", 0.9),
            Edge("svc1-v2-2-coco-1", "weight", 0.1),
            Edge("svc1-v2-2-coco-1", "match", 1.0, "x-canary: true"),
            Edge("svc1-v2-2-coco-2", "mirror", 1.0),
        ),
        stable("svc1", TWO, Edge("svc1-v1-2-coco-2", "weight", 0.0), Edge("svc1-v2-2-coco-2", "weight", 1.0)),
        stable("svc2", ONE, Edge("svc2-v1-2-coco-1", "weight", 1.0), mode="service"),
    ),
)

AWKWARD = Graph(
    HOSTILE,
    (
        Group(ONE, (Node("svc1-v1-2-coco-1", ONE, HOSTILE, "failed", "svc1", "v1"),
                    Node("ui-2-coco-1", ONE, "", "no release of this name"))),
        Group(None, (Node(HOSTILE, None, "other-1.0.0", HOSTILE), Node("表示" * 20, None, "wide-1.0.0", "deployed"))),
    ),
    (stable("svc1", ONE, Edge("svc1-v1-2-coco-1", "match", 0.5, HOSTILE), Edge("ui-2-coco-1", "weight", 1.0),
            mode=HOSTILE),
     stable("svc2", TWO, Edge(HOSTILE, "match", 1.0, "表示" * 30), status="pending-upgrade")),
)  # fmt: skip

#: Every kind of line, and a picture that is hardly wider than its legend.
NARROW = Graph(
    "n",
    (Group(ONE, (Node("a-v1-2-coco-1", ONE, "a-1", "failed", "a", "v1"),)),),
    (stable("a", ONE, Edge("a-v1-2-coco-1", "weight", 1.0), Edge("a-v1-2-coco-1", "weight", 0.0),
            Edge("a-v1-2-coco-1", "match", 1.0, "GET"), Edge("a-v1-2-coco-1", "mirror", 0.5)),),
)  # fmt: skip


def large(lanes: int = 10, releases: int = 30) -> Graph:
    """As much as one picture is made for: in each lane, a route for every two of its releases."""
    groups = [
        lane(Lane("coco", build), *(f"svc{n // 2}-v{n % 2}" for n in range(1, releases))) for build in range(lanes)
    ]
    routes = [
        stable(f"svc{n}", Lane("coco", build), *(Edge(f"svc{n}-v{v}-coco-{build}", "weight", 0.5) for v in (0, 1)))
        for build in range(lanes)
        for n in range(1, releases // 2)
    ]
    return Graph("large", tuple(groups), tuple(routes))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph: names within the contract, and texts of any kind where the cluster may have any."""
    texts = st.text(max_size=80) | st.just(HOSTILE)
    chosen = draw(st.lists(SHORT_LANES, max_size=4, unique=True))
    groups = []
    for lane_name in chosen:
        names = draw(st.lists(COMPONENTS, min_size=1, max_size=8, unique=True))
        groups.append(
            Group(lane_name, tuple(Node(f"{name}-{lane_name}", lane_name, draw(texts), draw(texts)) for name in names))
        )
    nodes = [node.name for group in groups for node in group.nodes]
    edges = st.builds(
        Edge, st.sampled_from(nodes or ["-"]), st.sampled_from(["weight", "match", "mirror"]), st.floats(0, 1), texts
    )
    routes = {}
    for lane_name in chosen:
        for service in draw(st.lists(COMPONENTS, max_size=3, unique=True)):
            led = tuple(draw(st.lists(edges, max_size=6)))
            routes[f"{service}-{lane_name}"] = Stable(
                f"{service}-{lane_name}", "-", lane_name, draw(texts), draw(texts), led
            )
    return Graph(draw(texts), tuple(groups), tuple(routes.values()))

"""The route: the same values in three modes, held against objects that were written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from routes_by_hand import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable

    Object = dict[str, Any]
    Refusal = Callable[..., str]

LANE = {"Version": "2-coco", "Build": "1"}
V1, V2 = ({"serviceVersion": version, "weight": 1} for version in ("v1", "v2"))
CANARY = {"headers": [{"name": "x-canary", "value": "true"}], "targets": [V2]}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_objects_are_what_a_hand_would_write(render: Callable[..., list[Object]], case: Case) -> None:
    objects = render("route", values={**LANE, **case.values})
    assert {item["kind"]: item["spec"] for item in objects} == case.specs
    names = {item["kind"]: item["metadata"]["name"] for item in objects}
    assert names.pop("DestinationRule", "svc1-v1-2-coco-1") == "svc1-v1-2-coco-1"
    assert set(names.values()) == {"svc1-2-coco-1"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"targets": []}, "targets is empty"),
        ({"targets": [{"serviceVersion": "v1"}]}, "weight"),
        ({"targets": [{**V1, "weight": -1}]}, "weight"),
        ({"targets": [{**V1, "weight": 0.5}]}, "weight"),
        ({"targets": [{**V1, "weight": 1_000_001}]}, "weight"),
        ({"targets": [{**V1, "weight": 0}]}, "every weight of targets is 0"),
        ({"targets": [V1, {**V1, "lane": "2-coco-1"}]}, "targets has one target twice"),
        ({"targets": [{"lane": "2-coco-1", "weight": 1}]}, "the route itself"),
        ({"targets": [{**V1, "lane": "coco"}]}, "lane"),
        ({"targets": [{**V1, "serviceVersion": "1"}]}, "serviceVersion"),
        ({"targets": [{**V1, "subset": "a"}]}, "subset"),
        ({"targets": [{**V1, "serviceVersion": f"v{n}"} for n in range(17)]}, "16"),
        ({"targets": [V1], "name": "svc1-v1"}, "reads as a service version"),
        ({"targets": [V1], "name": "s" * 60}, "at most 63"),
        ({"targets": [{**V1, "serviceVersion": "v" + "1" * 60}]}, "targets[0]: the name"),
        ({"targets": [V1], "name": ""}, "no name is given"),
        ({"targets": [V1], "mode": "nginx"}, "mode"),
        ({"targets": [V1, V2]}, "mode service sends all traffic to one target, and 2 have a weight"),
        ({"targets": [V1], "matches": [CANARY]}, "matches is set, and mode service does not support it"),
        ({"targets": [V1], "mirror": {"serviceVersion": "v2"}}, "mirror is set, and mode service does not"),
        ({"targets": [V1], "timeout": "1s"}, "timeout is set, and mode service does not"),
        ({"targets": [V1], "retries": {"attempts": 1}}, "retries is set, and mode service does not"),
        ({"targets": [V1], "affinity": {"by": "cookie"}}, "affinity.by is cookie, and mode service does not"),
        ({"targets": [V1], "mode": "gateway", "retries": {"attempts": 1}}, "standard channel has no retries"),
        ({"targets": [V1], "mode": "gateway", "affinity": {"by": "clientIP"}}, "standard channel has no affinity"),
        (
            {"targets": [{**V1, "lane": "2-coco-2"}], "mode": "istio", "affinity": {"by": "clientIP"}},
            "targets[0] is in another lane",
        ),
        ({"targets": [V1], "mode": "istio", "retries": {"attempts": 0, "perTryTimeout": "1s"}}, "attempts is 0"),
        ({"targets": [V1], "mode": "istio", "retries": {"perTryTimeout": "1s"}}, "attempts"),
        ({"targets": [V1], "mode": "istio", "matches": [{"targets": [V2]}]}, "matches[0] has no condition"),
        (
            {"targets": [V1], "mode": "istio", "matches": [{**CANARY, "targets": [{**V2, "weight": 0}]}]},
            "every weight of matches[0].targets is 0",
        ),
        (
            {
                "targets": [V1],
                "mode": "istio",
                "matches": [
                    {
                        "cookie": {"name": "a", "value": "b"},
                        "headers": [{"name": "Cookie", "value": "c"}],
                        "targets": [V2],
                    }
                ],
            },
            "two conditions on one header",
        ),
        (
            {
                "targets": [V1],
                "mode": "gateway",
                "matches": [CANARY, {"path": {"prefix": "/api"}, "targets": [V2]}],
            },
            "matches[1] is more specific than matches[0]",
        ),
        ({"targets": [V1], "mode": "istio", "mesh": False}, "the route would have no callers"),
        ({"targets": [V1], "mode": "istio", "ingress": {"hosts": ["a.b"]}}, "ingress.gateways is empty"),
        ({"targets": [V1], "mode": "gateway", "ingress": {"gateways": [{"name": "a"}]}}, "ingress.hosts is empty"),
        ({"targets": [V1], "timeout": "soon"}, "timeout"),
        ({"targets": [V1], "mode": "istio", "matches": [CANARY] * 16}, "matches"),
        ({"targets": [V1], "mode": "istio", "matches": [{**CANARY, "path": {"prefix": "/api/"}}]}, "path"),
        ({"targets": [V1], "affinity": {"by": None}}, "by"),
        (
            {"targets": [V1], "stay": {"by": "cookie"}},
            (
                "stay.by is cookie, and mode service does not support it: a Service does not read requests; "
                "use mode istio or gateway"
            ),
        ),
        ({"targets": [V1], "mode": "istio", "stay": {"by": "clientIP"}}, "by"),
        ({"targets": [V1], "mode": "istio", "stay": {"by": "header", "name": "Cookie"}}, "its own meaning"),
        (
            {
                "targets": [V1, V2],
                "mode": "istio",
                "affinity": {"by": "cookie", "cookie": "a"},
                "stay": {"by": "cookie", "name": "a"},
            },
            "stay and affinity would both set the cookie a",
        ),
        (
            {
                "targets": [V1, V2],
                "mode": "istio",
                "matches": [{"cookie": {"name": "a", "value": "b"}, "targets": [V1, V2]}],
                "stay": {"by": "cookie", "name": "a"},
            },
            "matches[0] has a condition on the cookie a, which stay.by cookie sets",
        ),
        (
            {
                "targets": [V1],
                "mode": "istio",
                "matches": [{"headers": [{"name": "Cookie", "regex": ".*a=b.*"}], "targets": [V1, V2]}],
                "stay": {"by": "cookie"},
            },
            "write the condition as `cookie`, or use stay.by header",
        ),
        (
            {
                "targets": [V1, V2],
                "mode": "gateway",
                "matches": [{"headers": [{"name": "X-A", "value": "b"}], "targets": [V1, V2]}],
                "stay": {"by": "header", "name": "x-a"},
            },
            (
                "matches[0] has a condition on the header x-a, and stay.by header needs one of its own, of which only "
                "one would apply; choose another stay.name"
            ),
        ),
        (
            {
                "targets": [V1],
                "mode": "gateway",
                "matches": [CANARY, {"headers": [{"name": "x-user", "value": "b"}], "targets": [V1, V2]}],
                "stay": {"by": "header"},
            },
            "matches[1] is, with its sessions' condition (stay.by), more specific than matches[0]",
        ),
        (
            {
                "targets": [V1, V2],
                "mode": "gateway",
                "matches": [{"path": {"exact": f"/{number}"}, "targets": [V1, V2]} for number in range(5)],
                "stay": {"by": "cookie"},
            },
            "stay.by cookie makes 18 rules of the targets and matches",
        ),
        (
            {
                "targets": [V1],
                "mode": "gateway",
                "matches": [
                    {
                        "headers": [{"name": f"x-{number}", "value": "b"} for number in range(16)],
                        "targets": [V1, V2],
                    }
                ],
                "stay": {"by": "cookie"},
            },
            "matches[0] needs conditions on 17 headers",
        ),
        (
            {"targets": [V1, V2], "mode": "gateway", "stay": {"by": "cookie", "name": "c" * 80}},
            "targets needs a regular expression of size 101 for the cookie",
        ),
        (
            {
                "targets": [V1],
                "mode": "gateway",
                "matches": [{"cookie": {"name": "group", "value": "beta"}, "targets": [V1, V2]}],
                "stay": {"by": "cookie"},
            },
            (
                "matches[0] needs a regular expression of size 128 for the cookie sidelane-svc1-2-coco-1-match-0=v1 "
                "together with group, and Envoy's default limit is 100, above which it rejects the route; "
                "use stay.by header, or mode istio"
            ),
        ),
    ],
)
def test_what_a_route_cannot_be_is_refused(refusal: Refusal, values: dict[str, Any], said: str) -> None:
    assert said in refusal("route", values={**LANE, "name": "svc1", **values})


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (-1, "is -1"),
        (0.5, "is 0.5"),
        (1_000_001, "is 1000001"),
        (99_999_999, "is 99999999"),
        ("1", ""),
        (None, "is not given"),
        ("one", "is one"),
    ],
)
def test_weights_hold_without_the_schema(run: Callable[..., Any], charts: Any, weight: Any, said: str) -> None:
    values = {**LANE, "name": "svc1", "targets": [{**V1, "weight": weight}]}
    done = run("template", "release", charts / "route", "--skip-schema-validation", values=values)
    assert (done.returncode != 0) is bool(said)
    assert not said or f"targets[0].weight {said} and must be a whole number" in done.stderr


def test_a_whole_number_by_set_is_a_weight(render: Callable[..., list[Object]]) -> None:
    flags = "Version=2-coco,Build=1,name=svc1,targets[0].serviceVersion=v1,targets[0].weight=100"
    (service,) = render("route", "--set", flags)
    assert service["spec"] == CASES["service single"].specs["Service"]


def test_a_lane_of_routes_alone_leads_from_lane_to_lane(render: Callable[..., list[Object]]) -> None:
    """A name that belongs to no lane's Build: a lane that holds nothing but routes."""
    values = {"Version": "live", "Build": "0", "name": "ui", "targets": [{"lane": "coco-1", "weight": 1}]}
    (service,) = render("route", values=values)
    assert service["metadata"]["name"] == "ui-live-0"
    assert service["spec"]["selector"] == {"app": "ui-coco-1", "sidelane.dev/lane": "coco-1"}


#: A route to a chart that names its Services in its own way.
PODINFO = {
    "Version": "live",
    "Build": "0",
    "name": "podinfo",
    "targetService": "{name}-{lane}-api",
    "targets": [{"lane": "coco-1", "weight": 3}, {"lane": "coco-2", "weight": 1}],
    "selectors": {"podinfo-coco-1-api": {"app.kubernetes.io/instance": "podinfo-coco-1"}},
}


@pytest.mark.both_helms
def test_a_pattern_names_the_targets_in_every_mode(render: Callable[..., list[Object]]) -> None:
    only = {**PODINFO, "targets": [{**PODINFO["targets"][0]}, {"lane": "coco-2", "weight": 0}]}
    (service,) = render("route", values=only)
    assert service["spec"]["selector"] == {"app.kubernetes.io/instance": "podinfo-coco-1"}
    mirror = {"mirror": {"lane": "coco-2"}}
    service, virtual = render("route", values={**PODINFO, **mirror, "mode": "istio"})
    assert service["spec"]["selector"] == {"app.kubernetes.io/instance": "podinfo-coco-1"}
    (rule,) = virtual["spec"]["http"]
    destinations = [*(each["destination"] for each in rule["route"]), rule["mirror"]]
    names = [each["host"].partition(".")[0] for each in destinations]
    assert names == ["podinfo-coco-1-api", "podinfo-coco-2-api", "podinfo-coco-2-api"]
    _, http = render("route", values={**PODINFO, "mode": "gateway", "stay": {"by": "header"}})
    assert [[ref["name"] for ref in rule["backendRefs"]] for rule in http["spec"]["rules"]] == [
        ["podinfo-coco-1-api"],
        ["podinfo-coco-2-api"],
        ["podinfo-coco-1-api", "podinfo-coco-2-api"],
    ]
    affine = {**LANE, "name": "a", "targetService": "x-{serviceVersion}-{lane}", "targets": [V1], "mode": "istio",
              "affinity": {"by": "clientIP"}, "selectors": {"x-v1-2-coco-1": {"app": "x"}}}  # fmt: skip
    hosts = [item["spec"]["host"] for item in render("route", values=affine) if item["kind"] == "DestinationRule"]
    assert hosts == ["x-v1-2-coco-1.default.svc.cluster.local"]


LIVE = {"lane": "coco-1", "weight": 1}


@pytest.mark.both_helms
@pytest.mark.parametrize(
    ("pattern", "targets", "said"),
    [
        ("{name}-{lame}-{lane}", [LIVE], "has the unknown placeholder {lame}"),
        ("podinfo-api", [LIVE], "has no placeholder {lane}, so the targets of all lanes would be one Service"),
        ("{name}-{lane}-api", [{**LIVE, **V1}, {**LIVE, **V2}], "so all versions would be one Service"),
        ("{name}-{serviceVersion}-{lane}", [LIVE], "targets[0] has no serviceVersion, which the placeholder"),
        ("{name}-{lane}-api", [{"weight": 1}], "targets[0] has neither a serviceVersion nor a lane"),
        ("{name}-{lane}", [{**LIVE, "lane": "live-0"}], "the Service podinfo-live-0, the route itself"),
        ("{name}-{lane}-api", [LIVE, LIVE], "targets has one target twice"),
        ("{lane}{serviceVersion}", [{**LIVE, **V1}], "would be the Service '2-coco-1v1'"),
        ("{name}-{lane}-", [LIVE], "would be the Service 'podinfo-coco-1-'"),
        ("{name}-{lane}-Api", [LIVE], "would be the Service 'podinfo-coco-1-Api'"),
        ("{name}-{lane}-" + "a" * 50, [LIVE], "at most 63"),
        ("{name}-{lane}-api", [LIVE], "the labels of the pods of podinfo-coco-1-api are not given"),
    ],
)
def test_a_pattern_that_no_service_can_have_is_refused(
    refusal: Refusal, pattern: str, targets: list[Object], said: str
) -> None:
    if pattern.startswith("{lane}"):
        targets = [{**each, "lane": "2-coco-1"} for each in targets]
    values = {**PODINFO, "targetService": pattern, "targets": targets, "selectors": {}}
    assert said in refusal("route", values=values)


def test_an_upgrade_must_become_the_revision_that_it_says(
    refusal: Refusal, render: Callable[..., list[Object]]
) -> None:
    values = {**LANE, "name": "svc1", "targets": [V1]}
    assert render("route", "--is-upgrade", values={**values, "expectedRevision": 1})  # `helm template` is revision 1
    assert render("route", values={**values, "expectedRevision": 7})  # an install makes revision 1, whatever is said
    said = refusal("route", "--is-upgrade", values={**values, "expectedRevision": 7})
    assert "would be revision 1 of the route, and expectedRevision is 7: another change came first" in said


def test_a_stay_is_checked_without_the_schema(run: Callable[..., Any], charts: Any) -> None:
    values = {**LANE, "name": "svc1", "mode": "istio", "targets": [V1, V2], "stay": {"by": "luck"}}
    done = run("template", "release", charts / "route", "--skip-schema-validation", values=values)
    assert "stay.by is 'luck' and must be cookie, header or empty" in done.stderr


def test_values_from_a_chart_without_stay_still_render(run: Callable[..., Any], charts: Any) -> None:
    """As `helm upgrade --reuse-values` passes them."""
    values = {**LANE, "name": "svc1", "mode": "istio", "targets": [V1, V2], "stay": None}
    done = run("template", "release", charts / "route", "--skip-schema-validation", values=values)
    assert done.returncode == 0, done.stderr
    assert "set-cookie" not in done.stdout

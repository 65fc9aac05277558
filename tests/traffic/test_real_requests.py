"""Real requests through what routes render: a real Envoy for the meshes, a balancer for a Service, no failed request.

Routes are changed by the SDK in a directory target, so each change is rendered by Helm, checked and written; what is
written there is given to the proxy, as a mesh would give it.
"""

import asyncio
import json
import os
import random
import time

import pytest
from routed_directory import LANE, put, written
from sidelane import Client
from sidelane.errors import GateFailed, StillHeld
from traffic.load import Load, get, shares_are, versions
from traffic.meshes import of_http_route, of_virtual_service
from traffic.proxy import Balancer, Envoy

MESHES = [("istio", "VirtualService", of_virtual_service), ("gateway", "HTTPRoute", of_http_route)]
both_meshes = pytest.mark.parametrize(("mode", "kind", "routes"), MESHES, ids=["istio", "gateway"])
# What both Helms render is held to be the same elsewhere (charts/test_route.py).
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True)
#: Switches, splits and undos under load; `make soak` has 50.
CHANGES = int(os.environ.get("SIDELANE_SOAK_CHANGES", "12"))


@pytest.fixture
def root(tmp_path):
    for version in ("v1", "v2", "v3"):
        put(tmp_path / "root", version)
    return tmp_path / "root"


@pytest.fixture
def client(root, helm):
    return Client(directory=root, helm=helm)


def services(made):
    return {f"svc1-{name}-{LANE}": version.port for name, version in made.items()}


def changes(seed, splits):
    """Switches, splits and undos in an order that is the same in each run."""
    choice = random.Random(seed)
    for _ in range(CHANGES):
        if choice.random() < 0.3:
            yield None
        elif not splits or choice.random() < 0.4:
            yield {choice.choice(["v1", "v2"]): 100}
        else:
            share = choice.randint(1, 99)
            yield {"v1": 100 - share, "v2": share}


def change(client, wanted):
    """Sets or undoes a route; what it leads to then, None where there was nothing to undo."""
    if wanted is not None:
        return client.routes.set("svc1", LANE, wanted).to_json()["weights"]
    changes = client.routes.history("svc1", LANE)
    if len(changes) < 2 or changes[-1].restores == 1:
        return None
    return client.routes.undo("svc1", LANE).to_json()["weights"]


@both_meshes
def test_changes_under_load_through_envoy(envoy, root, helm, tmp_path, mode, kind, routes):
    client = Client(directory=root, helm=helm)
    client.routes.set("svc1", LANE, {"v1": 100}, mode=mode)

    async def main():
        async with versions("v1", "v2") as made:
            (tmp_path / "envoy").mkdir()
            with Envoy(envoy, tmp_path / "envoy", services(made)) as proxy:
                await asyncio.to_thread(proxy.route, routes(written(root, kind)["spec"]))
                async with Load(proxy.port).running() as load:
                    done = 0
                    for wanted in changes(f"{mode} 25", splits=True):
                        weights = await asyncio.to_thread(change, client, wanted)
                        if weights is None:
                            continue
                        await asyncio.to_thread(proxy.route, routes(written(root, kind)["spec"]))
                        answers = await load.more(100)
                        assert shares_are(answers, weights), (weights, [answer.who for answer in answers])
                        done += 1
                    assert list(load.failed) == []
                assert done > CHANGES * 0.8
                assert len(load.answers) > 100 * done

    asyncio.run(main())


def foreign(root, lane):
    """The release of a chart that knows no lanes, and names its Service in its own way."""
    folder = put(root, "v0", lane, service="other").rename(root / "default" / f"podinfo-{lane}")
    selector = {"app.kubernetes.io/instance": f"podinfo-{lane}"}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"podinfo-{lane}-api"},
            "spec": {"selector": selector, "ports": [{"port": 80}]}}  # fmt: skip
    (folder / "manifest.yaml").write_text(json.dumps(body))


@both_meshes
def test_services_of_other_names_get_their_shares_through_envoy(envoy, root, client, tmp_path, mode, kind, routes):
    for lane in ("coco-1", "coco-2"):
        foreign(root, lane)

    async def main():
        async with versions("coco-1", "coco-2") as made:
            (tmp_path / "envoy").mkdir()
            named = {f"podinfo-{lane}-api": version.port for lane, version in made.items()}
            with Envoy(envoy, tmp_path / "envoy", named) as proxy:
                for weights in ({"coco-1": 100}, {"coco-1": 25, "coco-2": 75}, {"coco-2": 100}):
                    await asyncio.to_thread(
                        client.routes.set, "svc1", LANE, weights, mode=mode, target_service="podinfo-{lane}-api"
                    )
                    await asyncio.to_thread(proxy.route, routes(written(root, kind)["spec"]))
                    async with Load(proxy.port).running() as load:
                        answers = await load.more(100)
                        assert shares_are(answers, weights), [answer.who for answer in answers]
                        assert list(load.failed) == []

    asyncio.run(main())


def test_switches_under_load_through_a_service(root, client):
    client.routes.set("svc1", LANE, {"v1": 100})

    async def main():
        async with versions("v1", "v2") as made:
            labels = {"app": f"svc1-{LANE}", "sidelane.dev/lane": str(LANE)}
            pods = [({**labels, "version": name}, version.port) for name, version in made.items()]
            async with Balancer(pods) as balancer:
                balancer.selector = written(root, "Service")["spec"]["selector"]
                async with Load(balancer.port, keep_alive=False).running() as load:
                    for wanted in changes("service 4", splits=False):
                        weights = await asyncio.to_thread(change, client, wanted)
                        if weights is None:
                            continue
                        balancer.selector = written(root, "Service")["spec"]["selector"]
                        assert shares_are(await load.more(20), weights)
                    assert list(load.failed) == []

    asyncio.run(main())


def test_a_version_that_is_retired_under_load_takes_no_request_with_it(root, client):
    """It is held for as long as the route leads to it, and then nobody asks it any more."""
    client.routes.set("svc1", LANE, {"v1": 100})

    async def main():
        async with versions("v1", "v2") as made:
            labels = {"app": f"svc1-{LANE}", "sidelane.dev/lane": str(LANE)}
            pods = {name: ({**labels, "version": name}, version.port) for name, version in made.items()}
            async with Balancer(list(pods.values())) as balancer:
                balancer.selector = written(root, "Service")["spec"]["selector"]
                async with Load(balancer.port, keep_alive=False).running() as load:
                    assert shares_are(await load.more(50), {"v1": 100})
                    with pytest.raises(StillHeld, match=f"svc1-{LANE}"):
                        await asyncio.to_thread(client.retire, "svc1-v1", LANE)
                    assert shares_are(await load.more(50), {"v1": 100})
                    before = time.monotonic()
                    await asyncio.to_thread(client.routes.set, "svc1", LANE, {"v2": 100})
                    balancer.selector = written(root, "Service")["spec"]["selector"]
                    gone = await asyncio.to_thread(client.retire, "svc1-v1", LANE, drain="2s")
                    assert time.monotonic() - before > 1, "the route's change is known to the second"
                    assert gone.releases == (f"svc1-v1-{LANE}",)
                    made["v1"].kill()  # as its pods are, once its release is gone
                    assert shares_are(await load.more(200), {"v2": 100})
                    assert list(load.failed) == []

    asyncio.run(main())


MATCHES = [
    {"path": {"exact": "/healthz"}, "targets": [{"serviceVersion": "v3", "weight": 1}]},
    {"path": {"prefix": "/api/orders"}, "targets": [{"serviceVersion": "v1", "weight": 1}]},
    {"path": {"prefix": "/api"}, "method": "POST", "targets": [{"serviceVersion": "v2", "weight": 1}]},
    {"path": {"prefix": "/api"}, "targets": [{"serviceVersion": "v3", "weight": 1}]},
    {
        "headers": [{"name": "X-Canary", "value": "true"}, {"name": "x-user", "regex": "[0-9]+"}],
        "targets": [{"serviceVersion": "v2", "weight": 1}],
    },
    {"cookie": {"name": "group", "value": "b.ta"}, "targets": [{"serviceVersion": "v3", "weight": 1}]},
]
CANARY = {"x-canary": "true", "x-user": "42"}
REQUESTS = [
    ("/", "GET", {}, "v1"),
    ("/healthz", "GET", {}, "v3"),
    ("/healthz", "GET", CANARY, "v3"),
    ("/healthz/", "GET", {}, "v1"),
    ("/healthz?deep=1", "GET", {}, "v3"),
    ("/api", "GET", {}, "v3"),
    ("/api/", "GET", {}, "v3"),
    ("/api/users", "GET", {}, "v3"),
    ("/api?x=1", "GET", {}, "v3"),
    ("/apiary", "GET", {}, "v1"),
    ("/api", "POST", {}, "v2"),
    ("/api/users", "POST", CANARY, "v2"),
    ("/api/orders", "POST", {}, "v1"),
    ("/api/orders/7", "GET", {}, "v1"),
    ("/api/orders7", "GET", {}, "v3"),
    ("/", "GET", CANARY, "v2"),
    ("/", "GET", {"x-canary": "true"}, "v1"),
    ("/", "GET", {"x-canary": "TRUE", "x-user": "42"}, "v1"),
    ("/", "GET", {"x-canary": "true", "x-user": "42a"}, "v1"),
    ("/", "GET", {"cookie": "group=b.ta"}, "v3"),
    ("/", "GET", {"cookie": "a=b; group=b.ta; c=d"}, "v3"),
    ("/", "GET", {"cookie": "group=beta"}, "v1"),
    ("/", "GET", {"cookie": "mygroup=b.ta"}, "v1"),
    ("/", "GET", {"cookie": "group=b.tax"}, "v1"),
    ("/", "GET", {**CANARY, "cookie": "group=b.ta"}, "v2"),
]


@both_meshes
def test_matches_mean_the_same_in_both_meshes(envoy, root, client, tmp_path, mode, kind, routes):
    client.routes.set("svc1", LANE, {"v1": 1}, mode=mode, values={"matches": MATCHES})

    async def main():
        async with versions("v1", "v2", "v3") as made:
            (tmp_path / "envoy").mkdir()
            with Envoy(envoy, tmp_path / "envoy", services(made)) as proxy:
                await asyncio.to_thread(proxy.route, routes(written(root, kind)["spec"]))
                for path, method, headers, expected in REQUESTS:
                    answer = await get(proxy.port, path, method, headers)
                    assert (answer.status, answer.who) == (200, expected), (path, method, headers)

    asyncio.run(main())


@both_meshes
def test_a_mirror_gets_its_part_and_answers_nobody(envoy, root, client, tmp_path, mode, kind, routes):
    client.routes.set("svc1", LANE, {"v1": 1}, mode=mode, values={"mirror": {"serviceVersion": "v3", "percent": 25}})

    async def main():
        async with versions("v1", "v2", "v3") as made:
            (tmp_path / "envoy").mkdir()
            with Envoy(envoy, tmp_path / "envoy", services(made)) as proxy:
                await asyncio.to_thread(proxy.route, routes(written(root, kind)["spec"]))
                async with Load(proxy.port).running() as load:
                    await load.more(2000)
                await asyncio.sleep(0.2)  # the last copies
                assert {answer.who for answer in load.answers} == {"v1"}
                number = made["v1"].asked
                assert abs(made["v3"].asked - number / 4) < 5 * (number * 0.25 * 0.75) ** 0.5 + 8

    asyncio.run(main())


def test_a_version_that_is_killed_at_5_percent_is_left_without_a_person(envoy, root, client, helm, tmp_path):
    """The check asks v2 itself; as soon as it does not answer, requests go where they went before."""
    client.routes.set("svc1", LANE, {"v1": 100}, mode="istio")

    async def main():
        async with versions("v1", "v2") as made:
            (tmp_path / "envoy").mkdir()
            with Envoy(envoy, tmp_path / "envoy", services(made)) as proxy:

                def follow():
                    proxy.route(of_virtual_service(written(root)["spec"]))

                follow()
                loop = asyncio.get_running_loop()

                def step(shift):
                    follow()
                    if len(shift.steps) == 1 and not shift.why:
                        asyncio.run_coroutine_threadsafe(at_5_percent(), loop).result()

                async def at_5_percent():
                    assert shares_are(await load.more(1000), {"v1": 95, "v2": 5})
                    assert list(load.failed) == []
                    made["v2"].kill()

                def shift():
                    check = f"http[limit=500ms,failures=2] http://127.0.0.1:{made['v2'].port}/"
                    client.routes.shift("svc1", LANE, "v2", every="30s", between="50ms", checks=[check], tell=step)

                async with Load(proxy.port).running() as load:
                    with pytest.raises(GateFailed, match="at 5 % for v2, and v1=100 is restored"):
                        await asyncio.to_thread(shift)
                    answers = await load.more(500)
                assert {(answer.status, answer.who) for answer in answers} == {(200, "v1")}
                # Of the requests that went to v2 after its death, and of no others.
                assert all(answer.status == 503 for answer in load.failed)

    asyncio.run(main())

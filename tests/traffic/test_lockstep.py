"""Services that are shifted from lane to lane in lockstep under load, through real Envoys: no failed request.

`make soak` plays twenty shifts in each mode. In half of them a gate fails at a step that is drawn with a fixed seed.
"""

import asyncio
import contextlib
import os
import random

import pytest
import yaml
from routed_directory import LANE, put
from sidelane import Client, Lane
from sidelane.errors import GateFailed
from traffic.load import Load, Version, shares_are
from traffic.meshes import of_http_route, of_virtual_service
from traffic.proxy import Envoy

NEW = Lane("2-coco", 2)
SERVICES = tuple(f"svc{number}" for number in range(1, 4))
STEPS = (10, 50, 100)
MESHES = {"VirtualService": of_virtual_service, "HTTPRoute": of_http_route}
ROUNDS = int(os.environ.get("SIDELANE_SOAK_LOCKSTEP_ROUNDS", "1"))
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True)


@pytest.fixture
def root(tmp_path):
    for service in SERVICES:
        for lane in (LANE, NEW):
            put(tmp_path / "root", "v1", str(lane), service)
    return tmp_path / "root"


def routes(root, service, kind):
    """Envoy's routes for the object of this kind that is written for a service."""
    text = (root / "default" / f"route-{service}-{LANE}" / "manifest.yaml").read_text()
    spec = next(body["spec"] for body in yaml.safe_load_all(text) if body["kind"] == kind)
    return MESHES[kind](spec)


class Mesh:
    """An Envoy and callers for each service; a version's server answers with its lane."""

    def __init__(self, envoy, folder, root, kind):
        self.root, self._envoy, self._folder, self._kind = root, envoy, folder, kind
        self.proxies, self.loads = {}, {}

    @contextlib.asynccontextmanager
    async def running(self):
        async with contextlib.AsyncExitStack() as stack:
            for service in SERVICES:
                made = {lane: Version(str(lane)) for lane in (LANE, NEW)}
                for version in made.values():
                    await version.start()
                    stack.callback(version.kill)
                (self._folder / service).mkdir()
                ports = {f"{service}-v1-{lane}": version.port for lane, version in made.items()}
                self.proxies[service] = stack.enter_context(Envoy(self._envoy, self._folder / service, ports))
            await asyncio.to_thread(self.follow)
            for service, proxy in self.proxies.items():
                load = Load(proxy.port)
                self.loads[service] = await stack.enter_async_context(load.running(callers=1))
            yield self

    def follow(self):
        """Gives each Envoy the routes that are written, as a mesh's control plane does."""
        for service, proxy in self.proxies.items():
            proxy.route(routes(self.root, service, self._kind))

    async def assert_shares(self, percent):
        """The shares of the lanes in the next answers of each service are those of this step, and none has failed."""
        answers = await asyncio.gather(*(load.more(150) for load in self.loads.values()))
        for service, some in zip(SERVICES, answers, strict=True):
            assert shares_are(some, {str(LANE): 100 - percent, str(NEW): percent}), (service, percent)
        assert [answer for load in self.loads.values() for answer in load.failed] == []


@pytest.mark.parametrize(("kind", "first"), [("VirtualService", 0), ("HTTPRoute", 1)], ids=["istio", "gateway"])
def test_no_request_fails_while_services_are_shifted_in_lockstep(envoy, root, helm, tmp_path, kind, first):
    """The gate fails in each second round. first: the number of the first round."""
    client = Client(directory=root, helm=helm)
    client.routes.set_together(SERVICES, LANE, {"v1": 1}, mode="istio" if kind == "VirtualService" else "gateway")
    gate = tmp_path / "gate"
    gate.write_text('#!/bin/sh\n[ "$SIDELANE_PERCENT" != "$1" ]\n')
    gate.chmod(0o755)
    moments = random.Random(20261127)

    async def main():
        async with Mesh(envoy, tmp_path, root, kind).running() as mesh:
            loop, seen = asyncio.get_running_loop(), []

            def step(shift):
                mesh.follow()
                if shift.events[-1].kind == "step":
                    percent = shift.steps[-1].percent
                    seen.append(percent)
                    asyncio.run_coroutine_threadsafe(mesh.assert_shares(percent), loop).result()

            def start(bad):
                gates = [f"command {gate} {bad}"]
                client.shifts.start(LANE, NEW, steps=STEPS, every="0s", between="1ms", gates=gates, tell=step)

            for number in range(first, first + ROUNDS):
                seen.clear()
                if number % 2:
                    bad = moments.choice(STEPS)
                    with pytest.raises(GateFailed, match=f"at {bad} % from 2-coco-1 to 2-coco-2"):
                        await asyncio.to_thread(start, bad)
                    assert seen == [percent for percent in STEPS if percent <= bad]
                else:
                    await asyncio.to_thread(start, 0)
                    assert seen == list(STEPS)
                    await mesh.assert_shares(100)
                    await asyncio.to_thread(client.shifts.back)
                await asyncio.to_thread(mesh.follow)
                await mesh.assert_shares(0)

    asyncio.run(main())

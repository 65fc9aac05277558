"""A version whose open connections hold its retirement, as a real Envoy counts them."""

import asyncio

import pytest
from routed_directory import LANE, put, written
from sidelane import Client
from traffic.load import connected, get, versions
from traffic.meshes import of_virtual_service
from traffic.proxy import Envoy

pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True)
GONE = f"svc1-v1-{LANE}"


@pytest.fixture
def root(tmp_path):
    for version in ("v1", "v2"):
        put(tmp_path / "root", version)
    return tmp_path / "root"


def sources(proxy):
    """The same proxy, by each of its formats and both of its counts."""
    return [
        f"envoy {proxy.admin}",
        f"envoy {proxy.admin}/stats {GONE}$",
        f"envoy[stat=upstream_cx_active] {proxy.admin}/stats/prometheus ^{GONE}$",
    ]


def held_while(envoy, root, helm, folder, drain, during):
    """Retires v1, which a route has just left and to which a stream is open. Returns the result, and the progress.

    during: gets the progress so far, the stream's writer and the port of the proxy.
    """
    said = []
    client = Client(directory=root, helm=helm, progress=said.append)
    client.routes.set("svc1", LANE, {"v1": 1}, mode="istio")
    folder.mkdir()

    async def main():
        async with versions("v1", "v2") as made:
            ports = {f"svc1-{name}-{LANE}": version.port for name, version in made.items()}
            with Envoy(envoy, folder, ports) as proxy:
                await asyncio.to_thread(proxy.route, of_virtual_service(written(root)["spec"]))
                async with connected(proxy.port) as (reader, writer):
                    writer.write(b"GET /held HTTP/1.1\r\nhost: svc1-2-coco-1\r\n\r\n")
                    await reader.readuntil(b"v1")
                    await asyncio.to_thread(client.routes.set, "svc1", LANE, {"v2": 1})
                    await asyncio.to_thread(proxy.route, of_virtual_service(written(root)["spec"]))
                    retiring = asyncio.create_task(
                        asyncio.to_thread(client.retire, GONE, drain=drain, connections=sources(proxy))
                    )
                    await during(retiring, said, writer, proxy.port)
                    return await retiring

    return asyncio.run(main())


def test_an_open_stream_holds_a_retirement_until_it_ends(envoy, root, helm, tmp_path):
    async def during(retiring, said, writer, port):
        while not any("3 connections are open; at most " in line for line in said):
            assert not retiring.done()
            await asyncio.sleep(0.02)
        await asyncio.sleep(2.5)  # longer than two counts take
        assert not retiring.done()
        assert (root / "default" / GONE).exists()
        assert (await get(port)).who == "v2"
        writer.close()

    gone = held_while(envoy, root, helm, tmp_path / "envoy", "10m", during)
    assert (gone.releases, gone.drained.connections, gone.drained.problem) == ((GONE,), 0, "")
    assert gone.to_json()["drained"]["connections"] == 0
    assert not (root / "default" / GONE).exists()


def test_the_drain_time_ends_the_wait_for_a_stream(envoy, root, helm, tmp_path):
    async def during(retiring, said, writer, port):
        await asyncio.wait({retiring})
        assert not writer.is_closing()

    gone = held_while(envoy, root, helm, tmp_path / "envoy", "3s", during)
    assert (gone.gone, gone.drained.connections) == (True, 3)
    assert not (root / "default" / GONE).exists()

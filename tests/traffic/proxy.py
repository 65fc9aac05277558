"""A real Envoy whose routes can be changed while it runs, and a balancer that does what a Service's selector says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from traffic.load import connected

if TYPE_CHECKING:
    from types import TracebackType

Json = dict[str, Any]
TYPE = "type.googleapis.com/envoy"
#: The path at which Envoy itself answers with the number of its routes.
APPLIED = "/.routes-applied"


class Envoy:
    """An Envoy that reads its routes from a file (RDS), as it reads them from a mesh's control plane.

    expressions: the largest size of a regular expression, Envoy's default.
    """

    def __init__(self, program: Path, folder: Path, backends: dict[str, int], expressions: int = 100) -> None:
        self._program, self._folder, self._backends = program, folder, backends
        self._runtime = {"re2.max_program_size.error_level": expressions}
        self._version = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._write([])
            (self._folder / "envoy.json").write_text(json.dumps(self._bootstrap()))
            # Both ports are the system's to choose.
            command = [self._program, "-c", self._folder / "envoy.json", "--use-dynamic-base-id", "--concurrency", "1"]
            command += ["--admin-address-path", self._folder / "admin"]
            with (self._folder / "envoy.log").open("wb") as log:
                self._process = subprocess.Popen([*command, "-l", "warn"], stdout=log, stderr=subprocess.STDOUT)
            stack.callback(self._end)
            self._until(self._find_port)
            self._until(self._applied)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def route(self, routes: list[Json]) -> None:
        """Returns when these are the routes by which new requests go."""
        self._write(routes)
        self._until(self._applied)

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _write(self, routes: list[Json]) -> None:
        self._version += 1
        applied = {"status": 200, "body": {"inline_string": str(self._version)}}
        own = {"match": {"path": APPLIED}, "direct_response": applied}
        host = {"name": "all", "domains": ["*"], "routes": [own, *routes]}
        config = {"@type": f"{TYPE}.config.route.v3.RouteConfiguration", "name": "routes", "virtual_hosts": [host]}
        new = self._folder / "routes.new"
        new.write_text(json.dumps({"version_info": str(self._version), "resources": [config]}))
        new.replace(self._folder / "routes.json")  # Envoy takes a moved file for a changed one

    def _applied(self) -> bool:
        """Return True if new requests go by the last written routes, as the thread that serves them reports."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{APPLIED}", timeout=5) as answer:
            return answer.read() == str(self._version).encode()

    def _find_port(self) -> bool:
        self.admin = f"http://{(self._folder / 'admin').read_text()}"
        with urllib.request.urlopen(f"{self.admin}/listeners?format=json", timeout=5) as answer:
            listener = json.load(answer)["listener_statuses"][0]
        self.port = listener["local_address"]["socket_address"]["port_value"]
        return True

    def _until(self, condition: Any) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, LookupError):  # not there yet
                if condition():
                    return
            time.sleep(0.005)
        raise AssertionError((self._folder / "envoy.log").read_text()[-3000:])

    def _bootstrap(self) -> Json:
        watched = {"path": str(self._folder / "routes.json"), "watched_directory": {"path": str(self._folder)}}
        manager = {
            "@type": f"{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "in",
            "rds": {"route_config_name": "routes", "config_source": {"path_config_source": watched}},
            "http_filters": [
                {"name": "router", "typed_config": {"@type": f"{TYPE}.extensions.filters.http.router.v3.Router"}}
            ],
        }
        filters = [{"filters": [{"name": "http", "typed_config": manager}]}]
        listener = {"name": "in", "address": address(0), "filter_chains": filters}
        return {
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": address(0)},
            "layered_runtime": {"layers": [{"name": "limits", "static_layer": self._runtime}]},
            "static_resources": {"listeners": [listener], "clusters": [*map(self._cluster, self._backends)]},
        }

    def _cluster(self, name: str) -> Json:
        endpoint = {"endpoint": {"address": address(self._backends[name])}}
        assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
        return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class Balancer:
    """Kube-proxy's work for a Service: each new connection goes to one of the pods that the selector matches."""

    def __init__(self, pods: list[tuple[dict[str, str], int]]) -> None:
        self._pods = pods
        self.selector: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._serving: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        ports = [port for labels, port in self._pods if self.selector.items() <= labels.items()]
        try:
            async with connected(random.choice(ports)) as (theirs, ours):
                await asyncio.gather(_pipe(reader, ours), _pipe(theirs, writer))
        except (OSError, IndexError):  # no pod, or it is gone: the caller's connection ends
            pass
        finally:
            writer.close()
            self._serving.discard(task)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()

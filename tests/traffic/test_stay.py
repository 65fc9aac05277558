"""Users stay on their version during a shift, and after a return, through a real Envoy: by a cookie or by a header."""

import asyncio
import contextlib

import pytest
from routed_directory import LANE, put, written
from sidelane import Client
from sidelane.errors import GateFailed, InvalidValues
from traffic.load import get, shares_are, versions
from traffic.meshes import of_http_route, of_virtual_service
from traffic.proxy import Envoy
from traffic.sessions import Crowd

MESHES = {"istio": ("VirtualService", of_virtual_service), "gateway": ("HTTPRoute", of_http_route)}
#: Another lane, of which v1 answers with the lane's name.
OTHER = "2-coco-2"
#: The largest size of a regular expression: Istio's, and that of an Envoy without a setting.
LIMITS = {"istio": 32768, "gateway": 100}
NAME = f"sidelane-svc1-{LANE}"
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True)
both_modes = pytest.mark.parametrize("mode", ["istio", "gateway"])
COOKIES = [("istio", "cookie"), ("gateway", "cookie")]


class Site:
    """A service behind an Envoy that follows its route, and its users."""

    def __init__(self, root, mode, proxy):
        self._root, self._proxy = root, proxy
        self._kind, self._routes = MESHES[mode]
        self.crowd = Crowd(proxy.port, NAME)

    async def shift(self, client, at, **asked):
        """Shifts svc1 to v2; each step ends when ``at`` has returned for its percentage."""
        loop = asyncio.get_running_loop()

        def step(shift):
            if shift.events[-1].kind == "step":
                asyncio.run_coroutine_threadsafe(at(shift.steps[-1].percent), loop).result()

        asked = {**asked, "every": "0s", "between": "1ms", "tell": step}
        await asyncio.to_thread(lambda: client.routes.shift("svc1", LANE, "v2", **asked))

    def follow(self):
        self._proxy.route(self._routes(written(self._root, self._kind)["spec"]))

    def assert_all_see(self, version, moment):
        """Each user's requests of this time were answered by this version only."""
        for session in self.crowd.sessions:
            assert set(session.between(*moment)) == {version}

    def versions_of_each(self, begin, end):
        """The version of each user in this time, each of whom saw only one."""
        seen = [set(session.between(begin, end)) for session in self.crowd.sessions]
        assert all(len(of_one) == 1 for of_one in seen), seen
        return [min(of_one) for of_one in seen]

    def failed(self):
        """The answers that no version gave."""
        return [seen for session in self.crowd.sessions for seen in session.seen if seen.who not in ("v1", "v2")]


@pytest.fixture
def client(helm, tmp_path):
    for version in ("v1", "v2", "v3"):
        put(tmp_path / "root", version)
    put(tmp_path / "root", "v1", OTHER)
    return Client(directory=tmp_path / "root", helm=helm)


@contextlib.asynccontextmanager
async def site(envoy, folder, mode):
    """The versions have a cookie of their own."""
    (folder / "envoy").mkdir()
    async with versions("v1", "v2", "v3", OTHER, header="set-cookie: app=kept") as made:
        ports = {f"svc1-{name}-{LANE}": version.port for name, version in made.items()}
        ports[f"svc1-v1-{OTHER}"] = ports.pop(f"svc1-{OTHER}-{LANE}")
        with Envoy(envoy, folder / "envoy", ports, LIMITS[mode]) as proxy:
            it = Site(folder / "root", mode, proxy)
            await asyncio.to_thread(it.follow)
            async with it.crowd.running():
                yield it


@pytest.mark.parametrize(("mode", "stay"), [*COOKIES, ("istio", "header")])
def test_each_user_sees_one_version_during_a_shift_and_all_the_new_one_at_its_end(envoy, client, tmp_path, mode, stay):
    client.routes.set("svc1", LANE, {"v1": 1}, mode=mode)

    async def main():
        async with site(envoy, tmp_path, mode) as it:
            times = {}

            async def at(percent):
                times["before", percent] = (await it.crowd.go_on(2))[1]
                await asyncio.to_thread(it.follow)
                if percent < 100:
                    await it.crowd.join(12)  # of whom this step's share gets v2
                    times[percent] = await it.crowd.go_on()
                    answers = await asyncio.gather(*(get(it.crowd.port) for _ in range(200)))
                    assert shares_are(answers, {"v1": 100 - percent, "v2": percent})

            await it.crowd.join(12)
            it.assert_all_see("v1", await it.crowd.go_on())
            await it.shift(client, at, steps=[25, 50, 100], stay=stay)
            # From the moment at which Envoy had the first step until it got the last one; who came later saw less.
            assert set(it.versions_of_each(times[25][0], times["before", 100])) == {"v1", "v2"}
            it.assert_all_see("v2", await it.crowd.go_on())
            assert it.failed() == []

    asyncio.run(main())


@pytest.mark.parametrize(("mode", "stay"), [*COOKIES, ("gateway", "header")])
def test_each_user_returns_to_the_old_version_for_good(envoy, client, tmp_path, mode, stay):
    client.routes.set("svc1", LANE, {"v1": 1}, mode=mode)
    gate = tmp_path / "gate"
    gate.write_text('#!/bin/sh\n[ "$SIDELANE_PERCENT" != 50 ]\n')
    gate.chmod(0o755)

    async def main():
        async with site(envoy, tmp_path, mode) as it:
            times = []

            async def at(_percent):
                await asyncio.to_thread(it.follow)
                await it.crowd.join(12)
                times.append(await it.crowd.go_on())

            with pytest.raises(GateFailed, match="at 50 % for v2, and v1=1 is restored"):
                await it.shift(client, at, steps=[25, 50, 100], stay=stay, checks=[f"command {gate}"])
            assert set(it.versions_of_each(times[0][0], times[-1][1])) == {"v1", "v2"}
            await asyncio.to_thread(it.follow)
            it.assert_all_see("v1", await it.crowd.go_on(10))
            # A new attempt begins new sessions: nobody is on v2 only for having been there.
            await asyncio.to_thread(client.routes.set, "svc1", LANE, {"v1": 999_999, "v2": 1}, stay=stay)
            await asyncio.to_thread(it.follow)
            it.assert_all_see("v1", await it.crowd.go_on())
            assert it.failed() == []

    asyncio.run(main())


def matches(condition):
    """Requests of a group of users are split in another way, and some requests not at all."""
    return [
        {"path": {"prefix": "/fixed"}, "targets": [{"serviceVersion": "v3", "weight": 1}]},
        {
            "path": {"prefix": "/api"},
            **condition,
            "targets": [{"serviceVersion": "v3", "weight": 999_999}, {"serviceVersion": "v2", "weight": 1}],
        },
    ]


BETA = {"x-group": "beta"}
REQUESTS = [
    ("/", "", {}, "v1"),
    ("/", f"{NAME}=v2.1", {}, "v2"),
    ("/", f"a=b; {NAME}=v2.1; c=d", {}, "v2"),
    ("/", f"a=b;{NAME}=v2.1;c=d", {}, "v2"),
    ("/", f"{NAME}={OTHER}/v1.1", {}, OTHER),
    ("/", f"{NAME}=v2.1x", {}, "v1"),
    ("/", f"{NAME}=v2.10", {}, "v1"),
    ("/", f"{NAME}=v2x1", {}, "v1"),
    ("/", f"x{NAME}=v2.1", {}, "v1"),
    ("/", f"{NAME}=v2", {}, "v1"),  # of no split
    ("/", f"{NAME}=v2.2", {}, "v1"),  # of another split
    ("/", f"{NAME}=v3.1", {}, "v1"),  # no target of this rule
    ("/", f"{NAME}-match-1=v2.1", {}, "v1"),
    ("/api", f"{NAME}=v2.1", {}, "v2"),  # without the match's condition it is a request of the default
    ("/api", "", BETA, "v3"),
    ("/api", f"{NAME}-match-1=v2.1", BETA, "v2"),
    ("/api", f"{NAME}=v2.1", BETA, "v3"),  # the cookie of the other rule
    ("/fixed", f"{NAME}=v2.1", {}, "v3"),
]
WITH_TWO_COOKIES = [
    ("/api", "group=beta", {}, "v3"),
    ("/api", f"group=beta; {NAME}-match-1=v2.1", {}, "v2"),
    ("/api/x", f"{NAME}-match-1=v2.1; a=b; group=beta", {}, "v2"),
    ("/api", f"{NAME}-match-1=v2.1; group=betax", {}, "v1"),
    ("/api", f"{NAME}-match-1=v2.1; xgroup=beta", {}, "v1"),
    ("/api", f"group=beta; {NAME}=v2.1", {}, "v3"),
]
CASES = [
    ({"headers": [{"name": "x-group", "value": "beta"}]}, REQUESTS),
    ({"cookie": {"name": "group", "value": "beta"}}, WITH_TWO_COOKIES),
]


@both_modes
@pytest.mark.parametrize(("condition", "requests"), CASES, ids=["header", "cookie"])
def test_a_cookie_leads_to_its_target_within_its_rule(envoy, client, tmp_path, mode, condition, requests):
    def split():
        values = {"matches": matches(condition)}
        weights = {"v1": 999_998, "v2": 1, f"{OTHER}/v1": 1}
        return client.routes.set("svc1", LANE, weights, mode=mode, stay="cookie", values=values)

    if (mode, requests) == ("gateway", WITH_TWO_COOKIES):
        with pytest.raises(InvalidValues, match="Envoy's default limit is 100"):
            split()
        return
    split()

    async def main():
        async with site(envoy, tmp_path, mode) as it:
            for path, cookies, headers, expected in requests:
                answer = await get(it.crowd.port, path, headers={**headers, **({"cookie": cookies} if cookies else {})})
                assert (answer.status, answer.who) == (200, expected), (path, cookies)
                assert ("set-cookie", "app=kept") in answer.headers

    asyncio.run(main())


@both_modes
@pytest.mark.parametrize("length", [51, 52])
def test_the_limit_of_a_regular_expression_is_that_of_envoy(envoy, client, tmp_path, mode, length):
    """The chart refuses what an Envoy without a setting rejects, and nothing else."""
    name = "c" * length + "a-long-name-for-the-cookie"
    values = {"stay": {"name": name}}
    if mode == "gateway" and length > 51:
        with pytest.raises(InvalidValues, match=f"of size 101 for the cookie {name}=v1.1"):
            client.routes.set("svc1", LANE, {"v1": 1, "v2": 1}, mode=mode, stay="cookie", values=values)
        return
    client.routes.set("svc1", LANE, {"v1": 1, "v2": 1}, mode=mode, stay="cookie", values=values)

    async def main():
        async with site(envoy, tmp_path, mode) as it:
            assert (await get(it.crowd.port, headers={"cookie": f"{name}=v2.1"})).who == "v2"

    asyncio.run(main())

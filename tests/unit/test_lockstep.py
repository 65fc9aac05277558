"""Shifts of many routes against a model: set, shift, killed, continued, taken back, in any order.

The store of routes is a dictionary here, which dies at a chosen write as a process does: before the write, in it, or
after it. What a cluster does is in tests/cluster/test_lockstep.py.
"""

import asyncio
import functools
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sidelane import Lane
from sidelane.charts import sources
from sidelane.charts.rendering import Rendering
from sidelane.errors import GateFailed, Refused, ReleaseNotFound, RouteChanged, TargetBusy
from sidelane.kubeyaml.writer import dump
from sidelane.releases.stores import Release, Stored
from sidelane.routes import courses, returning, shift, standing
from sidelane.routes.changes import Router
from sidelane.routes.gates import Gate
from sidelane.routes.model import Route, Split, route_release
from sidelane.routes.moving import ToLane
from sidelane.routes.notes import Revision
from sidelane.routes.places import Backend, History, Sight
from sidelane.routes.terms import Terms
from sidelane.routes.together import all_or_none

OLD, NEW = Lane("2-coco", 1), Lane("2-coco", 2)
SERVICES = ("svc1", "svc2", "svc3")
STEPS = (5, 50, 100)
EXAMPLES = int(os.environ.get("SIDELANE_SOAK_LOCKSTEPS", "4"))


class Died(BaseException):
    """The process is killed: nothing that it does from now on has an effect."""


@functools.cache
def text_of(name, lane, targets):
    """A Service as the chart `route` has it, with the targets in it."""
    labels = {"app": f"{name}-{lane}", "sidelane.dev/lane": str(lane), "sidelane.dev/version": lane.version,
              "sidelane.dev/build": lane.build, "app.kubernetes.io/name": "route", "helm.sh/chart": "route-0.1.0",
              "app.kubernetes.io/component": name}  # fmt: skip
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{name}-{lane}", "labels": labels},
            "spec": {"externalName": targets}}  # fmt: skip
    return dump(body)


class Renderer:
    """Renders without Helm."""

    namespace = "default"

    async def render(self, chart, lane, values, *, release=""):
        text = text_of(values["name"], lane, str(values["targets"]))
        return Rendering(release or route_release(values["name"], lane), "default", chart, values, text, lane)


class Store:
    """Routes in memory: each is a list of revisions."""

    def __init__(self):
        self.routes = {}
        self.dead = False
        self.dies_at = None  # the number of the write, and its moment
        self.most = 0
        self.pods = {}  # the restarts of each
        self._writes = self._now = 0

    def live(self):
        """Another process begins."""
        self.dead, self.dies_at, self._writes = False, None, 0

    def _check(self):
        if self.dead:
            raise Died

    def _revisions(self, release):
        self._check()
        if release not in self.routes:
            raise ReleaseNotFound(f"no {release}")
        return self.routes[release]

    async def stored(self, release, revision=None):
        await asyncio.sleep(0)
        entries = self._revisions(release)
        entry = entries[-1] if revision is None else entries[revision - 1]
        return entry[1]

    async def stored_if_there(self, releases):
        return [await self.stored(release) for release in releases if release in self.routes]

    async def histories(self, releases):
        return [self._history(stored.release.name) for stored in await self.stored_if_there(releases)]

    def _history(self, release):
        entries = self._revisions(release)
        revisions = (Revision(stored.release.revision, None, status, note) for status, stored, note in entries)
        return History(entries[-1][1], tuple(revisions))

    async def missing(self, release):
        return ReleaseNotFound(f"no {release}")

    async def releases(self):
        self._check()
        return tuple(entries[-1][1].release for _, entries in sorted(self.routes.items()))

    async def look(self, manifest, services):
        del manifest
        self._check()
        routes = {}
        for service in services:
            name, _, lane = service.partition("-v1-")
            labels = {"app": f"{name}-{lane}", "version": "v1", "sidelane.dev/lane": lane}
            routes[service] = Backend(service, labels, labels, (80,), 1, 1)
        return Sight((), routes)

    async def _write(self, release, values, text, note):
        await asyncio.sleep(0)
        self._check()
        self._now += 1
        self.most = max(self.most, self._now)
        self._writes += 1
        dies = self.dies_at is not None and self._writes == self.dies_at[0]
        moment = self.dies_at[1] if dies else ""
        if moment == "before":
            self.dead = True
        self._check()
        entries = self.routes.setdefault(release, [])
        if entries and entries[-1][0].startswith("pending"):
            raise TargetBusy(f"another process works on {release}")
        number = len(entries) + 1
        made = Release(release, "default", "pending-upgrade", number, "route-0.1.0")
        entries.append(("pending-upgrade", Stored(made, values, text), "Preparing upgrade"))
        if moment == "in":
            self.dead = True
        await asyncio.sleep(0)
        self._check()
        self._settle(release, number, note)
        if moment == "after":
            self.dead = True
        self._check()
        self._now -= 1
        return entries[-1][1].release

    def _settle(self, release, number, note):
        entries = self.routes[release]
        stored = entries[number - 1][1]
        entries[:] = [("superseded" if entry[0] == "deployed" else entry[0], *entry[1:]) for entry in entries]
        done = replace(stored, release=replace(stored.release, status="deployed"))
        entries[number - 1] = ("deployed", done, note)

    async def create(self, rendering, note):
        return await self._write(rendering.release, rendering.values, rendering.text, note)

    async def change(self, rendering, note, revision, *, overwrite=False):
        del overwrite
        if len(self._revisions(rendering.release)) + 1 != revision:
            raise RouteChanged(f"another process changed {rendering.release}")
        return await self._write(rendering.release, rendering.values, rendering.text, note)

    async def restarts(self, pods):
        assert {pod["sidelane.dev/lane"] for pod in pods} == {str(NEW)}
        return dict(self.pods)

    async def announcer(self):
        return None

    async def remove(self, release):
        self._check()
        del self.routes[release]

    async def abandoned(self, releases):
        self._check()  # one process at a time: what is pending is a dead one's
        return frozenset(release.name for release in releases if release.is_pending)

    async def roll_back(self, release, revision, now):
        entries = self._revisions(release)
        if len(entries) != now:
            raise RouteChanged(f"another process changed {release}")
        stored = entries[revision - 1][1]
        made = replace(stored, release=replace(stored.release, revision=now + 1))
        entries.append(("pending-rollback", made, ""))
        self._settle(release, now + 1, f"Rollback to {revision}")
        return entries[-1][1].release


@functools.cache
def chart():
    return sources.find("route")


def router_of(store):
    return Router(store, Renderer(), chart())


def named(services=SERVICES):
    return [(service, OLD) for service in services]


def leads(store):
    """The weights of each route by what took effect last."""
    weights = {}
    for entries in store.routes.values():
        stored = next(stored for status, stored, _ in reversed(entries) if status in ("deployed", "superseded"))
        route = Route.from_values({"mode": "istio", **stored.values}, OLD)
        weights[route.service] = route.split.to_json()
    return weights


async def start(store, gates=(), steps=STEPS, services=SERVICES, tell=lambda _: None):
    router = router_of(store)
    plan = courses.plan(ToLane(OLD, NEW), steps, 0, 0.001)
    return await shift.run(router, await courses.begun(router, plan, named(services)), list(gates), by="me", tell=tell)


async def go_on(store, gates=()):
    router = router_of(store)
    now = standing.chosen(await standing.every(router))
    course = await courses.resumed(router, now, 0, 0.001, overwrite=False)
    return await shift.run(router, course, list(gates), by="me")


async def set_all(store, split, services=SERVICES):
    router, terms = router_of(store), Terms("me")
    values = {"mode": "istio"}
    return await all_or_none(
        router, (router.setting(service, OLD, Split.of(split, OLD), values=values, terms=terms) for service in services)
    )


async def dying(store):
    """A shift whose process dies, maybe after its last write."""
    await start(store)
    store._check()


def failing_at(percent):
    async def ask(environment):
        return "it is bad" if int(environment["SIDELANE_PERCENT"]) >= percent else ""

    return Gate("a gate", ask)


@pytest.fixture
def store():
    made = Store()
    asyncio.run(set_all(made, {"v1": 4}))
    made.live()
    return made


BEFORE = {service: {"v1": 4} for service in SERVICES}


def at(percent):
    return {service: {"v1": 100 - percent, f"{NEW}/v1": percent} for service in SERVICES}


def test_writes_run_side_by_side(store):
    done = asyncio.run(set_all(store, {"v1": 7}))
    assert [routed.change for routed in done.routes] == ["changed"] * 3
    assert done.seconds > 0
    assert store.most == 3


def test_a_write_that_fails_takes_the_others_back(store):
    async def work():
        router = router_of(store)
        wanted = [router.setting(service, OLD, Split.of({"v1": 9}, OLD), terms=Terms("me")) for service in SERVICES]
        change = store.change

        async def fails(rendering, *arguments, **named):
            if rendering.release.startswith("route-svc2"):
                await asyncio.sleep(0.01)
                raise RouteChanged("another process changed route-svc2")
            return await change(rendering, *arguments, **named)

        store.change = fails
        try:
            return await all_or_none(router, wanted)
        finally:
            store.change = change

    with pytest.raises(RouteChanged, match="the routes that were already written are back, and so nothing changed"):
        asyncio.run(work())
    assert leads(store) == BEFORE


def test_a_new_route_that_was_created_is_removed_again(store):
    async def work():
        router = router_of(store)
        stored = store.routes["route-svc2-2-coco-1"][-1][1]
        pending = replace(stored, release=replace(stored.release, revision=2))
        store.routes["route-svc2-2-coco-1"].append(("pending-upgrade", pending, ""))
        split, values = Split.of({"v1": 9}, OLD), {"mode": "istio"}
        both = [router.setting(name, OLD, split, values=values, terms=Terms("me")) for name in ("svc9", "svc2")]
        await all_or_none(router, both)

    with pytest.raises(TargetBusy):
        asyncio.run(work())
    assert "route-svc9-2-coco-1" not in store.routes


@pytest.mark.parametrize("moment", ["before", "in", "after"])
@pytest.mark.parametrize("write", [1, 2, 5, 9, 10, 12])
@pytest.mark.parametrize("forward", [False, True])
def test_a_shift_that_dies_at_a_write_goes_on_or_back(store, moment, write, forward):
    async def work():
        store.dies_at = (write, moment)
        with pytest.raises(Died):
            await dying(store)
        store.live()
        state = await returning.status(router_of(store))
        # The marks of the end are writes, too: the tenth to the twelfth.
        unchanged = not state.in_progress and not state.incomplete
        assert unchanged is ((write, moment) in {(1, "before"), (12, "after")})
        if unchanged:
            assert leads(store) == (BEFORE if write == 1 else at(100))
            return
        if forward and state.shifts:
            await go_on(store)
            assert leads(store) == at(100)
        await returning.back_of(router_of(store), "", by="me", overwrite=False)
        assert leads(store) == BEFORE
        assert (await returning.status(router_of(store))).incomplete == ()
        assert all(entries[-1][0] == "deployed" for entries in store.routes.values())

    asyncio.run(work())


def test_an_undo_after_a_shift_goes_back_one_step_and_not_to_the_same(store):
    async def work():
        await start(store)
        (ended,) = (await returning.status(router_of(store))).shifts
        assert ended.ended
        assert str(ended.mark).endswith("from 2-coco-1 to 2-coco-2 has ended at 100 %")
        await router_of(store).undo("svc1", OLD)
        assert leads(store) == {**at(100), "svc1": at(50)["svc1"]}
        await set_all(store, {"v1": 8}, ["svc1"])
        await router_of(store).undo("svc1", OLD, to=5)
        assert leads(store) == at(100)
        # The last step was restored, and its shift has ended: others may begin.
        await courses.begun(router_of(store), courses.plan(ToLane(NEW, OLD), STEPS, 0, 1), named())

    asyncio.run(work())


@pytest.mark.parametrize("moment", ["before", "in", "after"])
@pytest.mark.parametrize("write", [1, 2, 5, 9])
def test_undos_after_a_shift_that_was_continued_go_back_step_by_step(store, write, moment):
    async def work():
        store.dies_at = (write, moment)
        with pytest.raises(Died):
            await dying(store)
        store.live()
        if not (await returning.status(router_of(store))).in_progress:
            return
        await go_on(store)
        for percent in (50, 5, 0):
            await router_of(store).undo("svc1", OLD)
            assert leads(store)["svc1"] == (at(percent) if percent else BEFORE)["svc1"]

    asyncio.run(work())


def test_a_shift_whose_process_dies_before_the_last_gates_have_passed_has_not_ended(store):
    async def work():
        store.dies_at = (9, "after")
        with pytest.raises(Died):
            await dying(store)
        store.live()
        assert leads(store) == at(100)
        (interrupted,) = (await returning.status(router_of(store))).in_progress
        assert str(interrupted.mark).endswith("is at step 3 of 3 (100 %)")
        assert interrupted.to_json()["ended"] is False
        assert interrupted.mark.picture.endswith("step 3 of 3, 100 %, ends after its gates")
        with pytest.raises(Refused, match="is at step 3 of 3"):
            await start(store)
        with pytest.raises(GateFailed):
            await go_on(store, [failing_at(100)])
        assert leads(store) == BEFORE

    asyncio.run(work())


def test_one_mark_of_the_end_proves_it_for_all_routes(store):
    async def work():
        store.dies_at = (10, "after")
        with pytest.raises(Died):
            await dying(store)
        store.live()
        # The other two writes had begun, and the dead process left them incomplete, or they were made.
        state = await returning.status(router_of(store))
        assert state.shifts[0].mark.ended
        assert all(stand.incomplete or stand.ended for stand in state.shifts[0].routes)
        await go_on(store)
        assert (await returning.status(router_of(store))).in_progress == ()

    asyncio.run(work())


def test_a_restart_of_a_target_takes_all_routes_back(store):
    store.pods = {"svc1-a": 3}

    def crash(shift):
        if shift.events[-1].kind == "step":
            store.crashes += 1

    async def restarts(pods):
        assert len(list(pods)) == len(SERVICES)
        # At the begin of a step it is asked once, and then with the other gates.
        return {"svc1-a": 3 + (store.asked.append(1) or len(store.asked)) // 4, "svc1-b": 0}

    store.crashes, store.asked, store.restarts = 0, [], restarts
    with pytest.raises(GateFailed, match="no container of the targets restarts: svc1-a restarted 1 times"):
        asyncio.run(start(store, tell=crash))
    assert leads(store) == BEFORE
    assert store.crashes == 2


def test_a_manual_gate_holds_each_step_until_it_is_promoted(store):
    async def work():
        reached = []
        running = asyncio.ensure_future(
            start(store, [Gate.parse("manual")], steps=(5, 100), tell=lambda now: reached.append(now.events[-1].kind))
        )
        for percent in (5, 100):
            while leads(store) != at(percent):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            assert not running.done()
            assert leads(store) == at(percent)
            promoted = await returning.promote(router_of(store), by="alice")
            assert promoted.mark.promoted
        done = await running
        assert (done.outcome, reached) == ("done", ["step", "step", "ended"])

    asyncio.run(work())
    assert asyncio.run(returning.back_of(router_of(store), "", by="me", overwrite=False)).changed == {}
    assert leads(store) == BEFORE
    with pytest.raises(Refused, match="no shift is in progress"):
        asyncio.run(returning.promote(router_of(store)))


class Lockstep(RuleBasedStateMachine):
    """The model: what each route led to before the shift, and what others did to it since."""

    def __init__(self):
        super().__init__()
        self.store = Store()
        self.run(set_all(self.store, {"v1": 1}))
        self.before = leads(self.store)
        self.shifting = False
        self.others = {}
        self.number = 1

    def run(self, work):
        self.store.live()
        return asyncio.run(work)

    def status(self):
        return self.run(returning.status(router_of(self.store)))

    def ended(self):
        self.shifting, self.others = False, {}
        self.before = leads(self.store)

    @precondition(lambda self: not self.shifting)
    @rule(services=st.sets(st.sampled_from(SERVICES), min_size=1))
    def set(self, services):
        self.number += 1
        self.run(set_all(self.store, {"v1": self.number}, sorted(services)))
        self.before = {**self.before, **{service: {"v1": self.number} for service in services}}
        assert leads(self.store) == self.before

    @precondition(lambda self: not self.shifting)
    @rule(percent=st.sampled_from((5, 50, 100)))
    def shift_whose_gate_fails(self, percent):
        with pytest.raises(GateFailed):
            self.run(start(self.store, [failing_at(percent)]))
        assert leads(self.store) == self.before

    @precondition(lambda self: not self.shifting)
    @rule(write=st.integers(1, 12), moment=st.sampled_from(("before", "in", "after")))
    def shift_that_dies(self, write, moment):
        self.store.live()
        self.store.dies_at = (write, moment)
        with pytest.raises(Died):
            asyncio.run(dying(self.store))
        state = self.status()
        self.shifting = bool(state.shifts or state.incomplete)
        if not self.shifting:
            assert leads(self.store) == self.before

    @precondition(lambda self: self.shifting)
    @rule()
    def a_second_shift_is_refused(self):
        if any(not shift.ended for shift in self.status().shifts):
            before = leads(self.store)
            with pytest.raises(Refused):
                self.run(start(self.store))
            assert leads(self.store) == before

    @precondition(lambda self: self.shifting)
    @rule(service=st.sampled_from(SERVICES))
    def somebody_else_sets(self, service):
        self.number += 1
        try:
            self.run(set_all(self.store, {"v1": self.number}, [service]))
        except TargetBusy:  # it is incomplete
            return
        if any(stand.member.service == service for shift in self.status().shifts for stand in shift.routes):
            self.others[service] = {"v1": self.number}
        else:
            self.before[service] = {"v1": self.number}

    @precondition(lambda self: self.shifting)
    @rule()
    def goes_on(self):
        state = self.status()
        if not state.shifts:
            return
        if self.others:
            with pytest.raises(RouteChanged):
                self.run(go_on(self.store))
            return
        self.run(go_on(self.store))
        assert leads(self.store) == at(100)

    @precondition(lambda self: self.shifting)
    @rule()
    def goes_back(self):
        state = self.status()
        if not state.shifts and not state.incomplete:
            self.ended()
            return
        done = self.run(returning.back_of(router_of(self.store), "", by="me", overwrite=False))
        assert leads(self.store) == {**self.before, **self.others}
        assert {name.partition("-")[0] for name in done.changed} == set(self.others)
        self.ended()

    @invariant()
    def no_route_is_lost(self):
        assert set(leads(self.store)) == set(SERVICES)


def test_any_order_of_shifts_deaths_and_returns():
    quiet = settings(
        max_examples=EXAMPLES, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Lockstep, settings=quiet)

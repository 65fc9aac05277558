"""Random walks over the routes of two lanes: set, undone, shifted, killed, continued and taken back, against a model.

SIDELANE_SOAK_LOCKSTEP_WALKS is the number of walks; `make soak` has twelve. Seeds are fixed, but not what a
kill meets. tests/unit/test_lockstep.py has more walks, in memory.
"""

from __future__ import annotations

import os
import random
import time
from fractions import Fraction
from typing import NamedTuple

import pytest
from cluster.test_lockstep import NEW, OLD, QUICK, SERVICES, put, spec
from command_line import CommandLine
from killing import descendants, kill
from sidelane import Client
from sidelane.errors import GateFailed, Refused, RouteChanged, TargetBusy

WALKS = int(os.environ.get("SIDELANE_SOAK_LOCKSTEP_WALKS", "1"))
STEPS = 5
SPLITS = ({"v1": 1}, {"v1": 3, f"{NEW}/v1": 1}, {"v1": 1, f"{NEW}/v1": 1})


class State(NamedTuple):
    """What a route leads to: the share of the new lane, and the content that has it."""

    share: Fraction
    content: str


class Life:
    """Two routes. stacks: the states of each that an undo returns to, the present one last."""

    def __init__(self, cluster, namespace, helm, folder, chance):
        self.cluster, self.namespace, self.folder, self.chance = cluster, namespace, folder, chance
        self.client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
        self.line = CommandLine(folder, helm, place=("-n", namespace), KUBECONFIG=cluster.kubeconfig)
        for service in SERVICES:
            for lane in (OLD, NEW):
                put(cluster, namespace, service, lane)
        self.client.routes.set_together(SERVICES, OLD, SPLITS[0], mode="istio")
        self.stacks = {service: [state_of(SPLITS[0])] for service in SERVICES}
        self.shifting = False  # a dead process has left something to end
        self.moving = ()  # the routes of the last shift, if it may still be taken back
        self.others = set()  # routes that somebody else changed since
        self.before = self.stacks
        self.last = ""  # the identifier of the last shift that ended

    def possible(self):
        """The steps that the model allows now; a kill is twice as likely as another one."""
        if self.shifting:
            return [self.a_second_shift_is_refused, self.somebody_else_sets, self.goes_on, self.goes_on, self.goes_back]
        steps = [self.set]
        steps += [self.undo] if any(len(stack) > 1 for stack in self.stacks.values()) else []
        steps += [self.goes_back] if self.moving else []
        shifts = [self.shift, self.shift_whose_gate_fails, self.shift_that_is_killed, self.shift_that_is_killed]
        return steps + (shifts if self.movable else [])

    def step(self):
        """Makes one step. Returns its name."""
        step = self.chance.choice(self.possible())
        step()
        if not self.shifting:
            assert self.leads() == {name: stack[-1].share for name, stack in self.stacks.items()}, step.__name__
        return step.__name__

    @property
    def movable(self):
        return [service for service in SERVICES if self.stacks[service][-1].share < 1]

    def leads(self):
        """The share of the new lane of each route, as the API server has it."""
        shares = {}
        for service in SERVICES:
            (way,) = spec(self.cluster, self.namespace, service)["http"]
            weights = {to["destination"]["host"].split(".")[0]: to["weight"] for to in way["route"]}
            shares[service] = Fraction(weights.get(f"{service}-v1-{NEW}", 0), sum(weights.values()))
        return shares

    def moved(self, percent):
        """The stacks after a step of a shift to the new lane."""
        after = dict(self.stacks)
        for service in self.moving:
            share = self.before[service][-1].share
            state = State(share + (1 - share) * Fraction(percent, 100), f"{percent} % from {self.before[service]}")
            after[service] = [*self.stacks[service], state]
        return after

    def some(self):
        """One service, or several."""
        return self.chance.sample(SERVICES, self.chance.randint(1, len(SERVICES)))

    def begin(self):
        self.moving, self.before, self.others = tuple(self.movable), self.stacks, set()

    def set(self):
        services, split = self.some(), self.chance.choice(SPLITS)
        self.client.routes.set_together(sorted(services), OLD, split)
        for service in services:
            if self.stacks[service][-1] != state_of(split):
                self.stacks = {**self.stacks, service: [*self.stacks[service], state_of(split)]}
                self.moving = ()

    def undo(self):
        service = self.chance.choice([name for name, stack in self.stacks.items() if len(stack) > 1])
        assert self.client.routes.undo(service, OLD).change == "undone"
        self.stacks = {**self.stacks, service: self.stacks[service][:-1]}
        self.moving = ()

    def shift(self):
        self.begin()
        done = self.client.shifts.start(OLD, NEW, steps=[50, 100], **QUICK)
        self.last = done.id
        assert done.outcome == "done"
        self.stacks = self.moved(50)
        self.stacks = self.moved(100)

    def shift_whose_gate_fails(self):
        percent = self.chance.choice((50, 100))
        with pytest.raises(GateFailed, match=f"at {percent} %"):
            self.client.shifts.start(OLD, NEW, steps=[50, 100], gates=[self.gate(percent)], **QUICK)
        self.moving = ()

    def gate(self, percent):
        """A command that fails at a percentage."""
        script = self.folder / f"below-{percent}"
        script.write_text(f'#!/bin/sh\n[ "$SIDELANE_PERCENT" -lt {percent} ]\n')
        script.chmod(0o755)
        return f"command {script}"

    def shift_that_is_killed(self):
        alone, later = self.chance.random() < 0.5, self.chance.uniform(0, 1.5)
        secrets = f"/api/v1/namespaces/{self.namespace}/secrets?labelSelector=owner=helm"
        written = self.cluster.names(secrets)
        before = {shift.mark.id for shift in self.client.shifts.status().shifts}
        self.begin()
        how = ("--steps", "50,100", "--every", "100ms", "--between", "50ms")
        process = self.line.begin("shift", "--from", OLD, "--to", NEW, *how)
        self.cluster.until("a write has begun", lambda: self.cluster.names(secrets) != written)
        time.sleep(later)
        kill([process.pid] if alone else descendants(process.pid))
        process.communicate()
        state = self.client.shifts.status()
        self.shifting = bool(state.in_progress or state.incomplete)
        if self.shifting:
            return
        self.last = next((shift.mark.id for shift in state.shifts if shift.mark.id not in before), "")
        if self.last:  # it had ended
            self.stacks = self.moved(50)
            self.stacks = self.moved(100)
        else:
            self.moving = ()

    def a_second_shift_is_refused(self):
        if self.client.shifts.status().in_progress:
            with pytest.raises((Refused, TargetBusy)):
                self.client.shifts.start(OLD, NEW, **QUICK)

    def somebody_else_sets(self):
        service, split = self.chance.choice(SERVICES), self.chance.choice(SPLITS[1:])
        state = self.client.shifts.status()
        try:
            if self.client.routes.set(service, OLD, split).change == "unchanged":
                return
        except TargetBusy:  # its last change is incomplete
            return
        self.stacks = {**self.stacks, service: [state_of(split)]}
        if any(stand.member.service == service for shift in state.in_progress for stand in shift.routes):
            self.others.add(service)
        else:
            self.before = {**self.before, service: self.stacks[service]}
        now = self.client.shifts.status()
        if not now.in_progress:  # no route has its mark any more: the others are as before, or in their first write
            self.before = {**self.before, **{name: self.stacks[name] for name in self.others}}
            self.others = set()
            self.shifting = bool(now.incomplete)
        if not self.shifting:
            self.stacks, self.moving = self.before, ()

    def goes_on(self):
        if not self.client.shifts.status().in_progress:
            return
        if self.others:
            with pytest.raises(RouteChanged):
                self.client.shifts.go_on(**QUICK)
            return
        done = self.client.shifts.go_on(**QUICK)
        self.last = done.id
        assert done.outcome == "done"
        self.stacks = self.moved(50)
        self.stacks = self.moved(100)
        self.shifting = False

    def goes_back(self):
        undone = self.client.shifts.back("" if self.shifting else self.last)
        assert {name.partition("-")[0] for name in undone.changed} == self.others
        self.stacks = {name: self.stacks[name] if name in self.others else self.before[name] for name in SERVICES}
        self.shifting, self.moving, self.others = False, (), set()
        state = self.client.shifts.status()
        assert (state.in_progress, state.incomplete) == ((), ())


def state_of(split):
    return State(Fraction(split.get(f"{NEW}/v1", 0), sum(split.values())), str(split))


@pytest.mark.either_helm
@pytest.mark.parametrize("number", range(WALKS))
def test_any_order_of_changes_shifts_kills_and_returns(
    cluster, namespace, meshes, helm, tmp_path, number, record_property
):
    life = Life(cluster, namespace, helm, tmp_path, random.Random(20261387 + number))
    record_property("steps", ", ".join(life.step() for _ in range(STEPS)))
    if life.shifting:
        life.goes_back()

"""A random walk over a release's life: `verify` is green exactly when what the model says should run is there.

SIDELANE_SOAK_WALKS is the number of walks; `make soak` has twenty. Each step is done by the other Helm.
"""

from __future__ import annotations

import itertools
import os
import sysconfig
from pathlib import Path

import pytest
import toolchain
from clusters import new_namespace
from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sidelane import Client
from sidelane.errors import ReleaseNotFound

WALKS = int(os.environ.get("SIDELANE_SOAK_WALKS", "1"))
STEPS = 8
NAME = "svc1-v1-coco-1"
VALUES = {"image": {"repository": "acme/svc1", "tag": "1"}}
SERVICE = {"name": "svc1", "service_version": "v1"}
FILE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {{Version: coco, Build: "1"}}
namespace: {namespace}
releases:
- {{chart: service, name: svc1, serviceVersion: v1, values: {{image: {{repository: acme/svc1, tag: "1"}}}}}}
"""


@pytest.fixture
def helms(unavailable):
    """Helm 3 and Helm 4."""
    programs = (Path(sysconfig.get_path("scripts")) / "helm", toolchain.folder() / "helm")
    for helm in programs:
        if not helm.is_file():
            unavailable(f"no Helm at {helm}")
    return programs


class Life(RuleBasedStateMachine):
    """A release of `service`, and what is done to it: by Sidelane, by an operator, by somebody who should not."""

    cluster = None
    helms = ()
    folder = None
    begun = 0

    def __init__(self):
        super().__init__()
        self._space = new_namespace(self.cluster)
        self.namespace = self._space.__enter__()
        self._turn = itertools.cycle(
            [Client(namespace=self.namespace, kubeconfig=self.cluster.kubeconfig, helm=helm) for helm in self.helms]
        )
        self.file = self.folder / f"{self.namespace}.yaml"
        self.file.write_text(FILE.format(namespace=self.namespace))
        # The model: what the values and the manifest say, what is there, and what somebody did to it.
        self.there = False
        self.said = self.deployed = self.pods = 0
        self.autoscaled = False
        self.gone: set[str] = set()
        self.odd: set[str] = set()

    def teardown(self):
        self._space.__exit__(None, None, None)

    @property
    def client(self):
        return next(self._turn)

    @property
    def as_deployed(self):
        return not self.gone and not self.odd

    def path(self, kind):
        root = {"deployments": "/apis/apps/v1", "services": "/api/v1", "configmaps": "/api/v1"}[kind]
        return f"{root}/namespaces/{self.namespace}/{kind}"

    @precondition(lambda self: not self.there)
    @rule(by_file=st.booleans())
    def install(self, by_file):
        Life.begun += 1
        assume(
            Life.begun > 1
        )  # Hypothesis's first walk has the simplest of all steps: it only installs, again and again
        client = self.client
        if by_file:
            assert [release.change for release in client.apply(self.file).releases] == ["created"]
        else:
            assert client.install("service", "coco-1", values=VALUES, **SERVICE).change == "created"
        self.there, self.said, self.deployed, self.pods = True, 2, 2, 2

    @precondition(lambda self: self.there and self.as_deployed and not self.autoscaled)
    @rule(number=st.integers(1, 3))
    def upgrade(self, number):
        change = self.client.upgrade(
            "service", "coco-1", values={"replicas": number}, reuse_values=True, **SERVICE
        ).change
        assert change == ("unchanged" if number == self.said else "upgraded")
        if number != self.said:
            self.said = self.deployed = self.pods = number

    @precondition(lambda self: self.there and not self.autoscaled and "Deployment" not in self.gone)
    @rule(number=st.integers(0, 3))
    def scale_by_hand(self, number):
        self.cluster.patch(f"{self.path('deployments')}/{NAME}?fieldManager=kubectl", {"spec": {"replicas": number}})
        self.pods = number

    @precondition(lambda self: self.there and self.as_deployed and self.pods > 0)
    @rule()
    def turn_the_autoscaler(self):
        on = not self.autoscaled
        values = {"autoscaling": {"enabled": on, "minReplicas": 1, "maxReplicas": 5}}
        self.client.upgrade("service", "coco-1", values=values, reuse_values=True, **SERVICE)
        self.autoscaled = on
        self.deployed = self.pods = self.pods if on else self.said

    @precondition(lambda self: self.there)
    @rule(kind=st.sampled_from(["Service", "Deployment"]))
    def delete(self, kind):
        if kind not in self.gone:
            self.cluster.delete(f"{self.path(kind.lower() + 's')}/{NAME}")
        self.gone.add(kind)
        self.odd.discard(kind)

    @precondition(lambda self: self.there)
    @rule(kind=st.sampled_from(["Service", "Deployment"]))
    def edit(self, kind):
        if kind in self.gone:
            return
        body = {"metadata": {"labels": {"team": "other"}}}
        self.cluster.patch(f"{self.path(kind.lower() + 's')}/{NAME}?fieldManager=kubectl-edit", body)
        self.odd.add(kind)

    @precondition(lambda self: self.there)
    @rule()
    def repair(self):
        (done,) = self.client.repair("svc1-v1", "coco-1")
        off = self.pods == 0 and "Deployment" not in self.gone
        assert done.needed is (not self.as_deployed or off)
        if "Deployment" in self.gone or off:
            self.pods = self.deployed
        elif done.needed and self.pods != self.deployed:
            self.said = self.deployed = self.pods
        self.gone, self.odd = set(), set()

    @precondition(lambda self: self.there and not self.autoscaled)
    @rule()
    def install_again(self):
        values = {**VALUES, "replicas": self.said}
        release = self.client.install("service", "coco-1", values=values, **SERVICE)
        assert (release.change, bool(release.drift)) == ("unchanged", not self.as_deployed)

    @precondition(lambda self: self.there)
    @rule()
    def retire(self):
        self.client.retire("coco-1", drain="0s")
        self.there, self.autoscaled, self.gone, self.odd = False, False, set(), set()

    def pods_are_there(self):
        deployment = self.cluster.get(f"{self.path('deployments')}/{NAME}")
        counts = {deployment["status"].get(count, 0) for count in ("replicas", "readyReplicas")}
        seen = deployment["status"].get("observedGeneration") == deployment["metadata"]["generation"]
        return seen and counts == {self.pods}

    @invariant()
    def verify_tells_what_is(self):
        client = self.client
        if not self.there:
            with pytest.raises(ReleaseNotFound):
                client.verify("svc1-v1", "coco-1")
            return
        if "Deployment" not in self.gone:
            self.cluster.until(f"{self.pods} pods are ready", self.pods_are_there, seconds=90)
        expected = "missing" if self.gone else "drifted" if self.odd else "unchanged" if self.pods else "degraded"

        def verified():
            (result,) = client.verify("svc1-v1", "coco-1")
            return result if result.state == expected else None

        state = self.cluster.until(f"verify says {expected}", verified, seconds=90)
        assert {identity.kind for identity in state.missing} == self.gone
        assert {drifted.identity.kind for drifted in state.drift} == self.odd


def test_verify_is_green_exactly_when_what_should_run_is_there(cluster, helms, tmp_path):
    Life.cluster, Life.helms, Life.folder = cluster, helms, tmp_path
    quiet = settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        database=None,
    )
    run_state_machine_as_test(seed(int(os.environ.get("SIDELANE_SOAK_SEED", "11")))(Life), settings=quiet)

"""A cluster for the tests of this folder, and a fresh namespace on it for each.

The cluster is the one that `--kubeconfig` names (pytest-helm-charts' option), else a control plane of our own that
lives as long as the test run, from KUBEBUILDER_ASSETS or the tool chain. The environment variable KUBECONFIG does
not count: it may lead to a cluster that is in use, and these tests install and delete.

All processes of a test run share the cluster. A test that makes an object without a namespace gives it a name of its
own, or holds a file meanwhile (`locked`). A test that needs a cluster for itself starts a ControlPlane.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from clusters import Cluster, client, connect, counted, namespace, plain, shared_plane, sidelane  # noqa: F401 - fixtures
from controlplane import ControlPlaneError, find_programs
from edits import priority  # noqa: F401 - a fixture
from mesh_kinds import meshes  # noqa: F401 - a fixture
from sidelane import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Limited = Callable[..., Client]


@pytest.fixture(scope="session")
def programs(unavailable: Callable[[str], NoReturn]) -> Path:
    """The folder of the control plane's programs."""
    try:
        return find_programs()
    except ControlPlaneError as error:
        unavailable(str(error))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of this test run."""
    if named := request.config.getoption("kubeconfig"):
        yield connect(Path(named), None)
        return
    own = tmp_path_factory.getbasetemp()  # with pytest-xdist a folder in that of the run
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with shared_plane(request.getfixturevalue("programs"), folder) as plane:
        yield connect(plane.kubeconfig, plane, forgets=True)


@pytest.fixture
def powerless(cluster: Cluster, unavailable: Callable[[str], NoReturn]) -> Path:
    """A kubeconfig of somebody whom the API server knows and refuses everything: 403."""
    if cluster.plane is None:
        unavailable("credentials without rights are made on our own control plane; run without --kubeconfig")
    return cluster.plane.kubeconfig_for(cluster.plane.powerless_token)


@pytest.fixture
def unknown(cluster: Cluster, unavailable: Callable[[str], NoReturn]) -> Path:
    """A kubeconfig with a token that belongs to nobody: 401."""
    if cluster.plane is None:
        unavailable("a kubeconfig with a wrong token is made for our own control plane; run without --kubeconfig")
    return cluster.plane.kubeconfig_for("belongs-to-nobody")


@pytest.fixture
def limited(cluster: Cluster, request: pytest.FixtureRequest, unavailable: Callable[[str], NoReturn]) -> Limited:
    """A client of somebody who has these rights in the namespace, and no others."""
    where, helm = request.getfixturevalue("namespace"), request.getfixturevalue("helm")
    if cluster.plane is None:
        unavailable("credentials with few rights are made on our own control plane; run without --kubeconfig")

    def make(*rules: Mapping[str, Any]) -> Client:
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{where}"
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "powerless"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "limited"}
        cluster.create(f"{path}/roles", {"metadata": {"name": "limited"}, "rules": list(rules)})
        binding = {"metadata": {"name": "limited"}, "roleRef": role, "subjects": [subject]}
        cluster.create(f"{path}/rolebindings", binding)
        kubeconfig = cluster.plane.kubeconfig_for(cluster.plane.powerless_token)
        return Client(namespace=where, kubeconfig=kubeconfig, helm=helm)

    return make

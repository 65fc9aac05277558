"""A cluster for the tests of this folder, and a fresh namespace on it for each.

The cluster is the one that `--kubeconfig` names (pytest-helm-charts' option), else a control plane of our own that
lives as long as the test run, from KUBEBUILDER_ASSETS or the tool chain. The environment variable KUBECONFIG does
not count: it may lead to a cluster that is in use, and these tests install and delete.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from clusters import Cluster, client, connect, namespace, plain, sidelane  # noqa: F401 - fixtures
from controlplane import ControlPlane, ControlPlaneError, find_programs
from mesh_kinds import meshes  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def programs(unavailable: Callable[[str], NoReturn]) -> Path:
    """The folder of the control plane's programs."""
    try:
        return find_programs()
    except ControlPlaneError as error:
        unavailable(str(error))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster of this test run (of each worker, when pytest-xdist runs several)."""
    if named := request.config.getoption("kubeconfig"):
        yield connect(Path(named), None)
        return
    with ControlPlane(request.getfixturevalue("programs")) as plane:
        yield connect(plane.kubeconfig, plane)


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

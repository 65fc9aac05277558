"""A real cluster of one node for this folder's tests, and a fresh namespace on it for each test.

Pods run in containers here, under a real kubelet, and Services are reached through kube-proxy. The tests of a process
share one cluster, and nearly all run in one process (pytest_xdist_make_scheduler): a start costs what a test does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from clusters import Cluster, client, connect, namespace, plain, sidelane  # noqa: F401 - fixtures
from controlplane import ControlPlaneError
from nodecluster import NodeCluster, find_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts this folder's tests one after the other: pytest orders them by their Helms, and other folders' between."""
    items.sort(key=lambda item: item.path.parent != HERE)


@pytest.fixture(scope="package")
def node(unavailable: Callable[[str], NoReturn]) -> Iterator[NodeCluster]:
    """A running node, until the folder's last test. `node.run` runs a command where Services are reached."""
    try:
        tools = find_node()
    except ControlPlaneError as error:
        unavailable(str(error))
    with NodeCluster(tools) as running:
        yield running


@pytest.fixture(scope="package")
def cluster(node: NodeCluster) -> Cluster:
    """The node's cluster, by its API."""
    return connect(node.kubeconfig, node)

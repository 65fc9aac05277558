"""The rows of scale: the same command with ten times as many releases, or routes, in its namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import stored
from measuring import Row, always, run

#: Releases, and routes, of the two namespaces that are compared.
RELEASES, ROUTES = (100, 1000), (10, 100)


class Cluster(NamedTuple):
    """The programs that fill a namespace, and their cluster."""

    sidelane: str
    helm: Path
    charts: Path
    kubeconfig: Path
    environment: dict[str, str]

    def fill(self, namespace: str, number: int, *, routes: bool = False) -> None:
        """Installs one release in the lane listed-1 of a new namespace, and stores it again in more lanes."""
        if routes:
            values = "Version=listed,name=svc,targets[0].serviceVersion=v1,targets[0].weight=1"
            release, chart = "route-svc-listed-1", str(self.charts / "route")
            command = [str(self.helm), "install", release, chart, "--set", values, "--set-string", "Build=1"]
        else:
            release = "zookeeper-listed-1"
            command = [self.sidelane, "install", "zookeeper", "--lane", "listed-1"]
        run([*command, "-n", namespace, "--create-namespace"], self.environment)
        lanes = [f"listed-{n}" for n in range(2, number + 1)]
        stored.copies(self.kubeconfig, namespace, release, "listed-1", lanes)


def rows(cluster: Cluster, tag: str) -> Iterator[Row]:
    """Makes the namespaces, and yields the rows. Ten times the number may take ten times as long."""
    for number in RELEASES:
        cluster.fill(f"{tag}listed{number}", number)
    for verb in ("list", "graph", "retire --keep 1"):
        few, many = (always(cluster.sidelane, *verb.split(), "-n", f"{tag}listed{number}") for number in RELEASES)
        yield Row(f"{verb}: {RELEASES[1]:,} releases / {RELEASES[0]}", few, many, "≤ 10 ×")
    for number in ROUTES:
        cluster.fill(f"{tag}routes{number}", number, routes=True)
    few, many = (always(cluster.sidelane, "route", "list", "-n", f"{tag}routes{number}") for number in ROUTES)
    yield Row(f"route list: {ROUTES[1]} routes / {ROUTES[0]}", few, many, "≤ 10 ×")

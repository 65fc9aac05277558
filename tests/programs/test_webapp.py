"""The UI, the log viewer and the DRPC server, by what the charts tell them.

Their web pages (storm-webapp) are not on Maven Central: webapp/Webapp.java does what they do besides, by Storm's own
classes. A UI that finds its Nimbus is in test_storm.py.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from programs.pods import PROBES

if TYPE_CHECKING:
    from collections.abc import Callable

    from programs.pods import Cluster, Pod

    Objects = list[dict[str, Any]]
    Render = Callable[..., Objects]

# Helm 3 alone: what each Helm renders is tried elsewhere.
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session")

STARTED = 120  # seconds, on two busy cores


def only(objects: Objects, container: str) -> Objects:
    """A workload's objects with one of its containers alone: a pod has one here."""
    objects = copy.deepcopy(objects)
    for item in objects:
        if spec := item.get("spec", {}).get("template", {}).get("spec"):
            spec["containers"] = [each for each in spec["containers"] if each["name"] == container]
    return objects


@pytest.fixture
def logviewer(cluster: Cluster, render: Render) -> Callable[..., Pod]:
    """The log viewer of a supervisor's pod, by the values of the chart supervisor; a lane has one."""

    def logviewer(build: int, **values: object) -> Pod:
        objects = render("supervisor", Version="coco", Build=str(build), replicas=1, **values)
        return cluster.apply(only(objects, "logviewer"))[f"supervisor-coco-{build}-0"]

    return logviewer


@pytest.mark.parametrize(("build", "form"), [(1, "text"), (2, "json")])
def test_the_log_viewer_finds_where_daemons_log_and_nothing_logs_there(
    logviewer: Callable[..., Pod], build: int, form: str
) -> None:
    pod = logviewer(build, logging={"format": form})
    pod.start()
    for probe in ("startupProbe", "livenessProbe"):
        pod.until(f"its {probe} succeeds", lambda probe=probe: pod.probe(probe), STARTED)
    assert "daemons' logs: /logs\n" in pod.running.output
    assert "serving" in pod.running.output, "it logs, to the standard output"
    # Log4j makes the file of an appender as soon as there is one, unless it is told to wait for an event.
    assert [file.name for file in pod.volumes["logs"].iterdir()] == ["workers-artifacts"]
    pod.stop()
    assert pod.running.code == 143, "SIGTERM"


def test_without_that_appender_it_would_end(logviewer: Callable[..., Pod], cluster: Cluster) -> None:
    pod = logviewer(3)
    files = cluster.configmaps["supervisor-coco-3"]["data"]
    files["cluster.xml"] = files["cluster.xml"].replace('name="A1"', 'name="A2"')
    running = pod.start()
    assert running.process.wait(STARTED) != 0
    assert "could not find configured appender A1" in running.output


@pytest.mark.parametrize("form", ["text", "json"])
def test_drpc_serves_by_the_settings_of_the_chart(cluster: Cluster, render: Render, form: str) -> None:
    build = {"text": "4", "json": "5"}[form]
    values = {"Version": "coco", "Build": build, "drpc": {"enabled": True}, "logging": {"format": form}}
    pod = cluster.apply(render("ui", **values))[f"drpc-coco-{build}-0"]
    pod.start()
    pod.until_ready(STARTED)
    assert all(map(pod.probe, PROBES))
    invocations = {port["name"]: port["containerPort"] for port in pod.container["ports"]}["invocations"]
    pod.execute("bash", "-c", f"exec 3<>/dev/tcp/localhost/{invocations}")


def test_a_ui_without_nimbus_is_alive_and_not_ready(cluster: Cluster, render: Render) -> None:
    pod = cluster.apply(render("ui", Version="coco", Build="6"))["ui-coco-6-0"]
    pod.start()
    pod.until("it has started", lambda: pod.probe("startupProbe"), STARTED)
    assert pod.probe("livenessProbe")
    assert not pod.probe("readinessProbe")

"""Versions of a service, and its route, in a directory target: for tests of routes that need no cluster."""

import functools
import json
import shutil
import tempfile
from pathlib import Path

import yaml
from sidelane import Client, Lane

LANE = Lane("2-coco", 1)


def put(root, version, lane="2-coco-1", service="svc1", namespace="default"):
    """A version of a service as a release in a directory, as small as a release can be."""
    name = f"{service}-{version}-{lane}"
    folder = root / namespace / name
    folder.mkdir(parents=True)
    labels = {"app": f"{service}-{lane}", "version": version, "sidelane.dev/lane": lane}
    metadata = {"name": name, "labels": labels}
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"port": 80}]},
    }
    (folder / "manifest.yaml").write_text(json.dumps(body))
    (folder / "values.yaml").write_text("{}")
    chart = {"name": "service", "version": "0.1.0", "appVersion": ""}
    (folder / "chart.yaml").write_text(json.dumps({"revision": 1, "chart": chart}))
    return folder


def leading(root, helm, services):
    """A client of the directory, in which the routes of these services lead to v1 by Istio."""
    shutil.copytree(_routes(helm, services).name, root / "default", dirs_exist_ok=True)
    return Client(directory=root, helm=helm)


@functools.cache
def _routes(helm, services):
    """A folder with these routes, which a process of the tests makes once."""
    folder = tempfile.TemporaryDirectory()
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        for service in services:
            put(root, "v1", service=service)
        Client(directory=root, helm=helm).routes.set_together(services, LANE, {"v1": 1}, mode="istio")
        for service in services:
            shutil.rmtree(root / "default" / f"{service}-v1-{LANE}")
        shutil.copytree(root / "default", folder.name, dirs_exist_ok=True)
    return folder


def written(root, kind="VirtualService"):
    """The object of that kind of svc1's route, as it lies there."""
    text = (root / "default" / "route-svc1-2-coco-1" / "manifest.yaml").read_text()
    return next(body for body in yaml.safe_load_all(text) if body["kind"] == kind)

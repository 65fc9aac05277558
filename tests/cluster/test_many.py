"""Many stored releases are read by one Helm, each exactly as `helm status` gives it."""

import asyncio

import pytest
from generated import tiny_chart
from sidelane import Client
from sidelane.errors import HelmError, ReleaseNotFound
from sidelane.helm.client import Helm
from sidelane.releases.stores.cluster import ClusterTarget

NAMES = [f"svc{number}-v1-coco-1" for number in range(1, 6)]


def stored_all(target, names):
    return asyncio.run(target.stored_all(names))


def test_many_releases_are_read_as_helm_has_each(cluster, namespace, helm, client, plain, tmp_path):
    chart = tiny_chart(tmp_path / "tiny")
    for number in range(1, 5):
        client.install(chart, "coco-1", name=f"svc{number}", values={"text": f"{number} ü 'quoted' {{{{ it }}}}"})
    plain("install", NAMES[4], chart, "--set", "Version=coco,name=svc5", "--set-string", "Build=1")
    plain("upgrade", NAMES[0], chart, "--reuse-values", "--set", "replicas=3")
    calls = tmp_path / "calls"
    (tmp_path / "helm").write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {helm} "$@"\n')
    (tmp_path / "helm").chmod(0o755)
    counted = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=tmp_path / "helm")

    target = ClusterTarget(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
    assert stored_all(target, NAMES) == [asyncio.run(target.stored(name)) for name in NAMES]
    assert [each.release.revision for each in stored_all(target, NAMES)] == [2, 1, 1, 1, 1]
    assert [result.release for result in counted.verify(lane="coco-1")] == NAMES
    asked = calls.read_text().split()
    assert asked.count("template") == 2, "the releases, and what runs"
    assert asked.count("status") == 1, "the first revision of what plain Helm upgraded has its record"
    with pytest.raises(ReleaseNotFound, match="svc9-v1-coco-1"):
        stored_all(target, [*NAMES[:4], "svc9-v1-coco-1"])

    secret = f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.{NAMES[1]}.v1"
    cluster.patch(secret, {"data": {"release": "bm90IGEgcmVsZWFzZQ=="}})
    with pytest.raises(HelmError, match=r"the Secret sh\.helm\.release\.v1\.svc2-v1-coco-1\.v1 has no release"):
        stored_all(target, NAMES)


def test_releases_that_helm_keeps_elsewhere_are_read_one_by_one(cluster, namespace, helm, plain, tmp_path, monkeypatch):
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    chart = tiny_chart(tmp_path / "tiny")
    for number in range(1, 6):
        lane = ("--set", f"Version=coco,name=svc{number}", "--set-string", "Build=1")
        plain("install", NAMES[number - 1], chart, *lane)
    target = ClusterTarget(Helm(executable=helm, kubeconfig=cluster.kubeconfig), namespace)
    assert [each.release.name for each in stored_all(target, NAMES)] == NAMES

"""A check inside `helm install`: what breaks a rule is refused before anything is created."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from command_line import SIDELANE
from post_renderers import flags

TEMPLATE = "{apiVersion: v1, kind: ConfigMap, metadata: {name: {{ .Values.name | quote }}}, data: {key: value}}"


@pytest.fixture
def run(helm, cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("HELM_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    monkeypatch.setenv("PATH", f"{SIDELANE.parent}:{os.environ['PATH']}")

    def run(*arguments, code=0):
        done = subprocess.run([helm, *arguments], capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


def test_an_installation_that_breaks_a_rule_creates_nothing(run, cluster, namespace, tmp_path):
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "templates" / "map.yaml").write_text(TEMPLATE)
    (tmp_path / "chart" / "Chart.yaml").write_text(
        json.dumps({"apiVersion": "v2", "name": "chart", "version": "1.0.0"})
    )
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    before = cluster.until("the namespace has its own", lambda: cluster.names(maps))
    checked = ("install", "one", "chart", "--namespace", namespace, *flags(run))
    refused = run(*checked, "--set", "name=Not_A_Name", code=1)
    # The line is known where the template is found from the post-renderer's folder.
    assert re.search(rb"chart/templates/map\.yaml(:1)?: ConfigMap Not_A_Name", refused.stderr)
    assert b"[name-limits]" in refused.stderr
    assert cluster.names(maps) == before
    assert run("list", "--namespace", namespace, "--short").stdout == b""
    run(*checked, "--set", "name=one-map")
    assert set(cluster.names(maps)) - set(before) == {"one-map"}

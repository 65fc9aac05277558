"""A chart with random values is rendered twice, and any other one once."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(("password", "times"), [("randAlphaNum 12", 2), ('"fixed"', 1)])
def test_random_values_are_found_by_a_second_rendering(sidelane, helm, tmp_path, password, times):
    chart, calls, program = tmp_path / "demo", tmp_path / "calls", tmp_path / "bin" / "helm"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: demo, version: 0.1.0}\n")
    body = "{apiVersion: v1, kind: Secret, metadata: {name: {{ .Release.Name }}}, stringData: {password: {{ %s }}}}\n"
    (chart / "templates" / "secret.yaml").write_text(body % password)
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {helm} "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:/usr/bin:/bin"
    done = sidelane("check", chart, "--preset", "helm", "-o", "json", PATH=path)
    places = [(each["rule"], each["path"]) for each in json.loads(done.stdout)["findings"]]
    assert places == [("nothing-random", "stringData[password]")] * (times - 1)
    assert calls.read_text().split().count("template") == times

"""What charts/common gives to a chart, beside names: metadata, selectors and the environment of a service's version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.both_helms

SERVICE = """\
{{- $it := dict "root" . "component" "svc1" "serviceVersion" "v1" }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "common.metadata" (merge (dict "kind" "Deployment") $it) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "common.selector" $it | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "common.podLabels" $it | nindent 8 }}
    spec:
      containers:
        - name: svc1
          image: {{ include "common.image" . }}
          env:
            {{- include "common.env" $it | nindent 12 }}
"""
VALUES = {"Version": "2-coco", "Build": "1", "image": {"repository": "acme/svc1", "tag": "1.4.0"}}


def test_one_version_of_a_service(render: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    (deployment,) = render(throwaway(SERVICE), values=VALUES)
    assert deployment["metadata"]["name"] == "svc1-v1-2-coco-1"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == "1.4.0"
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector == {"app": "svc1-2-coco-1", "version": "v1", "sidelane.dev/lane": "2-coco-1"}
    pod = deployment["spec"]["template"]
    assert selector.items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "acme/svc1:1.4.0"
    told = {variable["name"]: variable["value"] for variable in container["env"]}
    assert told == {
        "SIDELANE_VERSION": "2-coco",
        "SIDELANE_BUILD": "1",
        "SIDELANE_LANE": "2-coco-1",
        "SIDELANE_SERVICE": "svc1",
        "SIDELANE_SERVICE_VERSION": "v1",
    }


def test_a_name_that_is_too_long_stops_the_install(
    refusal: Callable[..., str], throwaway: Callable[[str], Path]
) -> None:
    said = refusal(throwaway(SERVICE), values={**VALUES, "Version": "a" * 40})
    assert f"the name 'svc1-v1-{'a' * 40}-1' has 50 characters, and a Deployment takes at most 46" in said


def test_lint_names_what_it_would_refuse_and_goes_on(run: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    done = run("lint", throwaway(SERVICE), values={**VALUES, "Version": "COCO"})
    assert done.returncode == 0, done.stdout
    assert "write it such as 'coco'" in done.stdout + done.stderr


def test_the_guard_holds_no_digest_of_a_secret(render: Callable[..., Any], throwaway: Callable[[str], Path]) -> None:
    chart = throwaway('{{ include "common.record" (dict "root" . "component" "svc1") }}')

    def facts(secret: object, **values: object) -> dict[str, str]:
        env = [{"name": "DB_PASSWORD", "value": secret}, {"name": "LEVEL", "value": values.get("level", "info")}]
        auth = {"adminPassword": secret, "users": [{"user": "bob", "apiKey": secret}], "token": {"value": secret}}
        (record,) = render(chart, values={**VALUES, "auth": auth, "env": env})
        return record["data"]

    assert facts("hunter2") == facts("hunter3") == facts(12345)
    # Whether it is given at all, and what is beside it, still counts.
    assert facts("hunter2") != facts("")
    assert facts("hunter2") != facts("hunter2", level="debug")

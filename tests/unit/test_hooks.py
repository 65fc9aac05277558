"""Helm's own fields of hooks, held against the hooks' manifests."""

from __future__ import annotations

from typing import Any

import pytest
from sidelane.releases.stores import hooks

MANIFEST = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: seed
  annotations:
    helm.sh/hook: pre-install, POST-upgrade
    helm.sh/hook-weight: "-5"
    helm.sh/hook-delete-policy: hook-succeeded
"""
STORED = {
    "name": "seed",
    "path": "demo/templates/seed.yaml",
    "manifest": MANIFEST,
    "events": ["pre-install", "post-upgrade"],
    "weight": -5,
    "delete_policies": ["hook-succeeded"],
}


def test_a_hook_as_helm_stores_it_is_not_odd() -> None:
    plain = MANIFEST.partition("    helm.sh/hook-weight")[0].replace("pre-install, POST-upgrade", "test-success")
    ran = {"name": "x", "manifest": plain, "events": ["test"], "delete_policies": ["before-hook-creation"]}
    broken = {"name": "x", "manifest": "{", "events": ["test"]}
    assert list(hooks.odd([STORED, ran, broken])) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"events": ["pre-delete"]}, "Helm has the events pre-delete, and its manifest post-upgrade, pre-install"),
        ({"events": None}, "Helm has the events none, and its manifest post-upgrade, pre-install"),
        ({"weight": 0}, "Helm has the weight 0, and its manifest -5"),
        ({"delete_policies": []}, "Helm has the delete policies none, and its manifest hook-succeeded"),
    ],
)
def test_each_field_is_named(change: dict[str, Any], line: str) -> None:
    assert list(hooks.odd([{**STORED, **change}])) == [f"the hook seed: {line}"]

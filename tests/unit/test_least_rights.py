"""The verbs whose rights are known, and the Roles made of them. tests/cluster/test_least_rights.py runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from sidelane.cli import COMMANDS, sidelane
from sidelane.errors import InvalidInput
from sidelane.manifest import Manifest
from sidelane.releases import least_rights

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Commands that use no cluster.
WITHOUT = {
    "charts", "render", "explain", "post-render", "helm-plugin", "completion", "guard-role", "guard-manifests",
}  # fmt: skip
OBJECTS = """\
apiVersion: v1
kind: Service
metadata: {name: a}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: b}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: c}
---
apiVersion: v1
kind: Pod
metadata: {name: d, annotations: {helm.sh/hook: test}}
"""


def commands() -> Iterator[str]:
    for name in COMMANDS:
        command = sidelane.get_command(click.Context(sidelane), name)
        parts = command.commands if isinstance(command, click.Group) else {}
        yield from (f"{name}-{part}" for part in parts)
        if not parts or (isinstance(command, click.Group) and command.invoke_without_command):
            yield name


def test_the_rights_of_every_command_that_uses_a_cluster_are_known() -> None:
    assert {*least_rights.VERBS} == {*commands()} - WITHOUT


def test_rights_are_of_the_kinds_that_the_verb_works_on() -> None:
    objects = Manifest.read(OBJECTS).objects
    rights = {(right.verb, right.resource) for right in least_rights.of_verb("route-set", objects, "n")}
    assert {("patch", "services"), ("patch", "networkpolicies"), ("list", "endpointslices")} <= rights
    assert {name for _, name in rights}.isdisjoint({"clusterroles", "pods", "configmaps"})
    assert least_rights.of_verb("list", objects, "n") == least_rights.of_verb("list", (), "n")


def test_rights_without_a_namespace_are_a_cluster_role() -> None:
    role = least_rights.role("x", least_rights.of_verb("guard-status", (), "n"))
    assert (role["kind"], role["metadata"]) == ("ClusterRole", {"name": "x"})
    role = least_rights.role("x", least_rights.of_verb("graph", (), "n"))
    assert (role["kind"], role["metadata"]) == ("Role", {"name": "x", "namespace": "n"})


def test_an_unknown_verb_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="name one of list, record") as refused:
        least_rights.of_verb("route set", (), "n")
    assert "route-set" in refused.value.remedy

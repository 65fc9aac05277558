"""The chart guard: its roles and the SDK's table of them, its policies as static files, and its README's pipelines."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import click
import pytest
import typed
import yaml
from sidelane.cli import sidelane
from sidelane.helm.rights import denied, missing_in
from sidelane.helm.roles import ROLES, role_with
from sidelane.kubeyaml import read_all
from sidelane.releases.guarding import POLICIES, static_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def rights(rules: Iterable[Any]) -> set[tuple[str, str, str]]:
    def each() -> Iterator[tuple[str, str, str]]:
        for groups, resources, verbs in rules:
            yield from ((verb, group, resource) for verb in verbs for group in groups for resource in resources)

    return set(each())


def test_the_table_of_roles_is_the_charts(render: Callable[..., Any]) -> None:
    objects = render("guard", values={"Version": "guard", "Build": "1", "namespaces": ["streams"]})
    keys = ("apiGroups", "resources", "verbs")
    cluster = next(obj for obj in objects if obj["kind"] == "ClusterRole")
    of_all = rights(tuple(rule[key] for key in keys) for rule in cluster["rules"])
    table = {
        obj["metadata"]["name"].removesuffix("-guard-1"):
            rights(tuple(rule[key] for key in keys) for rule in obj["rules"]) | of_all
        for obj in objects
        if obj["kind"] == "Role"
    }  # fmt: skip
    assert table == {role: rights(rules) for role, rules in ROLES.items()}


@pytest.mark.parametrize(
    ("right", "role"),
    [
        (("list", "", "pods"), "observer"),
        (("patch", "", "services"), "router"),
        (("create", "apps", "statefulsets"), "deployer"),
        (("create", "", "namespaces"), ""),
    ],
)
def test_the_role_with_the_fewest_rights_is_named(right: tuple[str, str, str], role: str) -> None:
    assert role_with(*right) == role
    verb, group, resource = right
    words = f'User "x" cannot {verb} resource "{resource}" in API group "{group}" in the namespace "streams"'
    assert (f"the role {role} of the chart guard has it" in denied(missing_in(words)).remedy) == bool(role)


def test_the_policies_are_files_that_an_api_server_reads(render: Callable[..., Any]) -> None:
    rendered = render("guard", values={"Version": "guard", "Build": "1", "namespaces": ["streams"]})
    objects = static_manifests(yaml.safe_dump_all(rendered))
    policies = {obj["metadata"]["name"]: obj for obj in objects if obj["kind"] == "ValidatingAdmissionPolicy"}
    assert policies.keys() == {f"{policy}-guard-1.static.k8s.io" for policy in POLICIES}
    bindings = [obj for obj in objects if obj["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {obj["spec"]["policyName"] for obj in bindings} == policies.keys()
    assert all(obj["metadata"]["name"].endswith(".static.k8s.io") for obj in bindings)
    assert len(policies) + len(bindings) == len(objects)
    assert not any("paramKind" in policy["spec"] for policy in policies.values())


@pytest.mark.parametrize(("mode", "actions"), [("deny", "Deny"), ("warn", "Warn"), ("audit", "Audit")])
def test_objects_without_a_namespace_are_guarded_on_request(
    mode: str, actions: str, render: Callable[..., Any]
) -> None:
    values = {"Version": "guard", "Build": "1"}
    before = render("guard", values=values)
    extra = [obj for obj in render("guard", values={**values, "clusterObjects": mode}) if obj not in before]
    policy, binding = (obj for obj in extra if obj["kind"] != "ConfigMap")
    assert [rule["scope"] for rule in policy["spec"]["matchConstraints"]["resourceRules"]] == ["Cluster"]
    assert binding["metadata"]["name"] == f"cluster-objects-{mode}-guard-1"
    assert binding["spec"]["policyName"] == policy["metadata"]["name"] == "cluster-objects-guard-1"
    assert binding["spec"]["validationActions"][0] == actions
    assert "matchResources" not in binding["spec"]


def test_users_of_a_pipeline_get_the_role(render: Callable[..., Any]) -> None:
    users = {"users": ["github:repo:acme/streams"], "groups": ["ci"]}
    objects = render("guard", values={"Version": "guard", "Build": "1", "namespaces": ["a"], "deployers": users})
    subjects = {
        (obj["kind"], obj["metadata"]["name"]): [(subject["kind"], subject["name"]) for subject in obj["subjects"]]
        for obj in objects
        if "subjects" in obj
    }
    wanted = [("User", "github:repo:acme/streams"), ("Group", "ci")]
    assert subjects["RoleBinding", "deployer-guard-1"] == [("ServiceAccount", "deployer-guard-1"), *wanted]
    assert subjects["RoleBinding", "router-guard-1"] == [("ServiceAccount", "router-guard-1")]
    assert subjects["ClusterRoleBinding", "policies-guard-1"][-2:] == wanted


def test_the_pipelines_of_the_readme_are_yaml_with_commands_that_exist() -> None:
    readme = typed.ROOT / "charts" / "guard" / "README.md"
    blocks = [text for language, text in typed.blocks(readme) if language == "yaml"]
    assert len(blocks) == 6
    assert all(list(read_all(text)) for text in blocks)
    commands = re.findall(r"^ *(?:- )?(sidelane .*)$", "\n".join(blocks), re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        _, *words = shlex.split(command)
        group: click.Command = sidelane
        while isinstance(group, click.Group):
            subcommand = group.get_command(click.Context(group), words.pop(0))
            assert subcommand is not None, command
            group = subcommand
        group.make_context("sidelane", words)

"""The commands that errors and other texts advise: whole, as they are pasted."""

import ast
import json
import re
import shlex
from pathlib import Path

import click
import pytest
import sidelane as package
from sidelane import Client, Lane
from sidelane.cli import sidelane
from sidelane.errors import ApplyFailed, ReleaseNotFound, SidelaneError
from sidelane.helm.failures import MEANINGS, explain
from sidelane.routes.model import about
from sidelane.support.advice import Place

SOURCES = Path(package.__file__).parent
COMMAND_BEGINS = re.compile(r"`(?:sidelane|helm|kubectl) ")
COMMAND = re.compile(r"`((?:sidelane|helm|kubectl) [^`]+)`")


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            node.body and isinstance(node.body[0], ast.Expr)
        ):
            yield node.body[0].value


def advised():
    """Every command in backticks of every text in the sources but docstrings. What a text leaves open is ``coco-1``, a
    name that a lane, a release, a service and a file may have.
    """
    for path in sorted(SOURCES.rglob("*.py")):
        source = path.read_text()
        if not COMMAND_BEGINS.search(source):
            continue  # to parse all takes seconds
        tree = ast.parse(source)
        apart = set(docstrings(tree))
        parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "coco-1" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {node} & (apart | parts):
                text = node.value
            else:
                continue
            for match in COMMAND.finditer(text):
                yield path.stem, re.sub(r"\{\w+\}", "coco-1", match[1])


def test_each_advised_command_has_all_its_arguments():
    every = list(advised())  # here, because each process of the tests would do it at its start
    assert len(every) > 20
    assert [(where, command, problem) for where, command in every if (problem := missing(command))] == []


def missing(command):
    """The arguments that an advised command has not; empty for a whole one."""
    program, *words = shlex.split(command.replace("route coco-1 ", "route history "))  # see the next test
    if program != "sidelane":
        return "…" if "…" in command else ""
    group = sidelane
    while isinstance(group, click.Group) and not (group.invoke_without_command and words[0].startswith("-")):
        group = group.get_command(click.Context(group), words.pop(0))
    try:
        context = group.make_context(command, words, auto_envvar_prefix=None)
    except click.ClickException as error:
        return error.format_message()
    # Such commands take a release or a lane, and the parser asks for neither.
    if {"release", "lane"} <= context.params.keys() and group.name not in ("list", "graph", "check", "render"):
        return "" if context.params["release"] or context.params["lane"] else "a release or a lane"
    return ""


@pytest.mark.parametrize("verb", ["history", "show", "undo", "undo --overwrite"])
def test_advice_about_a_route_names_its_service_and_lane(verb):
    advice = about("route-svc1-2-coco-1", verb)
    assert advice == f"`sidelane route {verb} svc1 --lane 2-coco-1`"
    assert missing(advice.strip("`")) == ""
    assert about("somebodys-own", verb) == "`sidelane route list`"


EVERYTHING = Place("streams", None, "k config", "prod", "https://k:1")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (
            "`sidelane status zk-coco-1`",
            "`sidelane status zk-coco-1 -n streams --kubeconfig 'k config' --kube-context prod --kube-apiserver https://k:1`",
        ),
        ("`sidelane list -n other --kubeconfig k --kube-context c --kube-apiserver s`", None),
        ("`sidelane charts zookeeper`", None),
        ("`helm search repo`", None),
        (
            "`helm get values zk --namespace=a`",
            "`helm get values zk --namespace=a --kubeconfig 'k config' --kube-context prod --kube-apiserver https://k:1`",
        ),
        (
            "`kubectl create namespace streams`",
            "`kubectl create namespace streams --kubeconfig 'k config' --context prod -s https://k:1`",
        ),
        ("`not a command` and `sidelane`", None),
    ],
)
def test_flags_of_the_connection_are_added_once(text, whole):
    assert EVERYTHING.whole(text) == (whole or text)
    assert EVERYTHING.whole(EVERYTHING.whole(text)) == EVERYTHING.whole(text)
    assert Place().whole(text) == text


def test_a_directory_is_named():
    assert Place("default", "a root").whole("`sidelane list`") == "`sidelane list -n default --directory 'a root'`"


def test_an_error_of_several_completes_each():
    first_error = SidelaneError("zk", remedy="see `sidelane status zk-coco-1`")
    error = ApplyFailed("a lane", errors={"zk-coco-1": first_error})
    error.complete(Place("streams"))
    assert first_error.remedy == "see `sidelane status zk-coco-1 -n streams`"
    assert first_error.remedy in error.remedy
    assert first_error.remedy in json.dumps(error.to_json())


def test_every_meaning_of_helms_words_names_the_release_where_it_is_known():
    rows = [row for row in MEANINGS if "{status}" in row.remedy]
    assert rows
    explanation = explain("Error: context deadline exceeded", 1, (), "zookeeper-coco-1")
    assert explanation.remedy.startswith("see `sidelane status zookeeper-coco-1`")
    assert "`sidelane list`" in explain("Error: context deadline exceeded", 1).remedy


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.status("zookeeper", "coco-1"),
        lambda client: client.uninstall("zookeeper-coco-1"),
        lambda client: client.upgrade("zookeeper", "coco-1"),
        lambda client: client.record("zookeeper-coco-1"),
        lambda client: client.verify("zookeeper-coco-1"),
        lambda client: client.verify(lane="coco-1"),
        lambda client: client.status(lane="coco-1"),
        lambda client: client.wait(lane="coco-1"),
        lambda client: client.diff("coco-1"),
        lambda client: client.diff("coco-1", "coco-2"),
        lambda client: client.bundle("coco-1", "/dev/null"),
        lambda client: client.retire("coco-1"),
        lambda client: client.retire("zookeeper-coco-1", "coco-1"),
        lambda client: client.routes.show("svc1", "coco-1"),
        lambda client: client.routes.history("svc1", "coco-1"),
        lambda client: client.routes.undo("svc1", "coco-1"),
        lambda client: client.routes.shift("svc1", Lane("coco", 1), "v2"),
    ],
)
def test_what_is_not_there_is_told_with_the_place_that_was_looked_at(tmp_path, ask):
    client = Client(directory=tmp_path / "a root", namespace="streams", helm="no helm is run")
    with pytest.raises(ReleaseNotFound) as refused:
        ask(client)
    assert f"in namespace streams of the directory {str(tmp_path / 'a root')!r}" in refused.value.problem
    flags = f"-n streams --directory '{tmp_path / 'a root'}'"
    assert f"`sidelane list {flags}`" in refused.value.remedy

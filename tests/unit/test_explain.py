"""`sidelane explain`: a rule for people and for programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sidelane.checks import explain
from sidelane.checks.engine import check
from sidelane.checks.rules import RULES
from sidelane.checks.side_by_side import CLASHES
from sidelane.checks.side_by_side.proving import prove
from sidelane.cli import sidelane
from sidelane.manifest import Manifest


def explained(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(sidelane, ["explain", *arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("rule", [*RULES, *CLASHES], ids=lambda rule: rule.id)
def test_an_explanation_fits_80_columns_and_has_every_fact(rule) -> None:
    head, wrong, right = (part.strip() for part in explained(rule.id).replace("\nright:", "\nwrong:").split("\nwrong:"))
    assert head.startswith(f"{rule.id}: {rule.title}")
    assert max(map(len, head.splitlines())) <= 80
    for words in (rule.explanation, rule.origin, rule.remedy, rule.severity):
        assert " ".join(words.split()) in " ".join(head.split())
    for text, example in ((wrong, rule.wrong[0]), (right, rule.right[0])):
        if not isinstance(example, str):
            example = "# the first release\n{}\n# the second release\n{}".format(*map(str.strip, example))  # noqa: PLW2901
        assert [line.strip() for line in text.splitlines()] == [line.strip() for line in example.strip().splitlines()]


def test_the_examples_in_json_can_be_checked() -> None:
    data = json.loads(explained("lane-suffix", "-o", "json"))
    (finding,) = [f for f in check(Manifest.read(data["wrong"][0])).findings if f.severity == "error"]
    assert finding.rule == data["id"] == "lane-suffix"
    assert data["origin"]


def test_the_examples_of_a_clash_are_pairs() -> None:
    data = json.loads(explained("shared-objects", "-o", "json"))
    first, second = map(Manifest.read, data["wrong"][0])
    assert {finding.rule for finding in prove(first, second)} == {data["id"]}
    assert data["scope"] == "side-by-side"


def test_the_list_has_every_rule() -> None:
    lines = explained().splitlines()[1:]
    every = [*RULES, *CLASHES]
    assert [line.split()[0] for line in lines] == [rule.id for rule in every]
    assert [rule["id"] for rule in json.loads(explained("-o", "json"))] == [rule.id for rule in every]


def test_an_unknown_rule_gives_the_nearest_name() -> None:
    assert "did you mean port-names?" in explained("port-name", code=2)
    assert "`sidelane explain` lists all rules" in explained("x", code=2)
    assert explain.find("port-names").id == "port-names"

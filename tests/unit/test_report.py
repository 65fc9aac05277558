"""A report in its formats."""

from __future__ import annotations

import json

import pytest
from sidelane import kubeyaml
from sidelane.checks.engine import Report, check
from sidelane.checks.report import FORMATS, render, render_text
from sidelane.checks.rules import RULES
from sidelane.errors import InvalidInput
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane

TEXT = "# Source: zookeeper/templates/service.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: zk}\n"
REPORT = check(Manifest.read(TEXT), lane=Lane("2-coco", 1), rules=RULES[:2])
CLEAN = Report((), 1, ("lane-suffix",))


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


def test_text_fits_80_columns_and_has_colours_only_when_asked() -> None:
    assert max(map(len, render(REPORT).splitlines())) <= 80
    assert "\033" not in render(REPORT)
    assert "\033[31merror   \033[0m" in render_text(REPORT, colour=True)
    assert "\033[32mclean\033[0m" in render_text(CLEAN, colour=True)


def test_formats_for_programs_say_the_same() -> None:
    assert json.loads(render(REPORT, "json")) == REPORT.to_json() == kubeyaml.read(render(REPORT, "yaml"))
    assert not REPORT.to_json()["clean"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_in_one_newline(name: str) -> None:
    for report in (REPORT, CLEAN):
        assert render(report, name).endswith("\n")
        assert not render(report, name).endswith("\n\n")


def test_another_format_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'xml' is not a report format"):
        render(REPORT, "xml")

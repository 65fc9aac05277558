"""Baselines: known findings don't fail, new ones do, and those that are gone are told."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
from sidelane.checks import baseline
from sidelane.checks.engine import check
from sidelane.checks.findings import Report
from sidelane.checks.rules import RULES
from sidelane.errors import InvalidInput
from sidelane.manifest import Manifest
from sidelane.naming.lane import Lane
from sidelane.support import carried


def report(lane: str, *names: str) -> Report:
    text = "---\n".join(f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n" for name in names)
    return check(Manifest.read(text), lane=Lane.parse(lane), rules=RULES[1:2])


def test_known_findings_of_another_lane_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline.written(report("coco-1", "a-coco-1", "b-coco-1")))
    known = baseline.read(str(file))
    remaining = baseline.without_known(report("coco-2", "a-coco-2", "c-coco-2"), known, "baseline.json")
    assert [str(finding.identity) for finding in remaining.findings] == ["Service c-coco-2"]
    assert remaining.notes == (
        "1 finding known from baseline.json",
        "gone since baseline.json: Service b-{lane} metadata.labels [lane-labels]",
    )
    assert baseline.without_known(report("coco-2", "a-coco-2", "b-coco-2"), known, "").clean


def test_a_finding_that_is_known_once_is_hidden_once(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline.written(report("coco-1", "a-coco-1")))
    twice = report("coco-1", "a-coco-1", "a-coco-1")
    assert len(baseline.without_known(twice, baseline.read(str(file)), "").findings) == 1


def test_the_file_keeps_its_schema_and_tells_neither_order_nor_lane() -> None:
    text = baseline.written(report("coco-1", "b-coco-1", "a-coco-1"))
    assert text == baseline.written(report("2-coco-7", "a-2-coco-7", "b-2-coco-7"))
    schema = json.loads((carried.folder("schemas") / "baseline.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(json.loads(text))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"kind": "Baseline", "findings": []}', "[" * 100_000,
     '{"apiVersion": "sidelane.dev/v1alpha1", "kind": "Baseline", "findings": [{}]}',
     '{"apiVersion": "sidelane.dev/v1alpha1", "kind": "Baseline", "findings": 1}', b"\xff"],
)  # fmt: skip
def test_another_file_is_refused(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput, match="is not a baseline; write one with"):
        baseline.read(str(file))
    with pytest.raises(InvalidInput, match="can't be read"):
        baseline.read(str(tmp_path / "none"))

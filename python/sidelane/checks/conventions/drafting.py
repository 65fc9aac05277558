"""A first conventions file for a chart, from what it renders today: clean now, but not after the next deviation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sidelane.checks.findings import Finding, Report
from sidelane.kubeyaml.writer import dump
from sidelane.manifest import Manifest
from sidelane.naming.labels import CHART

#: Labels that change with the chart's version, not with its conventions.
_NOT_CONVENTIONS: Final = frozenset({CHART, "app.kubernetes.io/version"})
_HEAD: Final = """\
# The conventions of this chart; `sidelane check --print-conventions` explains each part.
apiVersion: sidelane.dev/v1alpha1
kind: Conventions
"""


def draft(manifest: Manifest, report: Report, preset: str, release: str, lane: str = "") -> str:
    """Return the text of a conventions file.

    preset: the one that the file extends; report: of a check against it. The labels that all objects have are required
    from now on, and each finding of today gets an exception.
    """
    parts: dict[str, Any] = {"extends": preset}
    if labels := _labels(manifest, release):
        parts["labels"] = labels
    if exceptions := list(_exceptions(report.findings, (release, lane))):
        parts["exceptions"] = exceptions
    return _HEAD + dump(parts)


def _labels(manifest: Manifest, release: str) -> dict[str, str]:
    """Return the labels without a lane that every object and pod has, with a pattern for each."""
    sets = [labels for obj in manifest.objects for labels in (obj.labels, obj.pod_template and obj.pod_template.labels)]
    present = [labels for labels in sets if labels is not None]
    keys = set[str].intersection(*({*_texts(labels)} for labels in present)) if present else set()
    return {
        key: "{release}" if all(labels[key] == release for labels in present) else "{name}"
        for key in sorted(keys - _NOT_CONVENTIONS)
        if not key.startswith("sidelane.dev/") and key not in ("app", "version")
    }


def _texts(labels: Mapping[str, Any]) -> Iterator[str]:
    return (key for key, value in labels.items() if isinstance(value, str) and value)


def _exceptions(findings: Iterable[Finding], varying: tuple[str, str]) -> Iterator[dict[str, str]]:
    seen = set()
    for finding in findings:
        parts = {
            "kind": finding.identity.kind,
            "name": finding.identity.name,
            "path": finding.path,
            "template": finding.source,
        }
        literal = {key: _glob(text, varying) for key, text in parts.items() if text}
        exception = {"rule": finding.rule, **literal, "reason": "already so when the conventions were written"}
        if (key := tuple(exception.items())) not in seen:
            seen.add(key)
            yield exception


def _glob(text: str, varying: tuple[str, str]) -> str:
    """Return a pattern that matches a text, whatever its release and lane."""
    escaped = re.sub(r"([*?[])", r"[\1]", text)
    for part in varying:
        if part:
            escaped = escaped.replace(part, "*")
    return escaped

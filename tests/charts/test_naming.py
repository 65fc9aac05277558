"""charts/common and the SDK name alike, or refuse in the same words, and no two inputs share a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sidelane.errors import InvalidInput
from sidelane.naming.contract import KIND_LIMITS, LABEL_VALUE_LIMIT, component_name, service_version_name
from sidelane.naming.lane import BUILD_LIMIT, VERSION_LIMIT, Lane
from soaking import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Answers = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]

Case = dict[str, Any]

KINDS = {**KIND_LIMITS, "ConfigMap": LABEL_VALUE_LIMIT}

# Good names of few parts, so that many are much alike; and names that are nearly right, and any text at all.
joined = st.sampled_from(["-", "-", "", "--"])
good = {
    "component": st.lists(st.sampled_from(["a", "zk", "cs", "v", "svc1", "v1", "v2x"]), min_size=1, max_size=3).map(
        "-".join
    ),
    "serviceVersion": st.sampled_from(["v1", "v2", "v2beta1", "v10"]),
    "version": st.sampled_from(["coco", "cs", "v1", "2", "2-coco", "2-cs", "1-4-0", "0", "1-v1-coco", "2c"]),
    "build": st.one_of(
        st.sampled_from(["0", "1", "20261122"]), st.integers(0, 2**53 - 1)
    ),  # numbers as a file has them
}
parts = st.sampled_from(["a", "zk", "coco", "1", "0", "01", "v", "v1", "v2x", "1v", "", "A", ".", "_", "é"])
near = st.lists(parts, min_size=1, max_size=4).flatmap(lambda some: joined.map(lambda by: by.join(some)))
numbers = st.sampled_from(["01", "00", "1e3", "-1", "+1", "1.0", "", "١", "1 ", "1\n", "0x1", -1])
bad = st.one_of(
    near,
    st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=5),
    st.integers(30, 70).map(lambda length: "a" * length),
)


def mostly(name: str) -> st.SearchStrategy[Any]:
    wrong = st.one_of(bad, numbers) if name == "build" else bad
    return st.sampled_from([good[name]] * 5 + [wrong]).flatmap(lambda chosen: chosen)


cases = st.fixed_dictionaries(
    {**{name: mostly(name) for name in ("component", "version", "build")}, "kind": st.sampled_from(sorted(KINDS))},
    optional={"serviceVersion": mostly("serviceVersion")},
)

TEMPLATE = """\
{{- range $index, $case := .Values.cases }}
{{- $problem := include "sidelane.version.problem" (dict "value" .version) }}
{{- $problem = $problem | default (include "sidelane.build.problem" (dict "value" .build)) }}
{{- $version := include "sidelane.lane.text" (dict "value" .version) }}
{{- $lane := printf "%s-%s" $version (include "sidelane.lane.text" (dict "value" .build)) }}
{{- $named := merge (dict "lane" $lane) (pick . "component" "serviceVersion" "kind") }}
{{- $problem = $problem | default (include "sidelane.name.problem" $named) }}
---
index: {{ $index }}
{{- if $problem }}
problem: {{ $problem | quote }}
{{- else }}
name: {{ include "sidelane.name.text" $named | quote }}
{{- end }}
{{- end }}
"""


@pytest.fixture
def in_templates(run: Callable[..., Any], throwaway: Callable[[str], Path]) -> Answers:
    """The answers of charts/common to each case: a name or a problem. One Helm run for all of them."""
    chart = throwaway(TEMPLATE)

    def answers(cases: list[Case]) -> list[Case]:
        done = run("template", "release", chart, values={"cases": cases})
        assert done.returncode == 0, done.stderr
        output = {answer["index"]: answer for answer in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if answer}
        return [output[index] for index in range(len(cases))]

    return answers


def in_python(case: Case) -> Case:
    """The SDK's answer to the case: a name or a problem, with its remedy in one sentence."""
    try:
        lane = Lane(case["version"], case["build"])
        if "serviceVersion" in case:
            return {"name": service_version_name(case["component"], case["serviceVersion"], lane, kind=case["kind"])}
        return {"name": component_name(case["component"], lane, kind=case["kind"])}
    except InvalidInput as error:
        return {"problem": f"{error.problem}; {error.remedy}"}


def is_plain(case: Case) -> bool:
    """Python's messages escape other characters than these."""
    return all(re.fullmatch(r"[ -~]*", str(value)) and not re.search(r"['\\]", str(value)) for value in case.values())


def read(name: str) -> tuple[str, str | None, str, str]:
    """Component, service version, Version and Build of a name: there is one way only to read it."""
    *parts, build = name.split("-")
    start = next((i for i, part in enumerate(parts) if part[0].isdigit()), len(parts) - 1)
    component, version = parts[:start], parts[start:]
    service_version = component.pop() if len(component) > 1 and re.match(r"v[0-9]", component[-1]) else None
    return "-".join(component), service_version, "-".join(version), build


def generated() -> list[Case]:
    collected: list[Case] = []

    @settings(max_examples=300 * TIMES, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(cases)
    def collect(case: Case) -> None:
        collected.append(case)

    collect()
    return collected


def at_the_limits() -> list[Case]:
    """For each kind the longest name that it takes, and one character more; and the same for a Version and a Build."""
    cases = [
        {"component": "a" * (limit - len("-2-coco-1") + more), "version": "2-coco", "build": "1", "kind": kind}
        for kind, limit in KINDS.items()
        for more in (0, 1)
    ]
    cases += [{**case, "component": case["component"][3:], "serviceVersion": "v1"} for case in cases]
    for more in (0, 1):
        cases.append({"component": "a", "version": "b" * (VERSION_LIMIT + more), "build": "1", "kind": "Service"})
        cases.append({"component": "a", "version": "b", "build": "1" * (BUILD_LIMIT + more), "kind": "Service"})
    return cases


def test_templates_and_python_agree(in_templates: Answers) -> None:
    every = generated() + at_the_limits()
    accepted: dict[str, tuple[Any, ...]] = {}
    refused: set[str] = set()
    for case, answer in zip(every, in_templates(every), strict=True):
        expected = in_python(case)
        del answer["index"]
        if is_plain(case):
            assert answer == expected, case
        else:
            assert answer.keys() == expected.keys() == {"problem"}, case
        if "problem" in expected:
            refused.add(re.sub(r"'.*?'|[0-9]+|[A-Z][a-zA-Z]+", "…", expected["problem"]))
            continue
        inputs = case["component"], case.get("serviceVersion"), case["version"], str(case["build"])
        assert read(expected["name"]) == inputs
        assert accepted.setdefault(expected["name"], inputs) == inputs, "two inputs, one name"
    assert len(accepted) > 100, "too few names were accepted for the test to mean much"
    assert len(refused) >= 10, "too few rules were broken for the test to mean much"


@pytest.mark.parametrize("case", at_the_limits(), ids=lambda case: f"{case['kind']}-{len(case['component'])}")
def test_the_limits_are_where_they_are_said_to_be(case: Case) -> None:
    suffix = [case.get("serviceVersion"), case["version"], case["build"]]
    length = len("-".join(filter(None, [case["component"], *suffix])))
    fits = len(case["version"]) <= VERSION_LIMIT and len(case["build"]) <= BUILD_LIMIT and length <= KINDS[case["kind"]]
    assert ("name" in in_python(case)) == fits


# What the grammar exists for: read apart, each pair would share a name.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"component": "zk", "version": "cs-coco"}, {"component": "zk-cs", "version": "coco"}),
        ({"component": "a", "version": "v1-2-coco"}, {"component": "a", "serviceVersion": "v1", "version": "2-coco"}),
        ({"component": "a-v1", "version": "2-coco"}, {"component": "a", "serviceVersion": "v1", "version": "2-coco"}),
        ({"component": "zk-2", "version": "1"}, {"component": "zk", "version": "2-1"}),
    ],
)
def test_of_two_readings_one_is_refused(in_templates: Answers, one: Case, other: Case) -> None:
    answers = in_templates([{"build": "1", "kind": "Service", **case} for case in (one, other)])
    assert "problem" in answers[0]
    assert "name" in answers[1]

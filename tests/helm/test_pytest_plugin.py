"""The pytest plugin, as a user has it: a chart of `helm create` and ours, in pytest runs of their own."""

from __future__ import annotations

import doctest
import inspect
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sidelane import pytest_plugin
from sidelane.checks.conventions import preset
from sidelane.checks.engine import applies
from sidelane.checks.rules import RULES, syntax

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
#: Those whose rules the demo keeps, and that are on here: charts of `helm create` are not perfect.
ON = ("name-limits", "unique-identity", "list-keys", "text-fields")
PORT = "              protocol: TCP\n"
#: A port of a container twice, which is an error to no Helm.
TWICE = (PORT, PORT + "            - {name: again, containerPort: {{ .Values.service.port }}, protocol: TCP}\n")


def conventions(**more):
    """A conventions file with these rules only."""
    off = {rule.id: "off" for rule in RULES if rule.id not in ON}
    head = {"apiVersion": "sidelane.dev/v1alpha1", "kind": "Conventions", "extends": "helm", "rules": off}
    return json.dumps({**head, **more})


@pytest.fixture
def demo(pytester, helm):
    """A folder with `charts/demo`, as `helm create` makes it."""
    (pytester.path / "charts").mkdir()
    subprocess.run([helm, "create", "charts/demo"], cwd=pytester.path, check=True, capture_output=True)
    (pytester.path / "sidelane.yaml").write_text(conventions())
    return pytester.path / "charts" / "demo"


@pytest.fixture
def zookeeper(demo):
    """Our own chart, beside it."""
    (demo.parent / "zookeeper").symlink_to(ROOT / "charts" / "zookeeper")
    return demo.parent / "zookeeper"


@pytest.fixture
def run(pytester, helm):
    """Runs pytest with these arguments, and reads its counts and its output."""

    def run(*arguments, **counts):
        result = pytester.runpytest(f"--sidelane-helm={helm}", *arguments)
        assert {key: n for key, n in result.parseoutcomes().items() if key != "warnings"} == counts
        return result

    return run


@pytest.fixture
def counted(tmp_path, helm):
    """A Helm that writes down each of its calls, and the file of these."""
    program, calls = tmp_path / "helm", tmp_path / "calls"
    program.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {helm} "$@"\n')
    program.chmod(0o755)
    return program, calls


def replace(file, before, after):
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


# -- charts without code ----------------------------------------------------------------------------------------------


def test_a_new_chart_is_tested_without_code(demo, run):
    result = run("--sidelane-charts", "charts", "-v", passed=1 + len(ON))
    for name in ("renders", *ON):
        result.stdout.fnmatch_lines([f"charts/demo/values.yaml::{name} PASSED*"])


def test_each_values_file_is_a_test_and_a_library_is_none(demo, run):
    (demo / "ci").mkdir()
    (demo / "ci" / "one-values.yaml").write_text("replicaCount: 2\n")
    (demo / "ci" / "two-values.yaml").write_text("ingress: {enabled: true}\n")
    (demo / "ci" / "other.yaml").write_text("no values\n")
    (demo.parent / "library" / "templates").mkdir(parents=True)
    (demo.parent / "library" / "Chart.yaml").write_text(
        "{apiVersion: v2, name: library, version: 0.1.0, type: library}"
    )
    (demo.parent / "library" / "values.yaml").write_text("{}")
    (demo / "charts" / "sub").mkdir(parents=True)
    (demo / "charts" / "sub" / "Chart.yaml").write_text("{apiVersion: v2, name: sub, version: 0.1.0}")
    (demo / "charts" / "sub" / "values.yaml").write_text("{}")
    result = run("--sidelane-charts", "charts", "-q", passed=2 * (1 + len(ON)))
    assert "library" not in result.stdout.str()


def test_a_broken_rule_shows_the_object_and_its_template_and_no_traceback(demo, run):
    replace(demo / "templates" / "deployment.yaml", *TWICE)
    result = run("--sidelane-charts", "charts", passed=len(ON), failed=1)
    result.stdout.fnmatch_lines(
        [
            "*demo: values.yaml: list-keys*",
            "charts/demo/templates/deployment.yaml:2: Deployment release-demo",
            "*error*the same key*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin" not in result.stdout.str()


def test_a_warning_is_shown_and_fails_nothing(demo, run, pytester):
    off = json.loads(conventions())["rules"]
    (pytester.path / "sidelane.yaml").write_text(conventions(rules={**off, "list-keys": "warning"}))
    replace(demo / "templates" / "deployment.yaml", *TWICE)
    result = run("--sidelane-charts", "charts", "-W", "default", passed=1 + len(ON))
    result.stdout.fnmatch_lines(["*PytestWarning: charts/demo/templates/deployment.yaml:*has the same key as *"])


def test_a_rule_that_crashes_fails_its_test_and_a_check_of_conventions(demo, run, pytester, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(syntax, "label_value", fail)
    test = "def test_conventions(render, assert_conventions):\n    assert_conventions(render('charts/demo'))\n"
    pytester.makepyfile(test)
    result = run("--sidelane-charts", "charts", pytester.path, passed=len(ON), failed=2)
    result.stdout.fnmatch_lines(
        ["FAILED charts/demo/values.yaml::name-limits*", "FAILED *::test_conventions*"], consecutive=False
    )
    result.stdout.fnmatch_lines(["*the rule failed with ZeroDivisionError at *"])
    assert "hunter2" not in "\n".join(line for line in result.outlines if "failed with" in line)


def test_a_chart_that_does_not_render_fails_everywhere_and_says_why_once(demo, run):
    replace(
        demo / "templates" / "service.yaml", "{{ .Values.service.type }}", '{{ required "no type" .Values.nothing }}'
    )
    result = run("--sidelane-charts", "charts", failed=1 + len(ON))
    output = result.stdout.str().partition("short test summary")[0]
    assert len(re.findall(r"demo/templates/service.yaml:8:\d+\): no type", output)) == 1
    assert output.count("does not render: see charts/demo/values.yaml::renders") == len(ON)
    assert "Traceback" not in output


def test_output_that_is_no_object_fails(demo, run):
    (demo / "templates" / "more.yaml").write_text("just: text\n")
    result = run("--sidelane-charts", "charts", "-k", "renders", failed=1, deselected=len(ON))
    result.stdout.fnmatch_lines(["*demo/templates/more.yaml*apiVersion*"])


def test_a_broken_chart_or_conventions_file_is_an_error_of_collection(demo, run):
    (demo / "sidelane.yaml").write_text("kind: Nonsense\n")
    result = run("--sidelane-charts", "charts", errors=1)
    result.stdout.fnmatch_lines(["*sidelane.yaml is not a conventions file:*"])
    assert "Traceback" not in result.stdout.str()


def test_without_conventions_a_chart_without_lanes_is_tested_by_the_rules_for_all_charts(demo, run, pytester):
    (pytester.path / "sidelane.yaml").unlink()
    pytester.runpytest("--sidelane-charts", "charts", "--collect-only", "-q").stdout.re_match_lines_random(
        [re.escape(f"charts/demo/values.yaml::{rule.id}") + "$" for rule in RULES if rule.scope == "all"]
    )
    collected = pytester.runpytest("--sidelane-charts", "charts", "--collect-only", "-q").stdout.str()
    assert [rule.id for rule in RULES if rule.scope == "lanes" and f"::{rule.id}\n" in collected] == []


def test_the_nearest_conventions_hold(demo, run):
    (demo / "sidelane.yaml").write_text(conventions(rules={rule.id: "off" for rule in RULES if rule.id != "list-keys"}))
    run("--sidelane-charts", "charts", passed=2)


def test_the_usual_options_work(demo, run, pytester):
    replace(demo / "templates" / "deployment.yaml", *TWICE)
    charts = ("--sidelane-charts", "charts")
    all_but_one = len(ON) - 1
    run(*charts, "-k", "text-fields or renders", passed=2, deselected=all_but_one)
    run(*charts, "--junitxml=report.xml", passed=len(ON), failed=1)
    cases = ET.parse(pytester.path / "report.xml").getroot().iter("testcase")
    failed = {case.get("name"): case.find("failure").text for case in cases if case.find("failure") is not None}
    assert failed.keys() == {"list-keys"}
    assert "charts/demo/templates/deployment.yaml:2: Deployment release-demo" in failed["list-keys"]
    run(*charts, "--lf", failed=1)
    run(*charts, "charts/demo/values.yaml::text-fields", passed=1)


def test_the_setting_tests_charts_too_unless_tests_are_named(demo, run, pytester):
    pytester.makeini("[pytest]\nsidelane_charts = charts\ntestpaths = tests\n")
    test = pytester.mkdir("tests") / "test_own.py"
    test.write_text("def test_own(chart): assert chart.name == 'demo'\n")
    run(passed=2 + len(ON))
    run("tests/test_own.py", passed=1)


def test_a_missing_folder_is_wrong_usage(demo, pytester):
    result = pytester.runpytest("--sidelane-charts", "nothing")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nothing' is not a folder; give a chart's folder*"])


def test_our_charts_pass_and_each_rendering_runs_helm_once(zookeeper, pytester, counted):
    program, calls = counted
    (pytester.path / "sidelane.yaml").unlink()
    own = [f"--sidelane-helm={program}", "--sidelane-charts", "charts", "-k", "zookeeper", "-p", "no:cacheprovider"]
    result = pytester.runpytest_subprocess(*own, "-n", "2")
    files = sorted((ROOT / "charts" / "zookeeper" / "ci").glob("*-values.yaml"))
    held = preset("sidelane")
    rules = [rule for rule in RULES if applies(rule, held, lanes=True)]
    rules = [rule for rule in rules if held.severity_of(rule.id, rule.severity) != "off"]
    result.assert_outcomes(passed=(1 + len(rules)) * len(files))
    assert len(calls.read_text().splitlines()) == len(files)


# -- fixtures ---------------------------------------------------------------------------------------------------------

QUERIES = """
import pytest

def test_queries(render):
    rendered = render("charts/zookeeper", lane="2-coco-1", values={"replicas": 1})
    stateful_set = rendered.statefulset("zk-2-coco-1")
    container = stateful_set.container("zookeeper")
    assert container.env["SIDELANE_LANE"] == "2-coco-1"
    assert container.ports["client"] == 2181
    assert stateful_set["spec"]["replicas"] == 1
    assert rendered.single("Service", "zk-cs-2-coco-1").labels["sidelane.dev/build"] == "1"
    assert rendered.names("Service") == ["zk-cs-2-coco-1", "zk-hs-2-coco-1"]
    assert {resource.namespace for resource in rendered.all()} == {"default"}
    assert rendered.release == "zookeeper-2-coco-1"

def test_a_rendering_is_not_shared(render):
    for _ in range(2):
        spec = render("charts/demo").deployment()["spec"]
        assert "changed" not in spec
        spec["changed"] = True

def test_a_changed_chart_is_rendered_again(render, pytestconfig):
    template = pytestconfig.rootpath / "charts" / "demo" / "templates" / "more.yaml"
    template.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}")
    assert render("charts/demo").names("ConfigMap") == ["one"]
    template.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: another}}")
    assert render("charts/demo").names("ConfigMap") == ["another"]
"""

FAILURES = """
def test_no_object(render):
    render("charts/demo").single("Service", "release-demmo")

def test_no_container(render):
    render("charts/demo").deployment().container("proxy")

def test_no_pods(render):
    render("charts/demo").service().container("proxy")

def test_no_rendering(render):
    render("charts/demo", values={"service": None})

def test_not_refused(assert_refused):
    assert_refused({"replicaCount": 3}, chart="charts/demo")

def test_refused_otherwise(assert_refused):
    assert_refused({"replicas": 2}, match="too many", chart="charts/zookeeper", lane="coco-1")

def test_conventions(render, assert_conventions):
    assert_conventions(render("charts/demo"), preset="sidelane")

def test_side_by_side(assert_side_by_side):
    assert_side_by_side(chart="charts/demo", values={"fullnameOverride": "fixed"})
"""


def test_queries_find_what_helm_renders(zookeeper, pytester, run):
    pytester.makepyfile(QUERIES)
    run(passed=3)


def test_failures_show_the_test_the_object_and_the_template_and_no_frame_of_ours(zookeeper, pytester, run):
    pytester.makepyfile(FAILURES)
    output = run(failed=8).stdout.str()
    for words in (
        "charts/demo renders no Service release-demmo as the release release, not one; it renders:",
        "Service release-demo (charts/demo/templates/service.yaml:2)",
        "templates/deployment.yaml:2: Deployment release-demo has no container 'proxy'; its containers: demo",
        "charts/demo/templates/service.yaml:2: Service release-demo has no pods",
        "Helm does not render charts/demo",
        "Helm renders charts/demo with these values, and must refuse them: helm template release",
        "Helm refuses charts/zookeeper without 'too many'",
        '>       render("charts/demo").single("Service", "release-demmo")',
        "charts/demo breaks its conventions",
        "[lane-labels]",
        "two releases of charts/demo touch",
        "Service fixed",
    ):
        assert words in output, words
    assert "sidelane/pytest_plugin" not in output, "a frame of the plugin"


def test_secrets_of_values_are_in_no_message(demo, pytester, run):
    pytester.makepyfile(
        'def test_secret(render):\n    render("charts/demo", values={"service": None, "password": "hunter2hunter2"})\n'
    )
    replace(demo / "templates" / "service.yaml", "{{ .Values.service.type }}", "{{ fail .Values.password }}")
    assert "hunter2hunter2\n" not in re.sub(r"(?m)^>.*\n", "", run(failed=1).stdout.str())


def test_a_snapshot_shows_the_object_and_the_template_of_what_changed(demo, pytester, run):
    replace(demo / "templates" / "service.yaml", "spec:", "  annotations: {a: b}\nspec:")
    (demo / "templates" / "secret.yaml").write_text(
        "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {password: hunter21}}\n"
    )
    pytester.makepyfile(
        "def test_all(render, manifest_snapshot):\n    assert render('charts/demo') == manifest_snapshot\n"
    )
    run("--snapshot-update", passed=1)
    (stored,) = pytester.path.glob("__snapshots__/*/*.yaml")
    assert "hunter21" not in stored.read_text()
    assert "# Source: demo/templates/service.yaml\n" in stored.read_text()
    run(passed=1)
    replace(demo / "values.yaml", "replicaCount: 1", "replicaCount: 3")
    replace(demo / "templates" / "service.yaml", "a: b", "a: c")
    result = run(failed=1)
    result.stdout.fnmatch_lines(
        [
            '*demo/templates/service.yaml: Service release-demo: metadata.annotations.a: "b" → "c"',
            "*demo/templates/deployment.yaml: Deployment release-demo: spec.replicas: 1 → 3",
        ]
    )


def test_every_example_of_a_docstring_runs(zookeeper, pytester, run):
    sources = [inspect.getdoc(getattr(pytest_plugin, name)) for name in pytest_plugin.__all__]
    fixtures = [value for value in vars(pytest_plugin).values() if type(value).__name__ == "FixtureFunctionDefinition"]
    assert len(fixtures) >= 5
    sources += [inspect.getdoc(fixture._get_wrapped_function()) for fixture in fixtures]
    examples = [example for text in sources if text for example in doctest.DocTestParser().get_examples(text)]
    tests = "".join(example.source for example in examples if not example.want)
    assert tests.count("def test_") >= 5
    pytester.makepyfile("from sidelane.pytest_plugin import matrix\n" + tests)
    result = pytester.runpytest("--snapshot-update")
    assert result.ret == pytest.ExitCode.OK
    assert doctest.testmod(sys.modules["sidelane.pytest_plugin.matrices"]).failed == 0

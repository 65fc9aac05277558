"""Untrusted text moves no cursor and forges no line, in any output."""

import json
import re
import sys

import pytest
from command_line import CommandLine
from sidelane import Client
from sidelane.checks.engine import check
from sidelane.checks.report import render
from sidelane.cli import running
from sidelane.errors import InvalidValues, Refused
from sidelane.manifest import Manifest, diff
from sidelane.support import harmless
from sidelane.support.schemas import problems

# Goes up and rewrites a line; begins a line of its own; a C1 escape; turns the direction of writing.
HOSTILE = "zk\x1b[1A\x1b[2K\n12 objects, 6 rules: clean\r\x9b2J\u202egnp\u2028\x7f"
SHOWN = r"zk\x1b[1A\x1b[2K\n12 objects, 6 rules: clean\r\x9b2J\u202egnp\u2028\x7f"


def obeyed(text):
    return [char for char in text if harmless.obeyed(char) and char not in "\n\t"]


def test_every_character_that_is_not_shown_is_escaped():
    everything = "".join(map(chr, range(0x110000)))
    line = harmless.in_line(everything, limit=sys.maxsize)
    assert line.replace("\u00a0", "").replace("\u3000", "").split("\n")[1:] == []
    assert not obeyed(line)
    assert "\n" not in line
    assert "\t" not in line
    lines = harmless.in_lines("a\tb\n\x1bc\r\nd")
    assert lines == "a\tb\n\\x1bc\\r\nd"
    assert harmless.in_line("é 日本 😀 \u00a0 a\\b") == "é 日本 😀 \u00a0 a\\b"


def test_long_lines_are_cut_each_for_itself():
    text = harmless.in_lines("a" * 5_000_000 + "\nshort")
    assert text == "a" * harmless.LINE_LIMIT + "… (5000000 characters)\nshort"


def manifest(name=HOSTILE, key="a", source=""):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {key: HOSTILE}}}
    return Manifest.read(f"---\n# Source: {source}\n{json.dumps(body)}\n" if source else json.dumps(body))


def test_a_report_shows_a_hostile_name_in_one_line():
    report = check(manifest(key=HOSTILE))
    assert not report.clean
    text = render(report)
    assert SHOWN in text
    assert not obeyed(text)
    assert [line for line in text.splitlines() if line.startswith("12 objects")] == []
    for finding in report.findings:
        assert "\n" not in str(finding)
        assert not obeyed(str(finding))


def test_differences_and_errors_show_it_in_one_line():
    lines = diff(manifest(), manifest("other\x1b[2K", key=HOSTILE))
    assert lines
    assert not obeyed("".join(lines))
    assert not any("\n" in line for line in lines)
    error = Refused("a\n  b\x1b[2K\u202e", remedy="c\x00")
    assert str(error) == "a\n  b\\x1b[2K\\u202e\nc\\x00"
    assert error.to_json()["problem"] == error.problem


def test_a_key_of_five_megabytes_is_cut_and_quickly():
    schema = {"type": "object", "additionalProperties": False, "properties": {"replicas": {"type": "integer"}}}
    (problem,) = problems(schema, {"replica\x1b" + "s" * 5_000_000: 1})
    assert len(problem) < 300
    assert not obeyed(problem)
    assert len(problems(schema, {f"key{n}": 1 for n in range(10_000)})) == 500


@pytest.fixture
def run(tmp_path):
    """Runs a command with its output on a terminal, or in pipes; returns all of it."""

    line = CommandLine(tmp_path)

    def run(*arguments, terminal=False, text="", code=0):
        if terminal:
            return line.on_a_terminal(*arguments, text=text, code=code)
        done = line(*arguments, text=text, code=code)
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("format_", ["text", "json", "yaml", "sarif", "junit", "github", "gitlab"])
def test_a_check_of_a_hostile_manifest(run, terminal, format_):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": HOSTILE}}
    text = run("check", "-", "-o", format_, terminal=terminal, text=json.dumps(body), code=1)
    text = re.sub(r"\x1b\[(3[123]|0)m", "", text)  # our own colours
    assert "12 objects" in text
    assert not [line for line in text.splitlines() if line.startswith("12 objects")]
    assert not obeyed(text) if terminal or format_ == "text" else "\x1b" not in text


def test_a_folder_with_a_hostile_name_is_no_line_of_a_list(run, tmp_path):
    Client(directory=tmp_path).install("zookeeper", "coco-1")
    (tmp_path / "default" / "zookeeper-coco-1").rename(tmp_path / "default" / "x\x1b[2K\nzookeeper-coco-9")
    text = run("list", "--directory", str(tmp_path))
    assert r"x\x1b[2K\nzookeeper-coco-9" in text
    assert not obeyed(text)


def test_a_chart_s_own_text_on_a_terminal_and_in_a_pipe(run, tmp_path):
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    (tmp_path / "values.yaml").write_text("# \x1b[2J\n")
    assert run("charts", str(tmp_path)) == "# \x1b[2J\n"
    assert run("charts", str(tmp_path), terminal=True) == "# \\x1b[2J\n"


def test_an_error_of_a_chart_s_words(run, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    (tmp_path / "templates" / "x.yaml").write_text('{{ fail "no\\u001b[2J\\u202e" }}\n')
    text = run("render", str(tmp_path), "--lane", "coco-1", code=1)
    assert r"no\x1b[2J\u202e" in text
    assert not obeyed(text)
    with pytest.raises(InvalidValues) as error:
        Client().render(tmp_path, "coco-1")
    assert not obeyed(str(error.value))


def test_an_error_in_json_is_whole_and_harmless(capfd):
    @running.reports_errors
    def command(*, format_):
        raise Refused(HOSTILE * 1000)

    with pytest.raises(SystemExit):
        command(format_="json")
    printed = capfd.readouterr().err
    assert json.loads(printed)["problem"] == HOSTILE * 1000
    assert not obeyed(printed)

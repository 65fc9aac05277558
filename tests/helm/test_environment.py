"""The environment of Helm's processes, by what Helm itself does with it."""

import re

import pytest
from sidelane.charts import sources
from sidelane.helm import plain
from sidelane.helm.environment import FEW_MESSAGES, of_command


@pytest.fixture
def compressed(helm, monkeypatch):
    """Returns how many bytes kubectl's messages take of Helm's memory at its start, with environment variables.

    Go prints what the start of each package takes.
    Source: https://pkg.go.dev/runtime#hdr-Environment_Variables
    """

    def measured(**variables):
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"GODEBUG": "inittrace=1", **variables}.items():
            monkeypatch.setenv(name, value)
        chart = ["x", str(sources.find("zookeeper").path), "--values", "-"]
        answer = plain.template(str(helm), chart, b"{Version: coco, Build: '1'}")
        assert "zk-coco-1" in answer.stdout, answer.stderr
        return int(re.search(r"init k8s\.io/kubectl/pkg/cmd/get .*, (\d+) bytes", answer.stderr)[1])

    return measured


def test_helm_does_not_compress_the_messages_of_a_language_that_it_does_not_print(compressed):
    assert compressed() < compressed(LC_ALL="en_US.UTF-8") / 3


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (["install", "x", "chart"], {}),
        (["template", "x", "chart", "--dry-run=server"], {}),
        (["template", "x", "chart"], {"LC_ALL": "de_DE.UTF-8"}),
    ],
)
def test_what_may_start_other_programs_keeps_its_language(command, variables):
    """A program for credentials would warn that the locale is missing. A user's LC_ALL is stronger than any other."""
    assert of_command(command, variables) is variables
    assert of_command(["template", "x", "chart"], {"LANG": "de_DE"}) == {"LANG": "de_DE", "LC_MESSAGES": FEW_MESSAGES}

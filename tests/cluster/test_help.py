"""The examples of --help, which are run one after the other, as they stand."""

import subprocess
import sys

import click
import pytest
import typed
from sidelane.cli import COMMANDS, sidelane
from sidelane.cli.examples import EXAMPLES

pytestmark = pytest.mark.either_helm

LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
releases:
  - {chart: zookeeper, values: {replicas: 1}}
"""
KEYS = """\
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.generate()
private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
open("key.pem", "wb").write(private), open("key.pub.pem", "wb").write(public)
"""


def commands():
    """Every command that does something, by its words."""
    for name in COMMANDS:
        command = sidelane.get_command(click.Context(sidelane), name)
        parts = command.commands if isinstance(command, click.Group) else {}
        yield from ((f"{name} {part}", inner) for part, inner in parts.items())
        if not parts or command.invoke_without_command:
            yield name, command


def test_every_help_shows_its_examples():
    by_name = dict(commands())
    assert by_name.keys() == EXAMPLES.keys()
    assert all(EXAMPLES.values()), "a command without an example"
    for name, command in by_name.items():
        context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
        help_text = command.get_help(context)
        for example in EXAMPLES[name]:
            assert f"sidelane {name} " in f"{example} ".replace(")", " "), "an example of another command"
            assert "\n".join(f"    {line}" for line in example.split("\n")) in help_text


@pytest.mark.minutes
@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
def test_the_examples_work_as_they_stand(tmp_path, helm, cluster, namespace):
    (tmp_path / "lane.yaml").write_text(LANE)
    subprocess.run([sys.executable, "-c", KEYS], check=True, cwd=tmp_path)
    shell = typed.shell(tmp_path, helm, cluster.kubeconfig, HELM_NAMESPACE=namespace)
    for examples in EXAMPLES.values():
        for example in examples:
            shell(example, cwd=tmp_path)
    assert (tmp_path / "lane.html").read_text().startswith("<!doctype html>")
    assert [path.name for path in (tmp_path / "releases").glob("*/*") if path.is_dir()] == ["zookeeper-coco-1"]

"""The Helm plugins in the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import sidelane
import yaml
from sidelane.cli import post_render

PLUGINS = Path(sidelane.__file__).parent / "cli" / "_plugins"
CLEAN = b"# A comment that stays\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n\r\n--- \n"


def test_they_have_the_name_of_their_folder_and_the_version_of_the_package():
    plugins = {file.parent.name: yaml.safe_load(file.read_text()) for file in PLUGINS.glob("*/plugin.yaml")}
    assert {name: plugin["name"] for name, plugin in plugins.items()} == {name: name for name in plugins}
    assert {plugin["version"] for plugin in plugins.values()} == {sidelane.__version__}
    assert post_render._PLUGIN in plugins


def post_rendered(manifest, *arguments):
    code = (
        "import sys; from sidelane.cli import sidelane\n"
        "try: sidelane(['post-render', *sys.argv[1:]])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    return subprocess.run([sys.executable, "-c", code, *arguments], input=manifest, capture_output=True, check=False)


def test_what_keeps_the_rules_passes_byte_for_byte_and_needs_no_pyhelm3():
    done = post_rendered(CLEAN)
    assert (done.returncode, done.stdout) == (0, CLEAN)
    assert not {b"pyhelm3", b"pydantic", b"asyncio", b"sidelane.helm"} & {*done.stderr.split()}


def test_what_breaks_a_rule_or_is_no_manifest_gives_no_output():
    done = post_rendered(CLEAN, "--lane", "coco-1")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"ConfigMap one" in done.stderr
    done = post_rendered(b"kind: [")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Error: <manifest>" in done.stderr

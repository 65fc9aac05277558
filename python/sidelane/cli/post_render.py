"""`sidelane post-render`"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, running

if TYPE_CHECKING:
    from sidelane.checks.conventions import Conventions
    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane

#: Helm 4 names an object's template for its post-renderer in this annotation, and removes it afterwards.
_TEMPLATE = "postrenderer.helm.sh/postrender-filename"
_PLUGIN = "sidelane-post-render"


class _PostRenderer(click.Command):
    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        if os.environ.get("HELM_PLUGIN_NAME") == _PLUGIN:
            _write_errors_to_helms_own()
        return super().make_context(*args, **extra)


@click.command("post-render", cls=_PostRenderer)
@options.lane(required=False)
@click.option(
    "--conventions",
    "file",
    type=click.Path(dir_okay=False),
    help="The conventions file. [default: the nearest sidelane.yaml, upwards from the current folder]",
)
@click.option("--preset", type=click.Choice(["sidelane", "helm"]), help="Use a preset instead of a conventions file.")
@running.reports_errors
def command(lane: Lane | None, *, file: str | None, preset: str | None) -> None:
    """Check the manifest on standard input, and write it unchanged to standard output if it keeps its conventions.

    Helm runs this as a post-renderer, so that an installation that breaks a rule is refused before it changes
    anything. Findings go to standard error, and the exit code is 1. With Helm 3: `helm install … --post-renderer
    sidelane --post-renderer-args post-render`; it gives a post-renderer no hooks. With Helm 4: `helm plugin install
    "$(sidelane helm-plugin post-renderer)"`, and `helm install … --post-renderer sidelane-post-render`.
    """
    if file and preset:
        raise click.UsageError("--conventions and --preset can't be used together: a file names its preset.")
    from sidelane import kubeyaml
    from sidelane.checks.report.text import render_text

    text = sys.stdin.buffer.read(kubeyaml.SIZE_LIMIT + 1)
    report = _checked(text, lane, _conventions(file, preset))
    if report.findings:
        click.echo(render_text(report._replace(notes=())), err=True, nl=False)
    if not report.clean:
        raise SystemExit(1)
    sys.stdout.buffer.write(text)


def _write_errors_to_helms_own() -> None:
    """Direct standard error to that of the calling Helm: Helm 4 discards what a post-renderer's plugin writes there.

    A file that Helm writes from the beginning is left alone, because Helm would write over the text.
    """
    for place in (f"/proc/{os.getppid()}/fd/2", "/dev/tty"):
        with suppress(OSError):
            if not stat.S_ISREG(os.stat(place).st_mode):  # noqa: PTH116 - a descriptor, not a file of a name
                descriptor = os.open(place, os.O_WRONLY | os.O_NOCTTY)
                os.dup2(descriptor, 2)
                return


def _conventions(file: str | None, preset: str | None) -> Conventions:
    from sidelane.checks import conventions

    if preset is not None:
        return conventions.preset(preset)._replace(demanded=True)
    return conventions.find(Path()) if file is None else conventions.read_file(file)


def _checked(text: bytes, lane: Lane | None, conventions: Conventions) -> Report:
    """Checks a manifest without Helm, pyhelm3 or an event loop."""
    from sidelane.checks.engine import check
    from sidelane.manifest import Manifest

    namespace = os.environ.get("HELM_NAMESPACE") or "default"  # of a plugin of Helm 4
    manifest = Manifest.read(text, namespace=namespace, source="<manifest>")
    objects = (obj._replace(source=str(obj.annotations.get(_TEMPLATE) or obj.source)) for obj in manifest.objects)
    return check(Manifest(tuple(objects), manifest.duplicates), conventions=conventions, lane=lane)

"""The command line: `sidelane`. Each command's module is imported when the command runs, so that --help is quick."""

from __future__ import annotations

import gc
import importlib
from typing import Any, NoReturn, cast

import click

#: command → its one-line help; the module of the same name holds it.
COMMANDS = {
    "charts": "List the charts that are here, or show one's values.",
    "render": "Print a chart's manifest in a lane, as Helm renders it.",
    "check": "Check a chart or a manifest against the naming contract.",
    "install": "Install a chart in a lane, beside what runs.",
    "upgrade": "Change a release's operational values.",
    "plan": "Show what a deployment file would do to its lane.",
    "apply": "Bring a lane to what a deployment file says.",
    "list": "List releases.",
    "status": "Show a release or a lane, and each pod that is not ready.",
    "wait": "Wait until a release or a lane is ready.",
    "retire": "Remove a lane when nothing needs it any more.",
    "uninstall": "Remove a release.",
    "route": "Change where a service's name leads, look back, and go back.",
    "graph": "Draw lanes, releases and where traffic goes.",
    "record": "Show where a release comes from.",
    "verify": "Tell whether releases still are what was deployed.",
    "repair": "Bring releases back to exactly what is deployed.",
    "diff": "Compare two lanes, a lane and a file, or a lane and the cluster.",
    "bundle": "Put all that a lane takes into one file.",
    "replay": "Deploy a bundled lane again.",
    "completion": "Print the completion script for a shell.",
}


class Commands(click.Group):
    """A group that knows its commands' names and help, and imports a command when it is asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click does it, and keeps the words that were typed: errors advise the same command with another lane."""
        typed = tuple(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta["sidelane.typed"] = typed
        return context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sidelane.cli.{cmd_name}")
        from sidelane.cli.examples import shown

        return shown(cast("click.Command", module.command), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from sidelane import __version__

        click.echo(f"sidelane {__version__}")
        ctx.exit()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version."
)
def sidelane() -> None:
    """Immutable, versioned deployments on Kubernetes, side by side.

    A lane is a Version and a Build, such as 2-coco-1. What is installed in a lane is never changed: a change goes in
    beside it, as the next Build.

    Exit codes: 0 done or clean, 1 refused or findings, 2 wrong usage, 3 Helm or the cluster failed.
    """


def main() -> NoReturn:
    """The program `sidelane`."""
    # A command ends before garbage would matter: looking for it takes a tenth of its time, at its start and at its end.
    gc.disable()
    try:
        sidelane(prog_name="sidelane")
    finally:
        gc.freeze()
    raise SystemExit(0)

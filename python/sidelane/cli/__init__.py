"""The command line: `sidelane`. Each command's module is imported when the command runs, so that --help is quick.

A command parses its arguments, calls one verb of the SDK (client/) and prints the result. Anything that a script could
need too belongs in the SDK or below.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import sys
from typing import Any, NoReturn, cast

import click

#: command → its one-line help; the module of the same name holds it.
COMMANDS = {
    "charts": "List the charts of Sidelane, or show the values of one.",
    "render": "Print a chart's manifest in a lane, as Helm renders it.",
    "check": "Check a chart or a manifest against the naming contract.",
    "explain": "Explain a rule of the check, or list all rules.",
    "install": "Install a chart in a lane, beside the other lanes.",
    "upgrade": "Change a release's operational values.",
    "plan": "Show the changes that a deployment file would make.",
    "apply": "Apply a deployment file to its lane.",
    "list": "List releases.",
    "status": "Show a release or a lane, and each pod that is not ready.",
    "wait": "Wait until a release or a lane is ready.",
    "retire": "Remove a lane when nothing needs it any more.",
    "uninstall": "Remove a release.",
    "route": "Set, show, shift and undo the targets of a service's name.",
    "shift": "Move the requests of one lane to another, all services in lockstep.",
    "graph": "Draw lanes, releases and traffic.",
    "record": "Show the origin of a release.",
    "verify": "Compare releases with their records and the cluster.",
    "guard": "Show what the guard of a namespace enforces, or print its policies.",
    "repair": "Restore releases exactly as deployed.",
    "diff": "Compare two lanes, a lane and a file, or a lane and the cluster.",
    "bundle": "Pack a lane into one file.",
    "replay": "Deploy a bundled lane again.",
    "post-render": "Check what Helm is about to install, as its post-renderer.",
    "helm-plugin": "Print the folder of a plugin for Helm.",
    "completion": "Print the completion script for a shell.",
}


class Commands(click.Group):
    """A group that imports a command's module only when that command is used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Also stores the typed words: errors suggest the same command with another lane."""
        typed = tuple(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta["sidelane.typed"] = typed
        return context

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*COMMANDS]  # `list` here is the module of that command, once it is imported

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sidelane.cli.{cmd_name.replace('-', '_')}")
        from sidelane.cli.examples import shown

        return shown(cast("click.Command", module.command), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


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

    A lane is a Version and a Build, such as 2-coco-1. A deployed lane never changes: a change is the next Build,
    beside it.

    Exit codes: 0 done or clean, 1 refused or findings, 2 wrong usage, 3 Helm or the cluster failed.
    """


def main() -> NoReturn:
    """The program `sidelane`."""
    # A command ends before garbage matters, and collection would take a tenth of its time.
    gc.disable()
    ended: list[int] = []
    atexit.register(_leave, ended)  # before what the command registers, so that it is called after that
    try:
        sidelane(prog_name="sidelane")
    except SystemExit as end:
        ended += [end.code] if isinstance(end.code, int) else []
        raise
    raise SystemExit(0)


def _leave(ended: list[int]) -> None:
    """Ends the process as the last act at its exit: to take down each module would take a tenth of a command's time."""
    if ended:
        with contextlib.suppress(OSError, ValueError):  # an output that nobody reads, or that is closed
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(*ended)

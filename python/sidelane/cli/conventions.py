"""Options of `sidelane check`: its conventions, and what it holds to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sidelane.cli import options
from sidelane.errors import InvalidInput
from sidelane.support.counting import counted

if TYPE_CHECKING:
    from sidelane.charts.rendering import PlainRendering
    from sidelane.checks.conventions import Conventions
    from sidelane.checks.findings import Report
    from sidelane.naming.lane import Lane


_FILE: dict[str, options.Option] = {
    "file": click.option(
        "--conventions",
        "file",
        type=click.Path(dir_okay=False),
        help="The conventions file. [default: the nearest sidelane.yaml]",
    ),
    "preset": click.option(
        "--preset", type=click.Choice(["sidelane", "helm"]), help="Use a preset instead of a conventions file."
    ),
    "version_key": click.option(
        "--version-key", metavar="KEY", help="The value that takes the Version, such as image.tag."
    ),
    "build_key": click.option("--build-key", metavar="KEY", help="The value that takes the Build."),
}


def _held(
    file: str | None, preset: str | None, version_key: str | None, build_key: str | None
) -> dict[str, str | None]:
    if file and preset:
        raise click.UsageError("--conventions and --preset can't be used together: a file names its preset.")
    return {"conventions": file or preset, "version_key": version_key, "build_key": build_key}


#: The options of commands that install or render a chart, as keyword arguments for the SDK.
held = options.together("held", _held, **_FILE)


def _chosen(
    *,
    whole: bool,
    kubernetes_versions: str | None,
    schemas: tuple[str, ...],
    print_conventions: bool,
    init: bool,
    force: bool,
    **options: str | None,
) -> dict[str, Any]:
    file, preset = options["file"], options["preset"]
    own = _held(None if init else file, preset, options["version_key"], options["build_key"])
    if print_conventions:
        _print(preset or "sidelane")
    if force and not init:
        raise click.UsageError("--force needs --init.")
    given = {"kubernetes_versions": kubernetes_versions, "schemas": schemas}
    return {"init": Init(file, preset, force) if init else None, "whole": whole, **own, **given}


class Init(NamedTuple):
    """The file that --init writes, and its preset."""

    file: str | None
    preset: str | None
    force: bool


#: `init`, and the keyword arguments of `client.check`.
chosen = options.together(
    "chosen",
    _chosen,
    **_FILE,
    whole=click.option(
        "--whole-lane",
        "whole",
        is_flag=True,
        help="Treat the input as the complete lane: every object that it references in the lane must be present.",
    ),
    kubernetes_versions=click.option(
        "--kubernetes-versions",
        metavar="RANGE",
        help="Validate by the schemas of these versions of Kubernetes, such as 1.34 or 1.30-1.36.",
    ),
    schemas=click.option(
        "--schemas",
        metavar="FOLDER",
        multiple=True,
        type=click.Path(file_okay=False),
        help="Validate custom resources by the definitions or JSON schemas in this folder. May be repeated.",
    ),
    print_conventions=click.option("--print-conventions", is_flag=True, help="Print the preset, and do nothing else."),
    init=click.option(
        "--init",
        is_flag=True,
        help="Write a conventions file from what the chart renders: into its folder, or to --conventions.",
    ),
    force=click.option("--force", is_flag=True, help="With --init: overwrite an existing file."),
)


def of_manifest(subject: str, chosen: dict[str, Any]) -> Conventions:
    """Returns the conventions for a manifest: those chosen, or the nearest file's above it."""
    from sidelane.checks import conventions

    own = conventions.chosen(chosen["conventions"], Path() if subject == "-" else Path(subject).parent)
    return own.with_schemas(chosen["kubernetes_versions"], chosen["schemas"])


def init(
    chart: str,
    wanted: Init,
    lane: Lane | None,
    check: Callable[..., tuple[PlainRendering, Report]],
) -> None:
    """Writes a conventions file for a chart. check: `client.check` of the chart, but for its conventions.

    Raises InvalidInput for an existing file, unless it may be overwritten.
    """
    from sidelane.checks.conventions import drafting
    from sidelane.support import files

    path = Path(wanted.file) if wanted.file else (Path(chart) if Path(chart).is_dir() else Path()) / "sidelane.yaml"
    if path.exists() and not wanted.force:
        raise InvalidInput(f"the file {str(path)!r} exists", remedy="add --force to overwrite it")
    preset = wanted.preset or ("helm" if lane is None else "sidelane")
    rendering, report = check(conventions=preset)
    text = drafting.draft(rendering.manifest, report, preset, rendering.release, str(lane or ""))
    files.replace(path, text.encode())
    click.echo(f"wrote {path}, which extends the preset {preset}: {counted(len(report.findings), 'exception')}")


def _print(preset: str) -> None:
    from sidelane.checks import conventions

    click.echo(conventions.preset_text(preset), nl=False)
    raise SystemExit(0)

"""The typed command as the remedy of an error: for another lane, or to continue a deployment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sidelane.cli import options
from sidelane.errors import ApplyFailed, ReleaseConflict
from sidelane.releases import pasted
from sidelane.support.advice import Place
from sidelane.support.redaction import redact


def advise(error: ReleaseConflict, given: Mapping[str, Any]) -> None:
    """Puts the typed command, for the free lane, into the remedy of a refused install or upgrade.

    given: the options of the command. The remedy is unchanged if the words would not install the same content: values
    came from standard input or from the release, or values name their lane.
    """
    typed = _typed()
    if not typed or typed[0] not in ("install", "upgrade") or "-" in given["value_files"] or given.get("reuse_values"):
        return
    if _name_a_lane(given):
        return
    held = () if {"--preset", "--conventions"} & {word.partition("=")[0] for word in typed} else error.flags
    command = shlex.join(["sidelane", "install", *_in_lane(typed[1:], error.free), *held])
    error.remedy = redact(pasted.beside(error.free, command))
    error.complete(Place.of(given))


def advise_to_continue(error: ApplyFailed, given: Mapping[str, Any]) -> None:
    """Puts the typed `apply` or `replay` into the remedy, unless its file came from standard input.

    given: the options of the command.
    """
    typed = _typed()
    if typed and typed[0] in ("apply", "replay") and "-" not in typed:
        error.run_again(redact(f"`{shlex.join(['sidelane', *typed])}`"))
        error.complete(Place.of(given))


def _typed() -> Sequence[str]:
    """Returns the words of the command line after `sidelane`."""
    typed: Sequence[str] = click.get_current_context().meta.get("sidelane.typed", ())
    return typed


def _name_a_lane(given: Mapping[str, Any]) -> bool:
    values = options.values_of(**{name: given[name] for name in options.VALUES})
    inner = values.get("global")
    places = [values, inner if isinstance(inner, Mapping) else {}]
    return any(place.get(key) for place in places for key in ("Version", "Build"))


def _in_lane(words: Sequence[str], lane: str) -> list[str]:
    """Returns the words with their lane replaced by this one, or with this one appended."""
    changed, follows = [], False
    for word in words:
        changed.append(lane if follows else f"--lane={lane}" if word.startswith("--lane=") else word)
        follows = word == "--lane"
    return changed if changed != list(words) else [*changed, "--lane", lane]

"""What ``-f`` and ``--set…`` say together, gathered as Helm gathers it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sidelane import kubeyaml, strvals
from sidelane.errors import InvalidInput


def gather(
    files: Iterable[str] = (),
    *,
    set_json: Iterable[str] = (),
    set: Iterable[str] = (),  # noqa: A002 - Helm's own name
    set_string: Iterable[str] = (),
    set_file: Iterable[str] = (),
) -> dict[str, Any]:
    """What ``-f`` and ``--set…`` say together, in Helm's order: files first, each later one over the earlier.

    Raises InvalidInput for a file that can't be read or a flag that Helm would not take, InvalidManifest for a file
    that is not YAML.
    """
    values: dict[str, Any] = {}
    for name in files:
        strvals.merge_into(values, _file(name))
    for text in set_json:
        strvals.set_json_into(values, text)
    for text in set:
        strvals.set_into(values, text)
    for text in set_string:
        strvals.set_string_into(values, text)
    for text in set_file:
        strvals.set_file_into(values, text, _text)
    return values


def _file(name: str) -> dict[str, Any]:
    source = "standard input" if name == "-" else name
    data = kubeyaml.read(_text(name), source=source)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput(f"{source} holds no mapping of values", remedy="write it as `key: value` lines")
    return data


def _text(name: str) -> str:
    try:
        return sys.stdin.read(kubeyaml.SIZE_LIMIT + 1) if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(
            f"the file {name!r} can't be read: {reason}", remedy="check its path and its rights"
        ) from None

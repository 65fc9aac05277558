"""The values from ``-f`` and ``--set…``, merged as Helm merges them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from sidelane import kubeyaml
from sidelane.charts import strvals, written_lane
from sidelane.errors import InvalidInput, InvalidValues
from sidelane.helm.values import require


def gather(
    value_files: Iterable[str] = (),
    *,
    set_json: Iterable[str] = (),
    set: Iterable[str] = (),  # noqa: A002 - Helm's own name
    set_string: Iterable[str] = (),
    set_file: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the values from ``-f`` and ``--set…``, in Helm's order: files first, each later one over the earlier.

    Raises InvalidInput for an unreadable file or a flag that Helm would refuse, InvalidManifest for a file that is not
    YAML, InvalidValues for values that Helm would change.
    """
    values: dict[str, Any] = {}
    for name in value_files:
        strvals.merge_into(values, read_file(_bytes(name), "standard input" if name == "-" else name))
    for text in set_json:
        strvals.set_json_into(values, text)
    for text in set:
        strvals.set_into(values, text)
    for text in set_string:
        strvals.set_string_into(values, text)
    for text in set_file:
        strvals.set_file_into(values, text, lambda name: _bytes(name).decode(errors="surrogateescape"))
    require(values)
    return values


def read_file(content: bytes, source: str) -> dict[str, Any]:
    """Return the values of a file.

    Raises InvalidManifest for invalid YAML, InvalidInput for content that is not a mapping, and InvalidValues for a
    Version or Build that YAML misreads, and for values that Helm would change.
    """
    data = kubeyaml.read(content, source=source)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput(f"{source} must be a mapping of values", remedy="write it as `key: value` lines")
    if errors := tuple(f"{source}: {sentence}" for sentence in written_lane.in_values(content, data)):
        raise InvalidValues("; ".join(errors), errors=errors, remedy="put Version and Build in quotes")
    require(data, source)
    return data


def _bytes(name: str) -> bytes:
    """Return a file's content, up to one byte over the limit beyond which kubeyaml refuses it."""
    if "://" in name:
        raise InvalidInput(
            f"{name!r} is an address, but values must be in a file", remedy="download it and pipe it into -f -"
        )
    if name != "-":
        return kubeyaml.content(name)
    try:
        return sys.stdin.buffer.read(kubeyaml.SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(name, error) from None

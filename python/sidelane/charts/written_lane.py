"""Checks of the written form of Version and Build: text that YAML would change is refused.

``Build: 010`` is 8 to YAML, ``Version: 2.10`` is 2.1 and ``Version: n`` is false. The author means the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from sidelane.kubeyaml.scalars import resolve
from sidelane.kubeyaml.written import Written
from sidelane.naming.lane import BUILD, VERSION
from sidelane.support.harmless import in_line

#: The places of a lane in values.
PLACES: Final = ((), ("global",))

Path = tuple[str | int, ...]


def in_values(content: str | bytes, values: Any, where: Path = ()) -> tuple[str, ...]:
    """Return a sentence for each Version and Build that YAML misreads. where: the values' place in the document."""
    own = values if isinstance(values, dict) else {}
    both = own.get("global") if isinstance(own.get("global"), dict) else {}
    if not ({"Version", "Build"} & {*own, *(both or {})}):
        return ()
    written = Written(content)
    return misread(written, ((*where, *place, key) for place in PLACES for key in ("Version", "Build")))


def misread(written: Written, paths: Iterable[Path]) -> tuple[str, ...]:
    """Return a sentence for each of these fields that YAML misreads, with the form to write instead."""
    sentences = []
    for path in paths:
        text = written.misread(*path)
        if text is None or (path[-1] == "Build" and BUILD.fullmatch(text)):
            continue
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
        sentences.append(
            f"{place}: {in_line(text, 60)} without quotes is {_meaning(text)} to YAML; "
            f'write {path[-1]}: "{_instead(path[-1], text)}"'
        )
    return tuple(sentences)


def _meaning(text: str) -> str:
    value = resolve(text)
    if value is text:
        return "a date or a number"
    words: dict[object, str] = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else f"the number {value}"


def _instead(key: str | int, text: str) -> str:
    """Return the text that the author probably meant."""
    value = resolve(text)
    plain = text.replace("_", "")
    if key == "Build":
        if re.fullmatch(r"[0-9]+", plain):
            return in_line(plain.lstrip("0") or "0", 60)
        whole = isinstance(value, float | int) and not isinstance(value, bool) and value == int(value)
        return str(int(value)) if whole and 0 <= value < 1e18 else "1"  # type: ignore[arg-type, operator]
    if key == "Version" and not VERSION.fullmatch(text):
        return in_line(re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "coco", 60)
    return in_line(text, 60)

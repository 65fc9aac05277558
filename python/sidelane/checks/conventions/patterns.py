"""Patterns of names and labels: text with placeholders, compiled to regular expressions.

The expressions are those of the naming contract (naming/contract.py), so a pattern accepts what its functions make.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from sidelane.naming import contract, lane

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
#: One part of a component's name.
_PART: Final = "[a-z][a-z0-9]*"
#: Placeholder → the expression of a text that is not known.
PLACEHOLDERS: Final[dict[str, str]] = {
    "component": contract.COMPONENT.pattern,
    # The last of several parts is not a service version, so that a name has one reading.
    "service": f"{_PART}(?:(?:-{_PART})*-(?!{contract.SERVICE_VERSION.pattern}){_PART})?",
    "serviceVersion": contract.SERVICE_VERSION.pattern,
    "version": lane.VERSION.pattern,
    "build": lane.BUILD.pattern,
    "lane": f"(?:{lane.VERSION.pattern})-(?:{lane.BUILD.pattern})",
    "release": "[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?",
    "namespace": contract.NAMESPACE.pattern,
    "chart": "[A-Za-z0-9][-A-Za-z0-9_.]*",
    "name": ".+",
}
_OF_LANE: Final = frozenset({"version", "build", "lane"})


@functools.lru_cache(maxsize=256)
def placeholders(pattern: str) -> frozenset[str]:
    """Return the names of the placeholders in a pattern."""
    return frozenset(_PLACEHOLDER.findall(pattern))


@functools.lru_cache(maxsize=256)
def names_lane(pattern: str) -> bool:
    """Return whether a pattern has a placeholder of the object's lane."""
    return not _OF_LANE.isdisjoint(placeholders(pattern))


def accepts(patterns: Iterable[str], text: object, known: Mapping[str, str]) -> bool:
    """Return whether a text matches one of the patterns. known: placeholder → its only text."""
    if isinstance(text, str):
        for pattern in patterns:  # `any` would make a generator for each of the many labels
            if _accepts(pattern, text, known):
                return True
    return False


def _accepts(pattern: str, text: str, known: Mapping[str, str]) -> bool:
    # A manifest may have thousands of lanes: comparing text is much faster than compiling an expression for each.
    parts = _parts(pattern)
    if len(parts) == 3 and parts[1] in known:
        return text == f"{parts[0]}{known[parts[1]]}{parts[2]}"
    before, unknown, after = "", "", ""
    for at, part in enumerate(parts):
        if at % 2 and part not in known:
            if unknown:
                return bool(_compiled(pattern, *_used(pattern, known)).fullmatch(text))
            unknown = part
        elif unknown:
            after += known[part] if at % 2 else part
        else:
            before += known[part] if at % 2 else part
    if not unknown:
        return text == before
    middle = text[len(before) : len(text) - len(after)]
    return text == before + middle + after and bool(_compiled(f"{{{unknown}}}").fullmatch(middle))


def shown(pattern: str, known: Mapping[str, str]) -> str:
    """Return a pattern for a message, with known texts filled in: ``<component>-coco-1``."""
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], f"<{match[1]}>"), pattern)


@functools.lru_cache(maxsize=4096)
def reading(pattern: str, text: str, placeholder: str) -> str:
    """Return the text at a placeholder, or empty text if the pattern does not accept the text."""
    match = _compiled(pattern).fullmatch(text)
    return match[placeholder] if match and placeholder in match.groupdict() else ""


def _used(pattern: str, known: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, known[name]) for name in _parts(pattern)[1::2] if name in known)


@functools.lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[str, ...]:
    """Return the texts and, at odd places, the placeholders of a pattern."""
    return tuple(_PLACEHOLDER.split(pattern))


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, *known: tuple[str, str]) -> re.Pattern[str]:
    texts = dict(known)
    seen: set[str] = set()

    def expression(name: str) -> str:
        if name in texts:
            return re.escape(texts[name])
        if name in seen:  # the same text at each place
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{PLACEHOLDERS[name]})"

    parts = enumerate(_parts(pattern))
    return re.compile("".join(expression(part) if at % 2 else re.escape(part) for at, part in parts))

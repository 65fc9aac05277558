"""Redaction of secrets. Every text passes through this module before it is shown, logged or raised.

The module learns secrets as they are read: values under a secret key, Secrets among rendered objects, tokens and the
credentials of repositories. From then on it hides them in every text, in their usual encodings and in any case.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

HIDDEN: Final = "(hidden)"

#: Shorter texts, in characters, are not learned: they would be hidden in every other word.
SHORTEST: Final = 4
#: Shorter words and numbers, in characters, are hidden as whole words only: `test` is a part of `latest`.
LONG: Final = 8
#: The most secrets that are known at a time: a process that runs for months keeps learning new ones.
MOST: Final = 1000
#: The shortest part of a base64 text, in characters, that identifies a secret inside a longer encoded text.
_SHORTEST_PART: Final = 6
_WORDS: Final = frozenset({"true", "false", "null", "none"})
# Letters alone, or hexadecimal digits alone.
_ORDINARY: Final = re.compile(r"[^\W\d_]+|[0-9a-f]+", re.IGNORECASE)
# Credentials in an address are hidden even if they were not learned.
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#@\s'\"]+@")

#: The known secrets, each with its forms; the most recent is last.
_known: OrderedDict[str, frozenset[str]] = OrderedDict()
_pattern: re.Pattern[str] | None = None
_stale = False


def learn(secrets: Iterable[str]) -> None:
    """Hide these texts from now on, in this process. Texts of fewer than SHORTEST characters are ignored.

    When there are more than MOST, the least recently learned one is forgotten.
    """
    global _stale  # noqa: PLW0603 - learned once, hidden everywhere
    for text in secrets:
        if len(text.strip()) < SHORTEST or text.lower() in _WORDS:
            continue
        if text not in _known:
            _known[text] = frozenset(form.lower() for form in _forms(text))
            _stale = True
        _known.move_to_end(text)
    while len(_known) > MOST:
        _known.popitem(last=False)


def forget() -> None:
    """Forget every secret. For tests, which share a process."""
    global _pattern, _stale
    _known.clear()
    _pattern, _stale = None, False


def _compiled() -> re.Pattern[str] | None:
    """Return one pattern for all known secrets. It is compiled again only after new secrets were learned."""
    global _pattern, _stale
    if _stale:
        anywhere: set[str] = set()
        whole: set[str] = set()
        for text, forms in _known.items():
            (whole if len(text) < LONG and _ORDINARY.fullmatch(text) else anywhere).update(forms)
        parts = [_any_of(anywhere)] if anywhere else []
        if whole:
            parts.append(rf"(?<![^\W_]){_any_of(whole)}(?![^\W_])")
        _pattern, _stale = re.compile("|".join(parts), re.IGNORECASE), False
    return _pattern


def _any_of(forms: Iterable[str]) -> str:
    """Return a pattern that matches the longest of these forms. It shares common prefixes and scans each place once."""
    root: dict[str, Any] = {}
    for form in forms:
        node = root
        for char in form:
            node = node.setdefault(char, {})
        node[""] = {}
    return _branches(root)


def _branches(node: dict[str, Any]) -> str:
    text = ""
    while len(node) == 1 and "" not in node:
        ((char, node),) = node.items()
        text += re.escape(char)
    ways = [re.escape(char) + _branches(inner) for char, inner in node.items() if char]
    return f"{text}(?:{'|'.join(ways)}){'?' if '' in node else ''}" if ways else text


def redact(text: str) -> str:
    """Return the text with HIDDEN in place of every known secret and of credentials in addresses.

    >>> redact("https://bob:hunter2@charts.example/index.yaml")
    'https://(hidden)@charts.example/index.yaml'
    """
    pattern = _compiled()
    text = pattern.sub(HIDDEN, text) if pattern else text
    return _CREDENTIALS.sub(f"{HIDDEN}@", text) if "://" in text else text


def redacted(value: Any) -> Any:
    """Return a copy of JSON data in which every text is redacted, keys included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key) if isinstance(key, str) else key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def _forms(text: str) -> Iterator[str]:
    """Yield the forms in which a secret may be written. Each longer line of a secret, such as a key's, is one, too."""
    # Most commands know no secret and start faster without these imports.
    import base64  # noqa: PLC0415
    import html  # noqa: PLC0415
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    lines = [line.strip() for line in text.splitlines()]
    for part in {text, text.strip(), *(line for line in lines if len(line) > _SHORTEST_PART)}:
        yield part
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield part.encode("unicode_escape").decode()
        yield html.escape(part)
        yield quote(part, safe="", errors="replace")
        yield quote(part, errors="replace")
        yield quote_plus(part, errors="replace")
        content = part.encode(errors="surrogatepass")
        yield content.hex()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(content).decode()
            yield encode(content).decode().rstrip("=")
            yield from filter(lambda form: len(form) >= _SHORTEST_PART, _within_base64(content, encode))


def _within_base64(content: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield the base64 text of this content for each of the three offsets at which it may begin in a longer text."""
    for before in range(3):
        whole = encode(b"\0" * before + content).decode()
        yield whole[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]

"""Redaction of secrets: the one place that every text passes before it is shown, logged or raised.

Secrets become known where they come in: from values under a secret key, Secrets among rendered objects, tokens and the
credentials of repositories. From then on they are hidden in every text, also in their usual encodings and in any case.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

HIDDEN: Final = "(hidden)"

#: Texts of fewer characters are no secrets here: they would be hidden in every other word.
SHORTEST: Final = 4
#: A word or a number of fewer characters is hidden as a whole word only: `test` is a part of `latest`.
LONG: Final = 8
#: How many secrets are known at a time: a process that runs for months meets new ones again and again.
MOST: Final = 1000
#: Part of a base64 text by which a secret inside of a longer one is recognized, in characters.
_SHORTEST_PART: Final = 6
_WORDS: Final = frozenset({"true", "false", "null", "none"})
# Letters alone, and what a digest consists of.
_ORDINARY: Final = re.compile(r"[^\W\d_]+|[0-9a-f]+", re.IGNORECASE)
# The credentials of an address are hidden whether they are known or not.
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#@\s'\"]+@")

#: What is known, each with its forms; what was met last stands at the end.
_known: OrderedDict[str, frozenset[str]] = OrderedDict()
_pattern: re.Pattern[str] | None = None
_stale = False


def learn(secrets: Iterable[str]) -> None:
    """Hides these texts from now on, in this process. Texts of fewer than SHORTEST characters are left out.

    Of more than MOST, the one that was met the longest time ago is forgotten.
    """
    global _stale  # noqa: PLW0603 - known once, hidden everywhere
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
    """Forgets every secret: for tests, which share a process."""
    global _pattern, _stale
    _known.clear()
    _pattern, _stale = None, False


def _compiled() -> re.Pattern[str] | None:
    """One pattern for all that is known, made when a text is to be shown and something was learned since."""
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
    """A pattern of the longest of these that is there. Common beginnings are one: each place is looked at once."""
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
    """The text with HIDDEN for every known secret and for the credentials in addresses.

    >>> redact("https://bob:hunter2@charts.example/index.yaml")
    'https://(hidden)@charts.example/index.yaml'
    """
    pattern = _compiled()
    text = pattern.sub(HIDDEN, text) if pattern else text
    return _CREDENTIALS.sub(f"{HIDDEN}@", text) if "://" in text else text


def redacted(value: Any) -> Any:
    """A copy of JSON data in which every text is redacted, keys included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key) if isinstance(key, str) else key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def _forms(text: str) -> Iterator[str]:
    """A secret as it may be written. Of one of several lines, such as a key, each longer line is one, too."""
    # Most commands know no secret, and start sooner without these.
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
    """The characters that stand for this content wherever it begins in what is encoded."""
    for before in range(3):
        whole = encode(b"\0" * before + content).decode()
        yield whole[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]

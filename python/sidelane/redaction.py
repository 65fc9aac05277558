"""Redaction of secrets: the one place that every text passes before it is shown, logged or raised.

Secrets become known where they come in: from values under a secret key, Secrets among rendered objects, tokens and the
credentials of repositories. From then on they are hidden in every text, also in their usual encodings and in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

HIDDEN: Final = "(hidden)"

#: Texts of fewer characters are no secrets here: they would be hidden in every other word.
SHORTEST: Final = 4
#: Part of a base64 text by which a secret inside of a longer one is recognized, in characters.
_SHORTEST_PART: Final = 6
_WORDS: Final = frozenset({"true", "false", "null", "none"})
# The credentials of an address are hidden whether they are known or not.
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#@\s'\"]+@")

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def learn(secrets: Iterable[str]) -> None:
    """Hides these texts from now on, in this process. Texts of fewer than SHORTEST characters are left out."""
    global _pattern  # noqa: PLW0603 - known once, hidden everywhere
    new = {text for text in secrets if len(text.strip()) >= SHORTEST and text.lower() not in _WORDS} - _known
    if new:
        _known.update(new)
        forms = {form for text in _known for form in _forms(text)}
        longest = sorted(forms, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)


def forget() -> None:
    """Forgets every secret: for tests, which share a process."""
    global _pattern  # noqa: PLW0603
    _known.clear()
    _pattern = None


def redact(text: str) -> str:
    """The text with HIDDEN for every known secret and for the credentials in addresses.

    >>> redact("https://bob:hunter2@charts.example/index.yaml")
    'https://(hidden)@charts.example/index.yaml'
    """
    text = _pattern.sub(HIDDEN, text) if _pattern else text
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

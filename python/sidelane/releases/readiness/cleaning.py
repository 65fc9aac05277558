"""Make untrusted text safe to show: redact secrets, and remove terminal escapes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidelane.support.secrets import HIDDEN, decoded, environment_secrets, secret_texts

#: The least characters of a secret: shorter ones would be redacted in every word.
_SHORTEST: Final = 3
#: The most lines of a log, and the most characters of each line or of a message.
LINES: Final = 10
LENGTH: Final = 500
#: The bytes of a container's last log that kubelet keeps, which may begin in the middle of a line.
_KEPT_BYTES: Final = 2048

# ECMA-48: control sequences, strings such as a terminal's title, and lone escapes.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[PX^_\]]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Other control characters, and those that reverse the direction of text or break lines.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]+")


class Cleaner:
    """Redacts these secrets in text, and removes escape sequences and control characters."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest = sorted({text for text in secrets if len(text) >= _SHORTEST}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest))) if longest else None

    def text(self, value: object, length: int = LENGTH) -> str:
        """Returns the text as one line, cut to ``length`` characters."""
        # Controls are removed first: a secret split by one would not be recognized.
        bare = _CONTROLS.sub(" ", _ESCAPES.sub("", str(value or ""))).strip()
        shown = self._secrets.sub(HIDDEN, bare) if self._secrets else bare
        return shown if len(shown) <= length else f"{shown[: length - 1]}…"

    def last_lines(self, text: str, *, cut: bool = False) -> tuple[str, ...]:
        """Returns the last lines of a log, without blank ones. cut: True if the text may begin inside a line."""
        # A secret of several lines, such as a key, is redacted before the text is split.
        whole = self._secrets.sub(HIDDEN, text) if self._secrets else text
        lines = whole.splitlines()
        if cut and lines:
            # The rest of a cut secret would not be recognized.
            lines = lines[1:] or [f"…{lines[0][-LENGTH // 2 :]}"]
        shown = [line for line in map(self.text, lines) if line]
        return tuple(shown[-LINES:])

    def last_words(self, message: str) -> tuple[str, ...]:
        """Returns the last lines of a container's termination message, which may be the end of its log."""
        return self.last_lines(message, cut=len(message.encode(errors="replace")) >= _KEPT_BYTES)


def secrets_of(values: Mapping[str, Any], objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Returns the secrets of a release: those of its values, of environment variables with a secret name, and the data
    of its Secrets; plain and base64. Each longer line of a multi-line secret is also a secret.
    """
    texts = set(secret_texts(values))
    for body in objects:
        texts.update(environment_secrets(body))
        if body.get("kind") != "Secret":
            continue
        texts.update(str(value) for value in (body.get("stringData") or {}).values())
        for value in (body.get("data") or {}).values():
            texts.add(str(value))
            texts.add(decoded(str(value)))
    texts |= {line.strip() for text in texts for line in text.splitlines() if len(line.strip()) > 2 * _SHORTEST}
    encoded = {base64.b64encode(text.encode(errors="surrogateescape")).decode() for text in texts}
    return frozenset(text for text in texts | encoded if len(text) >= _SHORTEST)

"""Text that others wrote, made safe to show: without secrets, and without what would act on a terminal."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sidelane.support.secrets import HIDDEN, decoded, environment_secrets, secret_texts

#: Fewer characters than this are no secret: they would be hidden in every word.
_SHORTEST: Final = 3
#: How many lines of a log are kept, and how many characters of each, or of a message.
LINES: Final = 10
LENGTH: Final = 500
#: kubelet keeps so many bytes of a container's last log, and so may begin in the middle of a line.
_KEPT_BYTES: Final = 2048

# ECMA-48: control sequences, strings such as a terminal's title, and lone escapes.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[PX^_\]]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Other controls, and what turns the direction of text around or breaks lines.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]+")


class Cleaner:
    """Hides these secrets in text, and takes escape sequences and control characters out of it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest = sorted({text for text in secrets if len(text) >= _SHORTEST}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest))) if longest else None

    def text(self, value: object, length: int = LENGTH) -> str:
        """A text on one line, of at most so many characters."""
        # Controls go first: a secret that they cut in two would not be recognized.
        bare = _CONTROLS.sub(" ", _ESCAPES.sub("", str(value or ""))).strip()
        shown = self._secrets.sub(HIDDEN, bare) if self._secrets else bare
        return shown if len(shown) <= length else f"{shown[: length - 1]}…"

    def last_lines(self, text: str, *, cut: bool = False) -> tuple[str, ...]:
        """The last lines of a log, without blank ones. cut: the text may begin in the middle of a line."""
        # A secret of several lines, such as a key, is hidden before the lines are taken apart.
        whole = self._secrets.sub(HIDDEN, text) if self._secrets else text
        lines = whole.splitlines()
        if cut and lines:
            # The rest of a secret that was cut would not be recognized.
            lines = lines[1:] or [f"…{lines[0][-LENGTH // 2 :]}"]
        shown = [line for line in map(self.text, lines) if line]
        return tuple(shown[-LINES:])

    def last_words(self, message: str) -> tuple[str, ...]:
        """The last lines of a container's termination message, which may be the end of its log."""
        return self.last_lines(message, cut=len(message.encode(errors="replace")) >= _KEPT_BYTES)


def secrets_of(values: Mapping[str, Any], objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The secrets of a release: those of its values, of environment variables with a secret name, and the data of the
    Secrets among its objects; plain and base64. Of a secret of several lines each longer line is one, too.
    """
    found = set(secret_texts(values))
    for body in objects:
        found.update(environment_secrets(body))
        if body.get("kind") != "Secret":
            continue
        found.update(str(value) for value in (body.get("stringData") or {}).values())
        for value in (body.get("data") or {}).values():
            found.add(str(value))
            found.add(decoded(str(value)))
    found |= {line.strip() for text in found for line in text.splitlines() if len(line.strip()) > 2 * _SHORTEST}
    encoded = {base64.b64encode(text.encode(errors="surrogateescape")).decode() for text in found}
    return frozenset(text for text in found | encoded if len(text) >= _SHORTEST)

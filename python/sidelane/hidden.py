"""What is never shown: values whose key says that they are secret, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "(hidden)"

# A key's end tells: adminPassword and DB_TOKEN hold a secret, secretName and imagePullSecrets only name one.
_SECRET = re.compile(r"(pass(word|wd|phrase)|secret|token|credential|(private|access|api)[-_]?key)$", re.IGNORECASE)


def is_secret(keys: Iterable[str | int]) -> bool:
    """Whether a path of keys leads to a secret value, or through one.

    >>> is_secret(["auth", "adminPassword"]), is_secret(["tls", "secretName"])
    (True, False)
    """
    return any(isinstance(key, str) and _SECRET.search(key) for key in keys)

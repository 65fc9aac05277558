"""What is never shown: values whose key says that they are secret, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "(hidden)"

# A key's end tells: adminPassword and DB_TOKEN hold a secret, secretName and imagePullSecrets only name one.
_SECRET = re.compile(
    r"(pass(word|wd|phrase)s?|pw|secret|token|credentials?|(private|access|api)[-_]?keys?)(hash)?$", re.IGNORECASE
)


def is_secret(keys: Iterable[str | int]) -> bool:
    """Whether a path of keys leads to a secret value, or through one.

    >>> is_secret(["auth", "adminPassword"]), is_secret(["tls", "secretName"])
    (True, False)
    """
    return any(isinstance(key, str) and _SECRET.search(key) for key in keys)


def secret_paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    """Where secret text stands in values: each place as ``auth.adminPassword``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from secret_paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from secret_paths(inner, (*path, index))
    elif isinstance(value, str) and value and is_secret(path):
        yield ".".join(map(str, path))

"""What is never shown: values whose key says that they are secret, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

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


def without_secrets(value: Any, path: tuple[str | int, ...] = (), texts: frozenset[str] = frozenset()) -> Any:
    """A copy with HIDDEN for every secret: for what stands under a secret key, and for ``texts`` wherever they stand.

    >>> without_secrets({"auth": {"password": "hunter2"}, "url": "db:hunter2@db"}, texts=frozenset({"hunter2"}))
    {'auth': {'password': '(hidden)'}, 'url': 'db:(hidden)@db'}

    A list's items are also known by their ``name``: the value of an environment variable DB_PASSWORD is secret.
    """
    if isinstance(value, dict):
        return {key: without_secrets(inner, (*path, key), texts) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner, (*path, _step(index, inner)), texts) for index, inner in enumerate(value)]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if is_secret(path):
        return HIDDEN
    if isinstance(value, str):
        for text in sorted(texts, key=len, reverse=True):
            value = value.replace(text, HIDDEN)
    return value


def secret_texts(value: object, path: tuple[str | int, ...] = ()) -> frozenset[str]:
    """The secrets themselves that stand in values, as text."""
    if isinstance(value, dict):
        return frozenset().union(*(secret_texts(inner, (*path, key)) for key, inner in value.items()))
    if isinstance(value, list):
        return frozenset().union(*(secret_texts(inner, (*path, index)) for index, inner in enumerate(value)))
    if value is None or isinstance(value, bool) or value == "" or not is_secret(path):
        return frozenset()
    return frozenset({str(value)})


def _step(index: int, item: object) -> str | int:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else index

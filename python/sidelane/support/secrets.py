"""Secrets in values and objects, recognized by their keys."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sidelane.support.redaction import HIDDEN, learn

__all__ = [
    "HIDDEN",
    "decoded",
    "environment_secrets",
    "is_secret",
    "learn_objects",
    "learn_values",
    "secret_paths",
    "secret_texts",
    "without_secrets",
]


# The end of the key decides: adminPassword and DB_TOKEN hold a secret, secretName and imagePullSecrets only name one.
_SECRET = re.compile(
    r"(pass(word|wd|phrase)s?|pw|secret|token|credentials?|(private|access|api)[-_]?keys?)(hash)?$", re.IGNORECASE
)

_LONG = 8  # characters


def is_secret(keys: Iterable[str | int]) -> bool:
    """Return whether a path of keys leads to, or through, a secret value.

    >>> is_secret(["auth", "adminPassword"]), is_secret(["tls", "secretName"])
    (True, False)
    """
    return any(isinstance(key, str) and _is_secret_key(key) for key in keys)


@functools.lru_cache(maxsize=4096)  # objects have the same keys again and again
def _is_secret_key(key: str) -> bool:
    return _SECRET.search(key) is not None


def secret_paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    """Yield the path of each secret text in values, such as ``auth.adminPassword``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from secret_paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from secret_paths(inner, (*path, index))
    elif isinstance(value, str) and value and is_secret(path):
        yield ".".join(map(str, path))


def without_secrets(value: Any, path: tuple[str | int, ...] = (), texts: frozenset[str] = frozenset()) -> Any:
    """Return a copy with HIDDEN in place of every value under a secret key, and of ``texts`` in every text.

    >>> without_secrets({"auth": {"password": "hunter2"}, "url": "db:hunter2@db"}, texts=frozenset({"hunter2"}))
    {'auth': {'password': '(hidden)'}, 'url': 'db:(hidden)@db'}

    The ``name`` of a list's item counts as its key: the value of an environment variable DB_PASSWORD is secret.
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
    """Return the secrets in values, as text."""
    if isinstance(value, dict):
        return frozenset().union(*(secret_texts(inner, (*path, key)) for key, inner in value.items()))
    if isinstance(value, list):
        return frozenset().union(*(secret_texts(inner, (*path, index)) for index, inner in enumerate(value)))
    if value is None or isinstance(value, bool) or value == "" or not is_secret(path):
        return frozenset()
    return frozenset({str(value)})


def learn_values(values: object) -> None:
    """Hide the secrets of these values in every text from now on."""
    learn(secret_texts(values))


def learn_objects(objects: Iterable[Any]) -> None:
    """Hide the secrets of these objects from now on: environment variables with a secret name, and Secrets' data.

    A Secret's text under a key that is not a secret one is hidden only from _LONG characters on: hiding a user name or
    a port would make output unreadable.
    """
    for body in objects:
        learn(environment_secrets(body))
        if not isinstance(body, Mapping) or body.get("kind") != "Secret":
            continue
        for part, decode in (("stringData", str), ("data", decoded)):
            data = body.get(part)
            for key, value in data.items() if isinstance(data, Mapping) else ():
                if isinstance(value, str) and (is_secret([key]) or len(decode(value)) >= _LONG):
                    learn([decode(value)])


def environment_secrets(node: Any) -> Iterator[str]:
    """Yield the values of environment variables such as DB_PASSWORD from anywhere in an object."""
    # Every object that is read comes here: one loop over data of JSON, not a generator for each level, and no call of
    # isinstance for each of its many texts.
    waiting = [node]
    inner: Iterable[Any]
    for each in waiting:
        if type(each) is dict:
            value = each.get("value")
            if isinstance(value, str) and isinstance(name := each.get("name"), str) and is_secret((name,)):
                yield value
            inner = each.values()
        else:
            inner = each if type(each) is list else ()
        waiting += [item for item in inner if type(item) is dict or type(item) is list]


def decoded(value: str) -> str:
    """Decode a base64 text. Return the text itself if it is not base64, or not of UTF-8 text."""
    import base64  # noqa: PLC0415 - most manifests have no Secret

    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:  # not base64, or not UTF-8
        return value


def _step(index: int, item: object) -> str | int:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else index

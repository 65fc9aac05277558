"""The API server's syntax of names, labels and annotations (apimachinery's util/validation).

Each function returns the problem as the end of a sentence, or empty text for a valid value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT: Final = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DATA_KEY: Final = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]+")
#: The most bytes of all values of a ConfigMap or a Secret together (MaxSecretSize).
_DATA_LIMIT: Final = 2**20
#: The most bytes of all keys and values of an object's annotations together.
_ANNOTATIONS_LIMIT: Final = 256 * 1024


def dns_label(value: object, limit: int = 63) -> str:
    """Check a name of a pod, container or volume (RFC 1123)."""
    return _matched(value, _LABEL, limit, "must consist of lower-case letters, digits and inner dashes")


def dns_label_1035(value: object, limit: int = 63) -> str:
    """Check a Service's name (RFC 1035). Only Kubernetes 1.36 and newer accept a leading digit."""
    return _matched(
        value,
        _LABEL_1035,
        limit,
        "must begin with a letter and consist of lower-case letters, digits and inner dashes",
    )


def dns_subdomain(value: object, limit: int = 253) -> str:
    """Check a name of most kinds (RFC 1123)."""
    return _matched(value, _SUBDOMAIN, limit, "must consist of lower-case letters, digits, inner dashes and dots")


def port_name(value: object) -> str:
    """Check the name of a container's port (RFC 6335)."""
    return _matched(
        value, _PORT, 15, "must consist of lower-case letters (at least one), digits and single inner dashes"
    )


def data_key(value: object) -> str:
    """Check a key of a ConfigMap or a Secret, which becomes a file's name."""
    return _matched(value, _DATA_KEY, 253, "must consist of letters, digits, dashes, underscores and dots")


@lru_cache(maxsize=4096)
def label_key(value: str) -> str:
    """Check a label's or annotation's key: a name of at most 63 characters, optionally after a DNS name and a slash."""
    prefix, slash, name = value.rpartition("/")
    if slash and (problem := dns_subdomain(prefix)):
        return f"has a prefix that {problem}"
    return _matched(name, _QUALIFIED, 63, "must consist of letters, digits and inner dashes, underscores and dots")


def label_value(value: object) -> str:
    """Check a label's value: text of at most 63 characters, which may be empty."""
    return _label_text(value) if isinstance(value, str) else "must be text"


@lru_cache(maxsize=4096)
def _label_text(value: str) -> str:
    if value == "":
        return ""
    return _matched(value, _QUALIFIED, 63, "must consist of letters, digits and inner dashes, underscores and dots")


def annotations_size(values: Mapping[str, Any]) -> str:
    """Check the size of all annotations of an object together."""
    size = sum(len(key.encode()) + len(str(value).encode()) for key, value in values.items())
    return f"have {size} bytes, and at most {_ANNOTATIONS_LIMIT} are allowed" if size > _ANNOTATIONS_LIMIT else ""


def data_size(body: Mapping[str, Any], *, encoded: bool) -> str:
    """Check the size of all data of a ConfigMap or a Secret together. encoded: the data is base64, as a Secret's."""
    in_base64 = ("data", "binaryData") if encoded else ("binaryData",)
    size = 0
    for part in ("data", "binaryData", "stringData"):
        values = body.get(part)
        for value in values.values() if isinstance(values, dict) else ():
            text = str(value)
            size += len(text) * 3 // 4 - text[-2:].count("=") if part in in_base64 else len(text.encode())
    return f"has {size} bytes, and at most {_DATA_LIMIT} are allowed" if size > _DATA_LIMIT else ""


def _matched(value: object, pattern: re.Pattern[str], limit: int, otherwise: str) -> str:
    if not isinstance(value, str):
        return "must be text"
    if len(value) > limit:
        return f"has {len(value)} characters, and at most {limit} are allowed"
    return "" if pattern.fullmatch(value) else otherwise

"""What the API server takes as a name, a label or an annotation (apimachinery's util/validation).

Each function returns what is wrong, as the end of a sentence, and nothing where all is well.
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
#: All values of a ConfigMap or a Secret together, in bytes (MaxSecretSize).
_DATA_LIMIT: Final = 2**20
#: All keys and values of an object's annotations together, in bytes.
_ANNOTATIONS_LIMIT: Final = 256 * 1024


def dns_label(value: object, limit: int = 63) -> str:
    """RFC 1123: the names of pods, containers, volumes."""
    return _matched(value, _LABEL, limit, "is not made of lower-case letters, digits and inner dashes")


def dns_label_1035(value: object, limit: int = 63) -> str:
    """RFC 1035: a Service's name. A leading digit is taken by Kubernetes 1.36 and later only."""
    return _matched(
        value,
        _LABEL_1035,
        limit,
        "does not begin with a letter, or has more than lower-case letters, digits and inner dashes",
    )


def dns_subdomain(value: object, limit: int = 253) -> str:
    """RFC 1123: the names of most kinds."""
    return _matched(value, _SUBDOMAIN, limit, "is not made of lower-case letters, digits, inner dashes and dots")


def port_name(value: object) -> str:
    """RFC 6335, a container's port. A number is one too, where a Service or a probe names its target."""
    return _matched(
        value, _PORT, 15, "is not made of lower-case letters (at least one), digits and single inner dashes"
    )


def data_key(value: object) -> str:
    """A key of a ConfigMap or a Secret, which becomes a file's name."""
    return _matched(value, _DATA_KEY, 253, "is not made of letters, digits, dashes, underscores and dots")


@lru_cache(maxsize=4096)
def label_key(value: str) -> str:
    """A label's or annotation's key: a name of at most 63 characters, behind a DNS name and a slash if there is one."""
    prefix, slash, name = value.rpartition("/")
    if slash and (problem := dns_subdomain(prefix)):
        return f"has a prefix that {problem}"
    return _matched(name, _QUALIFIED, 63, "is not made of letters, digits and inner dashes, underscores and dots")


def label_value(value: object) -> str:
    """A label's value: text of at most 63 characters, which may be empty."""
    if value == "":
        return ""
    return _matched(value, _QUALIFIED, 63, "is not made of letters, digits and inner dashes, underscores and dots")


def annotations_size(values: Mapping[str, Any]) -> str:
    """All annotations of an object together."""
    size = sum(len(key.encode()) + len(str(value).encode()) for key, value in values.items())
    return f"take {size} bytes, and at most {_ANNOTATIONS_LIMIT} are stored" if size > _ANNOTATIONS_LIMIT else ""


def data_size(body: Mapping[str, Any], *, encoded: bool) -> str:
    """All data of a ConfigMap, or of a Secret, whose data is base64 (encoded), together."""
    in_base64 = ("data", "binaryData") if encoded else ("binaryData",)
    size = 0
    for part in ("data", "binaryData", "stringData"):
        values = body.get(part)
        for value in values.values() if isinstance(values, dict) else ():
            text = str(value)
            size += len(text) * 3 // 4 - text[-2:].count("=") if part in in_base64 else len(text.encode())
    return f"takes {size} bytes, and at most {_DATA_LIMIT} are stored" if size > _DATA_LIMIT else ""


def _matched(value: object, pattern: re.Pattern[str], limit: int, otherwise: str) -> str:
    if not isinstance(value, str):
        return "is not text"
    if len(value) > limit:
        return f"has {len(value)} characters, and at most {limit} are taken"
    return "" if pattern.fullmatch(value) else otherwise

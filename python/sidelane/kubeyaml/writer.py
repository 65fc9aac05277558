"""The writer of YAML that Helm, Kubernetes and PyYAML all read back as the same data."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any, Final

import yaml

from sidelane.errors import InvalidManifest
from sidelane.kubeyaml.scalars import resolve

_STRING: Final = "tag:yaml.org,2002:str"
# Text that needs no quotes, unless a reader takes it for another type. Narrow on purpose: quotes never hurt.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./]([A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?", re.ASCII)
# Text that a literal block keeps unchanged: printable lines, none empty, none beginning or ending with a space.
_BLOCK: Final = re.compile(r"([!-~]([ -~]*[!-~])?\n)+")


def dump(data: object) -> str:
    """Return the data as one YAML document, keys in their own order. Text that looks like another type is quoted.

    >>> print(dump({"Version": "2-coco", "Build": "1", "answer": "n", "replicas": 3}), end="")
    Version: 2-coco
    Build: "1"
    answer: "n"
    replicas: 3

    Raises InvalidManifest for data that Kubernetes' YAML cannot hold: keys that are not text, numbers beyond int64,
    infinity, and types other than mappings, lists, text, numbers, booleans and None.
    """
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf)
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def represent_mapping_with_text_keys(self, data: dict[str, Any]) -> yaml.Node:
        if not all(isinstance(key, str) for key in data):
            raise _unfit("a key that is not text")
        return self.represent_dict(data)

    def represent_text(self, text: str) -> yaml.Node:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _unfit("text that is not Unicode (a lone surrogate)") from None
        return self.represent_scalar(_STRING, text, style=self._style(text))

    def _style(self, text: str) -> str | None:
        if _BLOCK.fullmatch(text):
            return "|"
        # Plain only if it is text to both Kubernetes and PyYAML, which differ on dates, 22:22, 1e3, y and more.
        to_pyyaml = self.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        text_to_both = to_pyyaml == _STRING and resolve(text) is text
        return None if text_to_both and _PLAIN.fullmatch(text) else '"'

    def represent_integer(self, value: int) -> yaml.Node:
        if not -(2**63) <= value < 2**63:
            raise _unfit("an integer beyond 64 bits")
        return self.represent_int(value)

    def represent_number(self, value: float) -> yaml.Node:
        if not math.isfinite(value):
            raise _unfit("infinity or not-a-number")
        # JSON has one kind of number: 3.0 comes back as 3. With every digit written, it is also equal above 2**53.
        whole = value.is_integer() and abs(value) < 2**63
        return self.represent_int(int(value)) if whole else self.represent_float(value)

    def represent_other(self, value: object) -> yaml.Node:
        raise _unfit(f"a value of type {type(value).__name__}")


_Dumper.add_representer(dict, _Dumper.represent_mapping_with_text_keys)
_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(int, _Dumper.represent_integer)
_Dumper.add_representer(float, _Dumper.represent_number)
for _kind in (bytes, set, date, datetime):
    _Dumper.add_representer(_kind, _Dumper.represent_other)
_Dumper.add_multi_representer(object, _Dumper.represent_other)


def _unfit(what: str) -> InvalidManifest:
    return InvalidManifest(f"{what} cannot be written as YAML for Kubernetes", remedy="give plain JSON data")

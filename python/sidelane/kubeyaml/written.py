"""The original text of scalars: YAML turns ``010`` into 8 and ``2.10`` into 2.1, and the data does not show it."""

from __future__ import annotations

from typing import Any, Final

import yaml

from sidelane.kubeyaml.scalars import resolve

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING: Final = "tag:yaml.org,2002:str"


class Written:
    """The scalars of one document. Reader has read it before, so its nesting is within limits."""

    def __init__(self, text: str | bytes) -> None:
        try:
            self._root = yaml.compose(text, Loader=_LOADER)
        except yaml.YAMLError:  # JSON with an escape that YAML lacks
            self._root = None

    def misread(self, *path: str | int) -> str | None:
        """Return the text of an unquoted scalar that a YAML reader does not read as text, such as a number, a boolean
        or a date. None for everything else.

        >>> Written("lane: {Build: 010}").misread("lane", "Build")
        '010'
        """
        node = self._root
        for step in path:
            node = _below(node, step)
        if not isinstance(node, yaml.ScalarNode) or node.style or not node.value:
            return None
        text_to_both = node.tag == _STRING and resolve(node.value) is node.value
        return None if text_to_both else str(node.value)


def _below(node: Any, step: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if not isinstance(node, yaml.MappingNode):
        return None
    merged = None
    for key, value in node.value:
        if key.value == step:
            return value
        if key.value == "<<":
            for layer in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                merged = _below(layer, step) or merged
    return merged

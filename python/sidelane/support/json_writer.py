"""JSON, as every verb and every error writes it: one document, indented, in ASCII, so that no terminal obeys it.

Keys are in camel case, and a key whose value is not known is left out.
"""

from __future__ import annotations

import json


def dump(value: object) -> str:
    """Returns a value's JSON form as text that ends in a newline."""
    return json.dumps(value, indent=2) + "\n"

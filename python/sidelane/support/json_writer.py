"""The JSON output of every verb and error: one indented document in ASCII, which is safe to show on a terminal.

Keys are in camel case. A key whose value is unknown is left out.
"""

from __future__ import annotations

import json


def dump(value: object) -> str:
    """Return a value as JSON text that ends in a newline."""
    return json.dumps(value, indent=2) + "\n"

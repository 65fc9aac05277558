"""Carries the charts into the wheel and the source distribution, with the files that their links lead to; and into the
wheel the schemas of the files that the SDK reads.

hatchling by itself takes no folder twice: of all the links to charts/common it would follow none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarryCharts(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # the checkout's own charts are found
            return
        charts = Path(self.root, "charts")
        to = Path("sidelane/_charts" if self.target_name == "wheel" else "charts")
        for folder, _, names in os.walk(charts, followlinks=True):
            for file in (Path(folder, name) for name in names):
                build_data["force_include"][str(file)] = str(to / file.relative_to(charts))
        if self.target_name == "wheel":
            for schema in Path(self.root, "schemas").glob("*.schema.json"):
                build_data["force_include"][str(schema)] = f"sidelane/_schemas/{schema.name}"

"""Shared by the tests of Storm's charts: readers of the rendered objects, and `storm` played by a script."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    Objects = dict[str, dict[str, Any]]

LANE = {"Version": "2-coco", "Build": "1"}
# It says how it was called. A supervisor runs on for $RUNS seconds, or until it is asked to end.
STORM = """#!/usr/bin/env bash
echo "$@" >>"$CALLS"
[[ $1 == supervisor && ${RUNS:-} ]] || exit 0
trap 'echo supervisor ended >>"$CALLS"; kill $!; exit 143' TERM
sleep "$RUNS" & wait $!
"""


def settings(objects: Objects, component: str) -> dict[str, Any]:
    """storm.yaml of the component, read."""
    return dict(yaml.safe_load(objects[f"ConfigMap {component}"]["data"]["storm.yaml"]))


def pod(objects: Objects, workload: str) -> dict[str, Any]:
    """The pod's spec in a workload such as ``StatefulSet nimbus``."""
    return dict(objects[workload]["spec"]["template"]["spec"])


def environment(container: dict[str, Any]) -> dict[str, str | None]:
    """The container's environment; None for what has its value from elsewhere."""
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def installed(objects: Objects, component: str, folder: Path) -> dict[str, str]:
    """The component's ConfigMap as files in ``folder``; the environment in which its scripts call a played `storm`."""
    for name in ("config", "conf", "data", "bin"):
        (folder / name).mkdir()
    for name, text in objects[f"ConfigMap {component}"]["data"].items():
        (folder / "config" / name).write_text(text)
    storm = folder / "bin" / "storm"
    storm.write_text(STORM)
    storm.chmod(0o755)
    own = {"STORM_CONF_DIR": f"{folder}/conf", "STORM_DATA_DIR": f"{folder}/data", "CALLS": f"{folder}/calls"}
    return {**own, "PATH": f"{storm.parent}:{os.environ['PATH']}"}


def bash(script: Path, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a script to its end."""
    command = ["bash", str(script), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

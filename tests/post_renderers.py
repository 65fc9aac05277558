"""The checks inside Helm, as flags of a Helm 3 or a Helm 4."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from command_line import SIDELANE

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[bytes]]


def is_helm_3(run: Run) -> bool:
    return run("version", "--template", "{{.Version}}").stdout.startswith(b"v3.")


def install(run: Run, plugin: str) -> None:
    """Installs a plugin, as a user does."""
    command = [SIDELANE, "helm-plugin", plugin]
    run("plugin", "install", subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip())


def flags(run: Run) -> list[str]:
    """The flags that check what this Helm renders."""
    if is_helm_3(run):
        return ["--post-renderer", "sidelane", "--post-renderer-args", "post-render"]
    install(run, "post-renderer")
    return ["--post-renderer", "sidelane-post-render"]

"""Runs commands from texts as they stand, as somebody types them in a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
SIDELANE = Path(sysconfig.get_path("scripts")) / "sidelane"

Typed = subprocess.CompletedProcess[str]


def shell(folder: Path, helm: Path, kubeconfig: Path | None = None, **environment: str) -> Callable[..., Typed]:
    """Returns what runs a command in bash, with this `sidelane` and this Helm before all others on PATH.

    folder: for the programs, and for what the commands write where they are not run in the checkout.
    """
    programs = folder / "programs"
    programs.mkdir()
    for name, program in (("helm", helm), ("sidelane", SIDELANE)):
        (programs / name).symlink_to(program)
    cluster = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}

    def run(command: str, *, code: int = 0, cwd: Path = ROOT, timeout: float = 120) -> Typed:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **cluster, **environment},
            capture_output=True, text=True, check=False, cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, f"$ {command}\n{done.stdout}{done.stderr}"
        return done

    return run


def has_kubectl() -> bool:
    return shutil.which("kubectl") is not None


def commands(text: str, prompt: str) -> list[str]:
    """The commands of a text: each line behind the prompt, with those that continue it."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.removeprefix(prompt) for line in lines if line.startswith(prompt)]

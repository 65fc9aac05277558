"""Runs commands from texts as they stand, as somebody types them in a checkout."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import warm_start
from command_line import environment, programs

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
#: What `make lint` has found of the modules, which mypy looks up by their content.
LINTED = ROOT / ".mypy_cache"

#: What may have a meaning of its own to bash, where no single quotes are around it.
_OF_BASH = re.compile(r"[|&;<>()$`*?\[\]{}~#!\n]")

Typed = subprocess.CompletedProcess[str]


def shell(folder: Path, helm: Path, kubeconfig: Path | None = None, **variables: str) -> Callable[..., Typed]:
    """Returns what runs a command as bash does, with this `sidelane` and this Helm before all others on PATH.

    A `sidelane` with words that mean nothing more to bash runs in a fork of a warm process.

    folder: for the programs, and for what the commands write where they are not run in the checkout.
    """
    first = programs(folder, helm)
    cluster = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}

    def run(command: str, *, code: int = 0, cwd: Path = ROOT, timeout: float = 120) -> Typed:
        whole = environment(first, **{**cluster, **variables})
        one_line = command.replace("\\\n", " ").strip()
        is_plain = one_line.startswith("sidelane ") and not _OF_BASH.search(re.sub("'[^']*'", "", one_line))
        if is_plain and "PATH" not in variables:  # else it may be another one
            words = shlex.split(one_line)
            ended = warm_start.run(words, text=None, folder=cwd, environment=whole, timeout=timeout)
            done = Typed(words, ended.returncode, ended.stdout.decode(), ended.stderr.decode())
        else:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command], env=whole, capture_output=True, text=True, check=False,
                cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
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


def blocks(readme: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a file, in order: the language and the text."""
    matches = re.findall(r"^```([a-z]*)\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)
    return [(language, text) for language, text in matches]


def dialogue(block: str) -> list[tuple[str, str]]:
    """Each command of a console block, with the output that is shown behind it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    collected = []
    for part in parts:
        command = re.match(r"(?:.*\\\n)*.*\n", part)
        assert command is not None
        collected.append((command[0].rstrip("\n"), part[command.end() :]))
    return collected


def looks_like(shown: str, printed: str) -> bool:
    """Return True if an output is the shown one, but for widths, ages, restarts, the random ends of names, and what
    ``…`` stands for.
    """
    varies = r"-[a-z0-9]{8,10}-[a-z0-9]{5}\b|\b\d+ ?s\b|\b\d+ restarts?\b"
    shown, printed = (" ".join(re.sub(varies, "*", text).split()) for text in (shown, printed))
    pattern = ".*".join(re.escape(part.strip()) for part in shown.split("…"))
    return re.fullmatch(f"(.*Error: |.*){pattern}" if shown.startswith("Error: ") else pattern, printed) is not None

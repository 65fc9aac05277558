"""The command line as a process, under a given Helm. Every test that starts `sidelane` takes it from here.

A call that waits for the end runs in a fork of a warm process (warm_start.py, with what differs), unless `warm` is
False; `begin` and `on_a_terminal` start the installed program.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from warm_start import LOCALE, run

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The program of the environment that runs the tests.
SIDELANE = Path(sysconfig.get_path("scripts")) / "sidelane"

Done = subprocess.CompletedProcess[str]


def programs(folder: Path, helm: Path) -> Path:
    """Makes a folder for PATH that has `sidelane` and this Helm. Returns its path."""
    made = folder / "programs"
    made.mkdir()
    for name, program in (("helm", helm), ("sidelane", SIDELANE)):
        (made / name).symlink_to(program)
    return made


def environment(first: Path, **variables: object) -> dict[str, str]:
    """This process's environment, with a folder before all others on PATH, and with these variables."""
    changed = {name: str(value) for name, value in variables.items()}
    return {**os.environ, "PATH": f"{first}:{os.environ['PATH']}", **changed}


class CommandLine:
    """Runs `sidelane` with one Helm before all others on PATH.

    Args:
        folder: where the commands run; the links to the programs are in its folder `programs`.
        helm: the Helm; None for commands that use none, or any.
        place: arguments that every command ends with, such as `--namespace` and its value.
        warm: False starts the installed program for each command, and no fork of a warm process.
        variables: of the environment of every command.
    """

    def __init__(
        self,
        folder: Path,
        helm: Path | None = None,
        *,
        place: Iterable[object] = (),
        warm: bool = True,
        **variables: object,
    ) -> None:
        self.folder = folder
        self._programs = programs(folder, helm) if helm else SIDELANE.parent
        self._place = tuple(place)
        self._warm = warm
        self._variables = variables

    def __call__(
        self, *arguments: object, code: int = 0, text: str | None = None, timeout: float | None = None, **variables: str
    ) -> Done:
        """Runs a command, which must end with this exit code. text: for its standard input."""
        at_its_start = any(name.startswith(LOCALE) for name in {**self._variables, **variables})
        start = run if self._warm and not at_its_start else _as_installed
        done = start(
            self._command(arguments), text=None if text is None else text.encode(), folder=self.folder,
            environment=self._environment(variables), timeout=timeout,
        )  # fmt: skip
        # Decoded here, as Python would turn each carriage return into a line's end.
        output = Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert output.returncode == code, f"{arguments} ended with {output.returncode}:\n{output.stdout}{output.stderr}"
        return output

    def json(self, *arguments: object, code: int = 0) -> Any:
        """Runs a command with `-o json`. Returns what it prints on its standard output, read."""
        return json.loads(self(*arguments, "-o", "json", code=code).stdout)

    def begin(self, *arguments: object, **variables: str) -> subprocess.Popen[str]:
        """Starts a command, and does not wait for its end."""
        return subprocess.Popen(
            self._command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=self.folder, env=self._environment(variables),
        )  # fmt: skip

    def on_a_terminal(self, *arguments: object, code: int = 0, text: str = "") -> str:
        """Runs a command with its outputs on a terminal. Returns the text that the terminal gets."""
        leader, follower = pty.openpty()
        with subprocess.Popen(
            self._command(arguments), stdin=subprocess.PIPE, stdout=follower, stderr=follower,
            cwd=self.folder, env=self._environment({}),
        ) as process:  # fmt: skip
            os.close(follower)
            process.stdin.write(text.encode())
            process.stdin.close()
            shown = b"".join(iter(lambda: _read(leader), b"")).decode().replace("\r\n", "\n")
        os.close(leader)
        assert process.returncode == code, f"{arguments} ended with {process.returncode}:\n{shown}"
        return shown

    def _command(self, arguments: Iterable[object]) -> list[str]:
        return [str(SIDELANE), *map(str, arguments), *map(str, self._place)]

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        return environment(self._programs, **{**self._variables, **variables})


def _as_installed(
    command: list[str], *, text: bytes | None, folder: Path, environment: dict[str, str], timeout: float | None
) -> subprocess.CompletedProcess[bytes]:
    """The installed program, started by itself."""
    return subprocess.run(
        command, input=text, capture_output=True, check=False, cwd=folder, env=environment, timeout=timeout
    )


def _read(leader: int) -> bytes:
    """The next part of a terminal's text; empty when the program has closed it, which Linux tells by an error."""
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""


@pytest.fixture
def sidelane(tmp_path: Path, helm: Path) -> CommandLine:
    """The command line under a Helm, in the test's folder."""
    return CommandLine(tmp_path, helm)

"""`helm template` without an event loop, for tests of charts: its output and its messages, as Helm writes them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from sidelane.errors import HelmNotFound
from sidelane.helm.environment import environment, of_command
from sidelane.helm.executable import REMEDY
from sidelane.support.redaction import redact


class Answer(NamedTuple):
    """The end of a Helm process: its exit code, its standard output and its messages."""

    code: int
    stdout: str
    stderr: str


def template(executable: str, arguments: Sequence[str], values: bytes) -> Answer:
    """Run `helm template` with values on its standard input, which ``--values -`` among the arguments reads.

    Raises HelmNotFound if the program cannot be run.
    """
    command = ["template", *arguments]
    variables = of_command(command, environment({}))
    try:
        done = subprocess.run([executable, *command], input=values, capture_output=True, check=False, env=variables)
    except OSError as error:
        problem = f"the helm at {executable!r} can't be run: {error.strerror}"
        raise HelmNotFound(problem, remedy=REMEDY) from None
    return Answer(done.returncode, done.stdout.decode(), redact(done.stderr.decode(errors="replace")))

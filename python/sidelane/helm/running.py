"""Running Helm: one subclass of pyhelm3's Command, and the only place that starts Helm.

It changes pyhelm3 in these points:

- no shell, and Helm ends with its caller: a cancelled or killed call leaves no install running;
- a token goes to Helm in the environment, never in an argument list, which every user of the machine can read;
- errors come from Helm's messages, not from its exit code (failures.py).
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import semver

from sidelane.errors import (
    ClusterUnreachable,
    HelmNotFound,
    InvalidInput,
    SidelaneError,
)
from sidelane.helm.environment import environment, of_command
from sidelane.helm.executable import REMEDY, accept, find, known_version
from sidelane.helm.process import begun, stop
from sidelane.support.redaction import learn, redact

log = logging.getLogger(__name__)


def _command_class() -> type:
    """Import pyhelm3's Command without the package's pydantic models.

    Importing the whole package takes three times as long as importing this module. The module is registered as the
    import system would do it, so a script that imports pyhelm3 itself gets the whole package, with this same class.
    """
    if "pyhelm3" in sys.modules:
        return cast("type", importlib.import_module("pyhelm3.command").Command)
    spec = importlib.util.find_spec("pyhelm3")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("pyhelm3 is not installed", name="pyhelm3")
    package = ModuleType("pyhelm3")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["pyhelm3"] = package
    try:
        return cast("type", importlib.import_module("pyhelm3.command").Command)
    finally:
        del sys.modules["pyhelm3"]


if TYPE_CHECKING:
    from pyhelm3.command import Command
else:
    Command = _command_class()


class Halt:
    """Ends a waiting Helm. Helm then marks its release as failed, as after its timeout."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.called = False

    def __call__(self) -> bool:
        """Ask Helm to end. Return False if it has already ended."""
        if self.process is None or self.process.returncode is not None:
            return False
        self.called = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        return True


class Running(Command):
    """Helm's program with its settings. Every call may raise HelmError, Refused, InvalidInput or a subclass of these.

    A connection setting that is None, such as ``kube_token``, is left to Helm: its environment variables, KUBECONFIG,
    or the service account of the pod in which it runs.
    """

    def __init__(
        self,
        *,
        executable: str | os.PathLike[str] | None = None,
        kubeconfig: str | os.PathLike[str] | None = None,
        kube_context: str | None = None,
        kube_apiserver: str | None = None,
        kube_token: str | None = None,
    ) -> None:
        super().__init__(executable=str(executable) if executable is not None else find())
        settings = {
            "KUBECONFIG": os.fspath(kubeconfig) if kubeconfig is not None else None,
            "HELM_KUBECONTEXT": kube_context,
            "HELM_KUBEAPISERVER": kube_apiserver,
            "HELM_KUBETOKEN": kube_token,
        }
        self._environment = environment({key: value for key, value in settings.items() if value is not None})
        # Secrets to redact in everything that Helm writes.
        self._secrets = tuple(filter(None, [self._environment.get("HELM_KUBETOKEN")]))
        learn(self._secrets)
        self._version: semver.Version | None = None
        #: The kind of object in which Helm keeps releases: `secret` by default.
        self.driver = self._environment.get("HELM_DRIVER") or "secret"
        #: Its connection settings, as environment variables.
        self.settings = {
            key: value for key, value in self._environment.items() if key.startswith(("HELM_KUBE", "KUBECONFIG"))
        }
        #: Numbers of the file descriptors that every Helm process inherits (see releases/stores/holding.py).
        self.keeps: tuple[int, ...] = ()

    async def run(
        self,
        command: Sequence[object],
        input: bytes | None = None,  # noqa: A002 - pyhelm3's word
        meanwhile: Callable[[], object] | None = None,
        halt: Halt | None = None,
    ) -> bytes:
        """Run Helm and return its output. A cancelled call ends its Helm before it returns.

        meanwhile: is called while Helm works on its input. halt: the caller can use it to end Helm early, as Helm's
        timeout would.
        """
        await self.version()
        async with self._begun(command, takes_input=input is not None) as process:
            release, chart = _release_of(command), _chart_of(command)
            return await self._end(process, input, meanwhile, halt, release=release, chart=chart)

    async def version(self) -> semver.Version:
        """Return Helm's version. Raises HelmTooOld for one that is older than Sidelane supports."""
        if self._version is None:
            self._version = known_version(self._executable)
        if self._version is None:
            async with self._begun(["version", "--template", "{{ .Version }}"]) as process:
                stdout, stderr = await process.communicate()
                if process.returncode:
                    why = stderr.decode(errors="replace").strip() or f"its exit code is {process.returncode}"
                    raise HelmNotFound(f"{self._executable!r} does not run: {why}", remedy=REMEDY)
            self._version = accept(self._executable, stdout.decode(errors="replace"))
        return self._version

    @asynccontextmanager
    async def _begun(
        self, command: Sequence[object], *, takes_input: bool = False
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start a Helm that runs no longer than the block."""
        arguments = [str(part) for part in command]
        log.debug("helm %s", redact(" ".join(arguments)))
        helm = begun(
            self._executable,
            arguments,
            of_command(arguments, self._environment),
            opening=_OPENING if takes_input else b"",
            keeps=self.keeps,
            tied=arguments[0] in ("rollback", "uninstall"),
        )
        async with AsyncExitStack() as stack:
            try:
                process = await stack.enter_async_context(helm)
            except OSError as error:
                problem = f"the helm at {self._executable!r} can't be run: {error.strerror}"
                raise HelmNotFound(problem, remedy=REMEDY) from None
            yield process

    async def _end(
        self,
        process: asyncio.subprocess.Process,
        input: bytes | None,  # noqa: A002
        meanwhile: Callable[[], object] | None = None,
        halt: Halt | None = None,
        *,
        release: str = "",
        chart: str = "",
    ) -> bytes:
        """Write the values after their opening, wait for Helm's end and return its output.

        release, chart: those that Helm works on, for errors.
        """
        if halt is not None:
            halt.process = process
        if process.stdin is not None and input is not None:
            process.stdin.write(input.removeprefix(_OPENING))
            process.stdin.close()
            await asyncio.sleep(0)  # the event loop closes the pipe in its next iteration
        if meanwhile is not None:
            meanwhile()
        try:
            stdout, stderr = await process.communicate()
        except BaseException:  # Helm must have ended before the caller receives the error
            if process.returncode is None:
                await stop(process)
            raise
        if process.returncode:
            from sidelane.helm.failures import explain  # noqa: PLC0415 - a successful call does not need it

            error = explain(stderr.decode(errors="replace"), process.returncode, self._secrets, release, chart)
            raise self._without_kubeconfig(error)
        return stdout

    def _without_kubeconfig(self, error: SidelaneError) -> SidelaneError:
        """Return the error, and name the missing kubeconfig if it is the cause, which Helm itself does not report."""
        named = list(filter(None, self._environment.get("KUBECONFIG", "").split(os.pathsep)))
        may = isinstance(error, ClusterUnreachable) or (isinstance(error, InvalidInput) and "context" in error.problem)
        if not may or not named or any(map(os.path.exists, named)) or self._environment.get("HELM_KUBEAPISERVER"):
            return error
        return type(error)(
            f"{error.problem}: the kubeconfig {', '.join(map(repr, named))} is missing",
            remedy="give an existing one with --kubeconfig or KUBECONFIG; --directory needs no cluster",
        )


#: The beginning of each document of values. If this process or the pipe ends early, Helm must not read an empty
#: document and use the chart's default values. An open brace alone is invalid.
_OPENING: Final = b"{"


def _release_of(command: Sequence[object]) -> str:
    """Return the name of the release that a Helm command works on, or empty text."""
    if command[0] in ("history", "rollback", "status", "uninstall", "upgrade"):
        return str(command[1])
    return str(command[2]) if command[0] == "get" else ""


def _chart_of(command: Sequence[object]) -> str:
    """Return the chart that a Helm command renders, or empty text."""
    return str(command[2]) if command[0] in ("template", "upgrade") else ""

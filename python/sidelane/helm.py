"""The only door to Helm: one subclass of pyhelm3's Command.

What it changes in pyhelm3, and why:

- no shell, and a helm that dies with its caller: a cancelled or killed call leaves no install running;
- a token goes to Helm by its environment, never by an argument list that every user of the machine can read;
- `install` creates and never upgrades; `list` lists every release; `template` gives Helm's own text;
- an error is told by what it means, not by Helm's exit code (helm_failures.py).
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import semver

from sidelane import helm_program
from sidelane.errors import HelmNotFound

#: How long a Helm that was told to stop may take to write down that it was cancelled, in seconds.
GRACE = 10.0

log = logging.getLogger(__name__)


def _command_class() -> type:
    """pyhelm3's Command, without its pydantic models.

    Importing the package takes three times as long as importing what is needed of it. The module is put in place as
    the import system would, so a script that imports pyhelm3 itself gets all of it, with this very class.
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


class Helm(Command):
    """Helm, as asynchronous calls. Every call raises one of HelmError's, Refused's or InvalidInput's family.

    ``kube_token`` and every other connection setting that is None is left to Helm: its own environment variables,
    KUBECONFIG, or the service account of the pod it runs in.
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
        super().__init__(executable=str(executable) if executable is not None else helm_program.find())
        settings = {
            "KUBECONFIG": os.fspath(kubeconfig) if kubeconfig is not None else None,
            "HELM_KUBECONTEXT": kube_context,
            "HELM_KUBEAPISERVER": kube_apiserver,
            "HELM_KUBETOKEN": kube_token,
        }
        self._environment = {**os.environ, **{key: value for key, value in settings.items() if value is not None}}
        # What must not be repeated, whatever Helm writes.
        self._secrets = tuple(filter(None, [self._environment.get("HELM_KUBETOKEN")]))
        self._version: semver.Version | None = None

    async def run(self, command: Sequence[object], input: bytes | None = None) -> bytes:  # noqa: A002
        """Runs Helm and returns what it prints. A cancelled call ends its helm before it returns."""
        await self.version()
        code, stdout, stderr = await self._execute([str(part) for part in command], input)
        if code != 0:
            from sidelane.helm_failures import explain  # noqa: PLC0415 - a table that a call that goes well needs not

            raise explain(stderr.decode(errors="replace"), code, self._secrets)
        return stdout

    async def version(self) -> semver.Version:
        """The Helm's version. Raises HelmTooOld when it is not one that Sidelane is tested with."""
        if self._version is None:
            self._version = helm_program.known_version(self._executable)
        if self._version is None:
            _, stdout, _ = await self._execute(["version", "--template", "{{ .Version }}"], None)
            self._version = helm_program.accept(self._executable, stdout.decode(errors="replace"))
        return self._version

    async def _execute(self, arguments: list[str], input: bytes | None) -> tuple[int, bytes, bytes]:  # noqa: A002
        log.debug("helm %s", " ".join(arguments))
        try:
            process = await asyncio.create_subprocess_exec(
                self._executable,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                preexec_fn=_dies_with(os.getpid()),
            )
        except OSError as error:
            problem = f"the helm at {self._executable!r} can't be run: {error.strerror}"
            raise HelmNotFound(problem, remedy=helm_program.REMEDY) from None
        try:
            stdout, stderr = await process.communicate(input)
        except BaseException:
            await _stop(process)
            raise
        return cast("int", process.returncode), stdout, stderr

    # -- what Sidelane asks of Helm; each names the Helm command that it is --------------------------------------

    async def template_text(
        self,
        release: str,
        chart: str | Path,
        values: Mapping[str, Any],
        *,
        namespace: str | None = None,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        server: bool = False,
    ) -> str:
        """`helm template`: the manifest, with hooks, as Helm prints it. server: let the chart ask the cluster."""
        command = ["template", release, str(chart), "--values", "-", *_in(namespace)]
        if server:
            # Helm 3 has the cluster's version and APIs from the first flag and its objects from the second; in Helm 4
            # the second is all of it, and refuses the first.
            command += ["--dry-run=server", *(["--validate"] if (await self.version()).major == 3 else [])]
        if kube_version:
            command += ["--kube-version", kube_version]
        for api_version in api_versions:
            command += ["--api-versions", api_version]
        return (await self.run(command, _document(values))).decode()

    async def install(
        self,
        release: str,
        chart: str | Path,
        values: Mapping[str, Any],
        *,
        namespace: str | None = None,
        create_namespace: bool = False,
        labels: Mapping[str, str] | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
    ) -> dict[str, Any]:
        """`helm install`: creates the release and nothing else; a release of that name that is there is an error."""
        command = ["install", release, str(chart), "--values", "-", "--output", "json", *_in(namespace)]
        if create_namespace:
            command.append("--create-namespace")
        if labels:
            command += ["--labels", ",".join(f"{key}={value}" for key, value in labels.items())]
        command += _patience(wait=wait, timeout=timeout, rollback_on_failure=rollback_on_failure)
        return _json(await self.run(command, _document(values)))

    async def upgrade(
        self,
        release: str,
        chart: str | Path,
        values: Mapping[str, Any],
        *,
        namespace: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        rollback_on_failure: bool = False,
    ) -> dict[str, Any]:
        """`helm upgrade` with exactly these values: a release that is not there is an error."""
        command = ["upgrade", release, str(chart), "--reset-values", "--values", "-", "--output", "json"]
        command += _in(namespace)
        command += _patience(wait=wait, timeout=timeout, rollback_on_failure=rollback_on_failure)
        return _json(await self.run(command, _document(values)))

    async def status(self, release_name: str, *, namespace: str | None = None, objects: bool = False) -> dict[str, Any]:
        """`helm status`: the release, and with ``objects`` what the cluster has of it now."""
        command = ["status", release_name, "--output", "json", *_in(namespace)]
        if objects and (await self.version()).major == 3:
            command.append("--show-resources")  # Helm 4 always does, and has no such flag
        return _json(await self.run(command))

    async def list_all(
        self, *, namespace: str | None = None, all_namespaces: bool = False, selector: str | None = None
    ) -> list[dict[str, Any]]:
        """`helm list`: every release in every state but superseded revisions, however many, in one call."""
        command = ["list", "--max", "0", "--output", "json", *_in(namespace)]
        # Helm 3 shows what runs unless asked for more, and Helm 4 has no --all: each state is asked for.
        command += ["--deployed", "--failed", "--pending", "--uninstalled", "--uninstalling"]
        if all_namespaces:
            command.append("--all-namespaces")
        if selector:
            command += ["--selector", selector]
        return cast("list[dict[str, Any]]", json.loads(await self.run(command)))


def _in(namespace: str | None) -> list[str]:
    return ["--namespace", namespace] if namespace else []


def _patience(*, wait: bool, timeout: str | None, rollback_on_failure: bool) -> list[str]:
    flags = ["--wait"] if wait else []
    if timeout:
        flags += ["--timeout", timeout]
    if rollback_on_failure:
        flags.append("--atomic")  # the name that both Helm 3 and Helm 4 take
    return flags


def _document(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values).encode()


def _json(stdout: bytes) -> dict[str, Any]:
    # Helm 4 prints what it pulled from an OCI registry in front of the JSON.
    return cast("dict[str, Any]", json.loads(stdout[stdout.index(b"{") :]))


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ends a helm: asked first, so that it marks its release as failed, and then made to."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE):
            await process.communicate()
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()


def _dies_with(parent: int) -> Any:
    """What a new helm does before it begins: on Linux it asks to be told to stop when its parent is gone (prctl(2))."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask

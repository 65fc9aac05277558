"""The only door to Helm: one subclass of pyhelm3's Command.

What it changes in pyhelm3, and why:

- no shell, and a helm that dies with its caller: a cancelled or killed call leaves no install running;
- a token goes to Helm by its environment, never by an argument list that every user of the machine can read;
- `install` creates and never upgrades; `list` lists every release; `template` gives Helm's own text;
- an error is told by what it means, not by Helm's exit code (failures.py);
- the values that Helm says it used are compared with those that it was given (values.py).
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import semver

from sidelane.errors import (
    ChartNotFound,
    ClusterDenied,
    ClusterUnreachable,
    HelmError,
    HelmNotFound,
    InvalidInput,
    SidelaneError,
)
from sidelane.helm import repositories
from sidelane.helm.executable import REMEDY, accept, find, known_version
from sidelane.helm.flags import USUAL, Flags, namespaced, patience
from sidelane.helm.process import begun, stop
from sidelane.helm.values import document, require_used
from sidelane.support.redaction import learn, redact

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


class Halt:
    """Ends a Helm that waits. It marks its release as failed, as it does after its timeout."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.called = False

    def __call__(self) -> bool:
        """Asks Helm to end. Returns False when it has ended already."""
        if self.process is None or self.process.returncode is not None:
            return False
        self.called = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        return True


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
        super().__init__(executable=str(executable) if executable is not None else find())
        settings = {
            "KUBECONFIG": os.fspath(kubeconfig) if kubeconfig is not None else None,
            "HELM_KUBECONTEXT": kube_context,
            "HELM_KUBEAPISERVER": kube_apiserver,
            "HELM_KUBETOKEN": kube_token,
        }
        self._environment = {
            # Go collects garbage each time that its heap has doubled, which is most of the time in a program as short
            # as Helm: letting it grow to five times as much takes a fifth of Helm's processor time away.
            "GOGC": "400",
            **os.environ,
            # With HELM_DEBUG Helm writes a stack where its error should be.
            "HELM_DEBUG": "false",
            **{key: value for key, value in settings.items() if value is not None},
        }
        # What must not be repeated, whatever Helm writes.
        self._secrets = tuple(filter(None, [self._environment.get("HELM_KUBETOKEN")]))
        learn(self._secrets)
        self._version: semver.Version | None = None
        #: Its connection settings, as environment variables.
        self.settings = {
            key: value for key, value in self._environment.items() if key.startswith(("HELM_KUBE", "KUBECONFIG"))
        }
        #: File descriptors that every Helm keeps open, by their numbers (see releases/stores/holding.py).
        self.keeps: tuple[int, ...] = ()

    async def run(
        self,
        command: Sequence[object],
        input: bytes | None = None,  # noqa: A002 - pyhelm3's word
        meanwhile: Callable[[], object] | None = None,
        halt: Halt | None = None,
    ) -> bytes:
        """Runs Helm and returns what it prints. A cancelled call ends its helm before it returns.

        ``meanwhile`` is called while Helm works on its input; ``halt`` may be, to end it as its timeout would.
        """
        await self.version()
        async with self._begun(command, takes_input=input is not None) as process:
            return await self._end(process, input, meanwhile, halt, release=_release_of(command))

    async def version(self) -> semver.Version:
        """The Helm's version. Raises HelmTooOld when it is not one that Sidelane is tested with."""
        if self._version is None:
            self._version = known_version(self._executable)
        if self._version is None:
            async with self._begun(["version", "--template", "{{ .Version }}"]) as process:
                stdout, stderr = await process.communicate()
                if process.returncode:
                    why = stderr.decode(errors="replace").strip() or f"it ended with {process.returncode}"
                    raise HelmNotFound(f"{self._executable!r} does not run: {why}", remedy=REMEDY)
            self._version = accept(self._executable, stdout.decode(errors="replace"))
        return self._version

    @asynccontextmanager
    async def _begun(
        self, command: Sequence[object], *, takes_input: bool = False
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A Helm that runs for as long as the block does."""
        arguments = [str(part) for part in command]
        log.debug("helm %s", redact(" ".join(arguments)))
        helm = begun(self._executable, arguments, self._environment, takes_input=takes_input, keeps=self.keeps)
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
    ) -> bytes:
        """Gives a Helm its input, and waits for its end and what it prints. release: that it works on, for errors."""
        if halt is not None:
            halt.process = process
        if process.stdin is not None and input is not None:
            process.stdin.write(input)
            process.stdin.close()
            await asyncio.sleep(0)  # the pipe is closed in the loop's next round
        if meanwhile is not None:
            meanwhile()
        try:
            stdout, stderr = await process.communicate()
        except BaseException:  # whoever is told of it finds no Helm at work any more
            if process.returncode is None:
                await stop(process)
            raise
        if process.returncode:
            from sidelane.helm.failures import explain  # noqa: PLC0415 - a call that goes well needs none of it

            error = explain(stderr.decode(errors="replace"), process.returncode, self._secrets, release)
            raise self._without_kubeconfig(error)
        return stdout

    def _without_kubeconfig(self, error: SidelaneError) -> SidelaneError:
        """The error, with the kubeconfig that is missing where that is why: Helm itself does not say so."""
        named = list(filter(None, self._environment.get("KUBECONFIG", "").split(os.pathsep)))
        may = isinstance(error, ClusterUnreachable) or (isinstance(error, InvalidInput) and "context" in error.problem)
        if not may or not named or any(map(os.path.exists, named)) or self._environment.get("HELM_KUBEAPISERVER"):
            return error
        return type(error)(
            f"{error.problem}: the kubeconfig {', '.join(map(repr, named))} is missing",
            remedy="name one that is there with --kubeconfig or KUBECONFIG; --directory needs no cluster",
        )

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
        asking: Literal["nothing", "install", "upgrade"] = "nothing",
        meanwhile: Callable[[], object] | None = None,
    ) -> str:
        """`helm template`: the manifest, with hooks, as Helm prints it. asking: let the chart ask the cluster, as an
        installation or an upgrade does, and tell it which of them this is.

        Its answer does not say which values Helm used: that they arrive rests on how they are written (values.py).
        What is installed is held against this text, and the values of an installation against Helm's answer.
        """
        command = ["template", release, str(chart), "--values", "-", *namespaced(namespace)]
        if asking != "nothing":
            # Helm 3 has the cluster's version and APIs from the first flag and its objects from the second; in Helm 4
            # the second is all of it, and refuses the first.
            command += ["--dry-run=server", *(["--validate"] if (await self.version()).major == 3 else [])]
        if asking == "upgrade":
            command.append("--is-upgrade")
        if kube_version:
            command += ["--kube-version", kube_version]
        for api_version in api_versions:
            command += ["--api-versions", api_version]
        return (await self.run(command, document(values), meanwhile)).decode()

    @asynccontextmanager
    async def installing(
        self,
        release: str,
        chart: str | Path,
        *,
        namespace: str | None = None,
        create_namespace: bool = False,
        take_ownership: bool = False,
        flags: Flags = USUAL,
    ) -> AsyncIterator[Callable[..., Awaitable[dict[str, Any]]]]:
        """`helm install`: creates the release and nothing else; a release of that name that is there is an error.

        The Helm of the block has begun and waits for its values: the block gives it these by calling what it gets, with
        a Halt if it may have to end it.
        A block that ends without that has installed nothing. So Helm's own start, a good part of its time, is over
        when the caller knows that it may install. take_ownership: objects that are there become the release's.
        """
        command = ["install", release, str(chart), "--values", "-", "--output", "json", *namespaced(namespace)]
        if create_namespace:
            command.append("--create-namespace")
        if take_ownership:
            command.append("--take-ownership")
        command += [_WITHOUT_SCHEMAS, *flags.words]
        await self.version()
        async with self._begun(command, takes_input=True) as process:
            # Values that end after their first byte are no values: whatever ends this process, or the pipe, Helm can't
            # take it for an empty document and install with the chart's own.
            cast("asyncio.StreamWriter", process.stdin).write(b"{")

            async def create(values: Mapping[str, Any], halt: Halt | None = None) -> dict[str, Any]:
                content = document(values).removeprefix(b"{")
                answer = _json(await self._end(process, content, halt=halt, release=release))
                require_used(values, answer)
                return answer

            yield create

    async def upgrade(
        self,
        release: str,
        chart: str | Path,
        values: Mapping[str, Any],
        *,
        namespace: str | None = None,
        flags: Flags = USUAL,
        history_max: int | None = None,
        over: Literal["", "changes", "owners", "hooks"] = "",
        halt: Halt | None = None,
    ) -> dict[str, Any]:
        """`helm upgrade` with exactly these values: a release that is not there is an error.

        history_max: how many revisions are kept. over: what does not stop it. ``changes``: what somebody else changed
        in its objects is taken back. ``owners``: fields that others own are taken over, which Helm 3 always does.
        ``hooks``: no hooks run, and objects are patched as Helm 3 does, whoever owns their fields.
        """
        command = ["upgrade", release, str(chart), "--reset-values", "--values", "-", "--output", "json"]
        command += [_WITHOUT_SCHEMAS, *namespaced(namespace), *flags.words]
        command += ["--history-max", str(history_max)] if history_max is not None else []
        helm3 = (await self.version()).major == 3
        if over == "changes":
            # Helm 3 replaces objects in the place of patching them; Helm 4 takes over the fields that others own, which
            # is done on the server alone, and a release that Helm 3 made is else patched by the client.
            command += ["--force"] if helm3 else ["--force-conflicts", "--server-side=true"]
        elif over == "owners" and not helm3:
            command += ["--force-conflicts", "--server-side=true"]
        command += await self._patching() if over == "hooks" else []
        answer = _json(await self.run(command, document(values), halt=halt))
        require_used(values, answer)
        return answer

    async def _patching(self) -> list[str]:
        """No hooks; and changes are worked out here, from what Helm last deployed, what is there and what shall be."""
        return ["--no-hooks", *([] if (await self.version()).major == 3 else ["--server-side=false"])]

    async def rollback(
        self,
        release: str,
        revision: int,
        *,
        namespace: str | None = None,
        wait: bool = False,
        timeout: str | None = None,
        take_over: bool = False,
        patch: bool = False,
    ) -> None:
        """`helm rollback`: brings what a revision says to the cluster, as a new revision.

        take_over: take over fields that others own. patch: run no hooks, and patch objects as Helm 3 does.
        """
        command = ["rollback", release, str(revision), *namespaced(namespace)]
        if take_over and (await self.version()).major > 3:
            command += ["--force-conflicts", "--server-side=true"]
        command += await self._patching() if patch else []
        await self.run(command + patience(wait=wait, timeout=timeout))

    async def namespace(self) -> str:
        """`helm env HELM_NAMESPACE`: the namespace that Helm takes where none is named."""
        return (await self.run(["env", "HELM_NAMESPACE"])).decode().strip()

    async def history(self, release: str, *, namespace: str | None = None) -> list[dict[str, Any]]:
        """`helm history`: the revisions that are kept, at most the last 256, the oldest first."""
        command = ["history", release, "--output", "json", *namespaced(namespace)]
        return cast("list[dict[str, Any]]", json.loads(await self.run(command)))

    async def status(
        self,
        release_name: str,
        *,
        namespace: str | None = None,
        objects: bool = False,
        revision: int | None = None,
    ) -> dict[str, Any]:
        """`helm status`: the release, or what it was at a revision; with ``objects`` what the cluster has of it now."""
        command = ["status", release_name, "--output", "json", *namespaced(namespace)]
        command += ["--revision", str(revision)] if revision is not None else []
        if objects and (await self.version()).major == 3:
            command.append("--show-resources")  # Helm 4 always does, and has no such flag
        return _json(await self.run(command))

    async def fetch(self, chart: str, into: Path, *, repo: str | None = None, version: str | None = None) -> None:
        """`helm pull`: a chart of a repository or registry, unpacked into a folder. Raises ChartNotFound."""
        repositories.require_open(chart)
        options = ["--untar", "--destination", str(into), *(["--version", version] if version else [])]
        try:
            if repo and repositories.is_private(repo):
                with repositories.configured(repo) as flags:
                    await self._update(repo, flags)
                    await self.run(["pull", f"{repositories.NAME}/{chart}", *options, *flags])
            else:
                await self.run(["pull", chart, *(["--repo", repo] if repo else []), *options])
        except (ClusterUnreachable, ClusterDenied) as error:  # the words are the same, and here they are of a registry
            what = "does not answer" if isinstance(error, ClusterUnreachable) else "does not accept these credentials"
            host = urlsplit(repo or chart).netloc.rpartition("@")[2]
            login = f", and log in with `helm registry login {host}`" if host and chart.startswith("oci://") else ""
            raise ChartNotFound(
                f"the repository or registry of the chart {chart!r} {what}", remedy=f"check its address{login}"
            ) from None

    async def _update(self, repo: str, flags: Sequence[str]) -> None:
        """`helm repo update`: fetches a repository's index. Raises ChartNotFound; Helm does not say why it failed."""
        fails = ["--fail-on-repo-update-fail"] if (await self.version()).major == 3 else []  # Helm 4 always does
        try:
            await self.run(["repo", "update", *flags, *fails])
        except HelmError:
            host = urlsplit(repo).netloc.rpartition("@")[2]
            raise ChartNotFound(
                f"the chart repository at {host!r} does not answer, or does not accept these credentials",
                remedy="check the address, the user and the password in it",
            ) from None

    async def package(self, chart: Path, into: Path) -> Path:
        """`helm package`: a chart's folder as one file, without what its .helmignore names."""
        await self.run(["package", str(chart), "--destination", str(into)])
        (made,) = into.iterdir()
        return made

    async def metadata(self, release_name: str, *, namespace: str | None = None) -> dict[str, Any]:
        """`helm get metadata`: the chart's name and versions, which `helm status` leaves out."""
        return _json(await self.run(["get", "metadata", release_name, "--output", "json", *namespaced(namespace)]))

    async def list_all(
        self, *, namespace: str | None = None, all_namespaces: bool = False, selector: str = ""
    ) -> list[dict[str, Any]]:
        """`helm list`: every release in every state but superseded revisions, however many, in one call. selector: of
        the releases' labels, in Kubernetes' words.
        """
        command = ["list", "--max", "0", "--output", "json", *namespaced(namespace)]
        # Helm 3 shows what runs unless asked for more, and Helm 4 has no --all: each state is asked for.
        command += ["--deployed", "--failed", "--pending", "--uninstalled", "--uninstalling"]
        if all_namespaces:
            command.append("--all-namespaces")
        if selector:
            command += ["--selector", selector]
        return cast("list[dict[str, Any]]", json.loads(await self.run(command)))


#: Kubernetes 1.25 and newer hold fields to their schemas themselves, and Helm then does not: but it still fetches and
#: reads the schemas first, which is half of the time of an install. Objects that say no apiVersion or kind, which is
#: all that is left to Helm to find, are refused when a manifest is read.
_WITHOUT_SCHEMAS = "--disable-openapi-validation"


def _release_of(command: Sequence[object]) -> str:
    """The release that a command of Helm's works on, empty where it is none."""
    if command[0] in ("history", "rollback", "status", "uninstall", "upgrade"):
        return str(command[1])
    return str(command[2]) if command[0] == "get" else ""


def _json(stdout: bytes) -> dict[str, Any]:
    # Helm 4 prints what it pulled from an OCI registry in front of the JSON.
    try:
        return cast("dict[str, Any]", json.loads(stdout[stdout.index(b"{") :]))
    except ValueError:
        raise HelmError("Helm's answer is no JSON", remedy="see what the helm on PATH is") from None

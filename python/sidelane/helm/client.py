"""The Helm client: one subclass of pyhelm3's Command, and the only access to Helm.

It changes pyhelm3 in these points:

- no shell, and Helm ends with its caller: a cancelled or killed call leaves no install running;
- a token goes to Helm in the environment, never in an argument list, which every user of the machine can read;
- `install` creates and never upgrades; `list` lists every release; `template` returns Helm's own text;
- errors come from Helm's messages, not from its exit code (failures.py);
- the values that Helm reports as used are compared with the given ones (values.py).
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
from typing import TYPE_CHECKING, Any, Final, Literal, cast
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


class Helm(Command):
    """Helm, as asynchronous calls. Every call may raise HelmError, Refused, InvalidInput or a subclass of these.

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
        self._environment = {
            # By default Go collects garbage each time that the heap has doubled, which is often in a short program. A
            # heap that may grow five times saves a fifth of Helm's processor time.
            "GOGC": "400",
            **os.environ,
            # With HELM_DEBUG, Helm writes a stack trace instead of its error.
            "HELM_DEBUG": "false",
            **{key: value for key, value in settings.items() if value is not None},
        }
        # Secrets to redact in everything that Helm writes.
        self._secrets = tuple(filter(None, [self._environment.get("HELM_KUBETOKEN")]))
        learn(self._secrets)
        self._version: semver.Version | None = None
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
            return await self._end(process, input, meanwhile, halt, release=_release_of(command))

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
            self._environment,
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
    ) -> bytes:
        """Write the values after their opening, wait for Helm's end and return its output.

        release: the release's name, for errors.
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

            error = explain(stderr.decode(errors="replace"), process.returncode, self._secrets, release)
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

    # -- calls to Helm; each docstring names the Helm command ------------------------------------------------------

    async def template_text(
        self,
        release: str,
        chart: str | Path,
        values: Mapping[str, Any],
        *,
        namespace: str | None = None,
        flags: Sequence[str] = (),
        asking: Literal["nothing", "install", "upgrade"] = "nothing",
        meanwhile: Callable[[], object] | None = None,
    ) -> str:
        """`helm template`: return the manifest with hooks, as Helm prints it.

        flags: more of Helm's, such as --kube-version. asking: let the chart query the cluster, as in an installation or
        an upgrade. Helm's output does not report the values that it used; values.py writes them so that they arrive
        unchanged. After an installation, the result is compared with this text, and the values with Helm's report.
        """
        command = ["template", release, str(chart), "--values", "-", *namespaced(namespace)]
        if asking != "nothing":
            # Helm 3 needs --validate for the cluster's version and APIs, and --dry-run=server for its objects. Helm 4
            # does both with --dry-run=server, and refuses the two flags together.
            command += ["--dry-run=server", *(["--validate"] if (await self.version()).major == 3 else [])]
            command.append(_WITHOUT_SCHEMAS)
        if asking == "upgrade":
            command.append("--is-upgrade")
        command += flags
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
        """`helm install`: create a release. An existing release of that name is an error.

        Helm has started when the block begins and waits for its values. The block receives a function and calls it
        with the values, and with a Halt if it may have to end Helm. A block that does not call it installs nothing.
        So Helm's start, a large part of its time, overlaps with the caller's own checks. take_ownership: existing
        objects become the release's.
        """
        command = ["install", release, str(chart), "--values", "-", "--output", "json", *namespaced(namespace)]
        if create_namespace:
            command.append("--create-namespace")
        if take_ownership:
            command.append("--take-ownership")
        command += [_WITHOUT_SCHEMAS, *flags.words]
        await self.version()
        async with self._begun(command, takes_input=True) as process:

            async def create(values: Mapping[str, Any], halt: Halt | None = None) -> dict[str, Any]:
                answer = _json(await self._end(process, document(values), halt=halt, release=release))
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
        """`helm upgrade` with exactly these values. A missing release is an error.

        history_max: the number of revisions to keep. over: an obstacle to override. ``changes``: revert changes by
        others to the objects. ``owners``: take over fields that others own, which Helm 3 always does. ``hooks``: run no
        hooks, and patch objects as Helm 3 does, regardless of the fields' owners.
        """
        command = ["upgrade", release, str(chart), "--reset-values", "--values", "-", "--output", "json"]
        command += [_WITHOUT_SCHEMAS, *namespaced(namespace), *flags.words]
        command += ["--history-max", str(history_max)] if history_max is not None else []
        helm3 = (await self.version()).major == 3
        if over == "changes":
            # Helm 3 replaces objects instead of patching them. Helm 4 takes over the fields that others own, which only
            # works with server-side apply; without the flag it patches a release from Helm 3 on the client.
            command += ["--force"] if helm3 else ["--force-conflicts", "--server-side=true"]
        elif over == "owners" and not helm3:
            command += ["--force-conflicts", "--server-side=true"]
        command += await self._patching() if over == "hooks" else []
        answer = _json(await self.run(command, document(values), halt=halt))
        require_used(values, answer)
        return answer

    async def _patching(self) -> list[str]:
        """Return the flags for no hooks and for client-side patches: from the last, the live and the new objects."""
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
        """`helm rollback`: deploy the content of a revision as a new revision.

        take_over: take over fields that others own. patch: run no hooks, and patch objects as Helm 3 does.
        """
        command = ["rollback", release, str(revision), *namespaced(namespace)]
        if take_over and (await self.version()).major > 3:
            command += ["--force-conflicts", "--server-side=true"]
        command += await self._patching() if patch else []
        await self.run(command + patience(wait=wait, timeout=timeout))

    async def namespace(self) -> str:
        """`helm env HELM_NAMESPACE`: return Helm's default namespace."""
        from sidelane.helm import kubeconfig  # noqa: PLC0415 - few calls need it

        return kubeconfig.namespace(self._environment) or (await self.run(["env", "HELM_NAMESPACE"])).decode().strip()

    async def history(self, release: str, *, namespace: str | None = None) -> list[dict[str, Any]]:
        """`helm history`: return the stored revisions, at most the last 256, the oldest first."""
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
        """`helm status`: return the release, or one revision of it. objects: include its live objects."""
        command = ["status", release_name, "--output", "json", *namespaced(namespace)]
        command += ["--revision", str(revision)] if revision is not None else []
        if objects and (await self.version()).major == 3:
            command.append("--show-resources")  # Helm 4 always does, and has no such flag
        return _json(await self.run(command))

    async def fetch(self, chart: str, into: Path, *, repo: str | None = None, version: str | None = None) -> None:
        """`helm pull`: fetch a chart from a repository or registry into a folder, unpacked. Raises ChartNotFound."""
        repositories.require_open(chart)
        options = ["--untar", "--destination", str(into), *(["--version", version] if version else [])]
        try:
            if repo and repositories.is_private(repo):
                with repositories.configured(repo) as flags:
                    await self._update(repo, flags)
                    await self.run(["pull", f"{repositories.NAME}/{chart}", *options, *flags])
            else:
                await self.run(["pull", chart, *(["--repo", repo] if repo else []), *options])
        except (ClusterUnreachable, ClusterDenied) as error:  # Helm's words are the same; here a registry is meant
            what = "does not answer" if isinstance(error, ClusterUnreachable) else "does not accept these credentials"
            host = urlsplit(repo or chart).netloc.rpartition("@")[2]
            login = f", and log in with `helm registry login {host}`" if host and chart.startswith("oci://") else ""
            raise ChartNotFound(
                f"the repository or registry of the chart {chart!r} {what}", remedy=f"check its address{login}"
            ) from None

    async def _update(self, repo: str, flags: Sequence[str]) -> None:
        """`helm repo update`: fetch a repository's index. Raises ChartNotFound; Helm does not report the cause."""
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
        """`helm package`: pack a chart's folder into one file, without the files in its .helmignore."""
        await self.run(["package", str(chart), "--destination", str(into)])
        (made,) = into.iterdir()
        return made

    async def metadata(self, release_name: str, *, namespace: str | None = None) -> dict[str, Any]:
        """`helm get metadata`: return the chart's name and versions, which `helm status` lacks."""
        return _json(await self.run(["get", "metadata", release_name, "--output", "json", *namespaced(namespace)]))

    async def list_all(
        self, *, namespace: str | None = None, all_namespaces: bool = False, selector: str = ""
    ) -> list[dict[str, Any]]:
        """`helm list`: return every release in every state, without superseded revisions, in one call.

        selector: a Kubernetes label selector on the releases' labels.
        """
        command = ["list", "--max", "0", "--output", "json", *namespaced(namespace)]
        # By default Helm 3 lists deployed releases only, and Helm 4 has no --all, so each state is requested.
        command += ["--deployed", "--failed", "--pending", "--uninstalled", "--uninstalling"]
        if all_namespaces:
            command.append("--all-namespaces")
        if selector:
            command += ["--selector", selector]
        return cast("list[dict[str, Any]]", json.loads(await self.run(command)))


#: The beginning of each document of values. If this process or the pipe ends early, Helm must not read an empty
#: document and use the chart's default values. An open brace alone is invalid.
_OPENING: Final = b"{"

#: Kubernetes 1.25 and newer validate fields themselves, and Helm then does not. But Helm still fetches and reads the
#: schemas first, which takes half of the time of an install, or of rendering with the cluster's objects. Helm's
#: validation would only find objects without an apiVersion or kind, and these are refused when the manifest is read.
_WITHOUT_SCHEMAS = "--disable-openapi-validation"


def _release_of(command: Sequence[object]) -> str:
    """Return the name of the release that a Helm command works on, or empty text."""
    if command[0] in ("history", "rollback", "status", "uninstall", "upgrade"):
        return str(command[1])
    return str(command[2]) if command[0] == "get" else ""


def _json(stdout: bytes) -> dict[str, Any]:
    # Helm 4 prints the artifact that it pulled from an OCI registry before the JSON.
    try:
        return cast("dict[str, Any]", json.loads(stdout[stdout.index(b"{") :]))
    except ValueError:
        raise HelmError("Helm's output is not JSON", remedy="check the helm on PATH") from None

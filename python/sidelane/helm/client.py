"""The Helm client: each of Helm's commands that Sidelane uses, as an asynchronous call.

It differs from pyhelm3: `install` creates and never upgrades; `list` lists every release; `template` returns Helm's own
text; and the values that Helm reports as used are compared with the given ones (values.py).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from sidelane.errors import ChartNotFound, ClusterDenied, ClusterUnreachable, HelmError
from sidelane.helm import repositories
from sidelane.helm.flags import USUAL, Flags, namespaced, patience
from sidelane.helm.running import Halt, Running
from sidelane.helm.values import document, require_used

#: Kubernetes 1.25 and newer validate fields themselves, and Helm then does not. But Helm still fetches and reads the
#: schemas first, which takes half of the time of an install, or of rendering with the cluster's objects. Helm's
#: validation would only find objects without an apiVersion or kind, and these are refused when the manifest is read.
_WITHOUT_SCHEMAS: Final = "--disable-openapi-validation"


class Helm(Running):
    """Helm, as asynchronous calls; each docstring names the Helm command. See Running for settings and errors."""

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
                answer = _json(await self._end(process, document(values), halt=halt, release=release, chart=str(chart)))
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


def _json(stdout: bytes) -> dict[str, Any]:
    # Helm 4 prints the artifact that it pulled from an OCI registry before the JSON.
    try:
        return cast("dict[str, Any]", json.loads(stdout[stdout.index(b"{") :]))
    except ValueError:
        raise HelmError("Helm's output is not JSON", remedy="check the helm on PATH") from None

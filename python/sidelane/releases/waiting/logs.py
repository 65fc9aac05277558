"""The last lines of containers' logs, from the API server, for containers whose termination message has none.

Helm reads no logs, so Sidelane calls the API server itself, with Kubernetes' Python client and Helm's connection
settings. It does so here, for permissions (stores/rights.py), and for events (routes/announcing.py). The client is
imported only when an object is not ready, before a removal, or in a shift.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sidelane.helm.client import Helm
from sidelane.releases.readiness import Cleaner, Container, Readiness, Unready
from sidelane.releases.readiness.cleaning import LINES

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, CoreV1Api

#: The most containers whose logs are read, the most bytes of each, and the most seconds for all of them.
CONTAINERS: Final = 5
BYTES: Final = 16 * 1024
SECONDS: Final = 20.0
_TIMES: Final = (3.0, 5.0)  # to connect, and for each read

#: States of containers without a log, because they have not started.
_NOT_BEGUN: Final = frozenset({
    "ContainerCreating", "PodInitializing", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "CreateContainerConfigError", "CreateContainerError", "ImageInspectError", "RegistryUnavailable",
})  # fmt: skip

Key = tuple[str, str, str]  # namespace, pod, container


async def added(helm: Helm, readiness: Readiness, clean: Cleaner) -> Readiness:
    """Returns the readiness with the last lines of logs, read for containers that lack them. Raises nothing."""
    wanted = [
        (unready.namespace, unready.name, container.name)
        for unready in readiness.unready
        for container in unready.containers
        if _lacks(container)
    ][:CONTAINERS]
    if not wanted:
        return readiness
    logs = await _read(helm, wanted, clean)
    return replace(readiness, unready=tuple(_with_logs(unready, logs) for unready in readiness.unready))


def _lacks(container: Container) -> bool:
    return not container.log and not (container.state == "waiting" and container.reason in _NOT_BEGUN)


def _with_logs(unready: Unready, logs: Mapping[Key, tuple[str, ...] | str]) -> Unready:
    containers = []
    for container in unready.containers:
        lines = logs.get((unready.namespace, unready.name, container.name))
        if isinstance(lines, str):
            containers.append(replace(container, log_problem=lines))
        else:
            containers.append(replace(container, log=lines) if lines else container)
    return replace(unready, containers=tuple(containers))


async def _read(helm: Helm, wanted: list[Key], clean: Cleaner) -> dict[Key, tuple[str, ...] | str]:
    """Returns the lines of each log, or the reason why there are none."""
    loop = asyncio.get_running_loop()
    logs: dict[Key, tuple[str, ...] | str] = {}
    done = asyncio.Event()

    def work() -> None:
        try:
            api = _api(helm.settings)
            for key in wanted:
                logs[key] = _log(api, key, clean)
        except Exception as error:  # noqa: BLE001 - a broken kubeconfig or plugin must not hide the wait's error
            for key in wanted:
                logs.setdefault(key, _why(error, clean))
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

    # A daemon thread: a credential plugin that hangs must not keep this process alive.
    threading.Thread(target=work, name="sidelane-logs", daemon=True).start()
    try:
        async with asyncio.timeout(SECONDS):
            await done.wait()
    except TimeoutError:
        return {key: logs.get(key, "the log was not read in time") for key in wanted}
    return logs


def _api(settings: Mapping[str, str]) -> CoreV1Api:
    from kubernetes import client  # noqa: PLC0415 - see the module's docstring

    return client.CoreV1Api(connected(settings))


def connected(settings: Mapping[str, str]) -> ApiClient:
    """Returns Kubernetes' client with Helm's own connection settings. A token stays in memory."""
    from kubernetes import client, config  # noqa: PLC0415 - see the module's docstring

    configuration = client.Configuration()
    files = [Path(file).expanduser() for file in (settings.get("KUBECONFIG") or "~/.kube/config").split(":") if file]
    if contents := {file: content for file in files if (content := _read_file(file))}:
        config.load_kube_config(
            ":".join(map(str, contents)),
            context=settings.get("HELM_KUBECONTEXT") or _context(contents.values()),
            client_configuration=configuration,
            persist_config=False,
        )
    elif not settings.get("HELM_KUBEAPISERVER"):
        config.load_incluster_config(client_configuration=configuration)
    if server := settings.get("HELM_KUBEAPISERVER"):
        configuration.host = server
    if authority := settings.get("HELM_KUBECAFILE"):
        configuration.ssl_ca_cert = authority
    if name := settings.get("HELM_KUBETLS_SERVER_NAME"):
        configuration.tls_server_name = name
    if settings.get("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "").lower() in ("1", "t", "true"):
        configuration.verify_ssl = False
    if token := settings.get("HELM_KUBETOKEN"):
        configuration.refresh_api_key_hook = None
        # Client 32 and older read the second.
        configuration.api_key = {"BearerToken": f"Bearer {token}", "authorization": f"Bearer {token}"}
        configuration.api_key_prefix = {}
    api = client.ApiClient(configuration)
    if user := settings.get("HELM_KUBEASUSER"):
        api.set_default_header("Impersonate-User", user)
    return api


def _read_file(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - see the module's docstring

    content = yaml.safe_load(path.read_bytes()) if path.is_file() else None
    return content if isinstance(content, dict) else {}


def _context(files: Iterable[Mapping[str, Any]]) -> str | None:
    """Returns the current context: the first of several files, as in Helm; the client would use the last one."""
    return next((str(context) for file in files if (context := file.get("current-context"))), None)


def _log(api: CoreV1Api, key: Key, clean: Cleaner) -> tuple[str, ...] | str:
    namespace, pod, container = key
    try:
        answer: Any = api.read_namespaced_pod_log(
            pod,
            namespace,
            container=container,
            tail_lines=2 * LINES,
            limit_bytes=BYTES,
            _preload_content=False,
            _request_timeout=_TIMES,
        )
        with answer:
            content = answer.read(BYTES)
    except Exception as error:  # noqa: BLE001 - see _read
        return _why(error, clean)
    text = content.decode(errors="replace")
    if len(content) >= BYTES:
        text = text[: text.rfind("\n") + 1]  # the last line was cut
    return clean.last_lines(text) or "it wrote nothing"


def _why(error: Exception, clean: Cleaner) -> str:
    status = getattr(error, "status", None)
    if status in (401, 403):
        return "the log can't be read: the API server refused it"
    if status == 404:
        return "the log can't be read: the pod is gone"
    reason = message_of(error) or type(error).__name__
    return f"the log can't be read: {clean.text(reason, 100)}"


def message_of(error: Exception) -> object:
    """Returns the message of the API server's Status, or the client's reason; None if there is neither."""
    body = getattr(error, "body", None)
    try:
        return json.loads(body)["message"] if isinstance(body, str | bytes) else getattr(error, "reason", None)
    except (ValueError, KeyError, TypeError):
        return getattr(error, "reason", None)

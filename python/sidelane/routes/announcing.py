"""Kubernetes Events about a shift, on the objects of its routes, so that `kubectl describe` shows them.

Events belong to no release, so Helm does not write them: Kubernetes' Python client does, with Helm's connection
settings (releases/waiting/logs.py), in a thread beside the shift. An event that can't be written never stops or delays
a shift, and is reported.
"""

from __future__ import annotations

import asyncio
import queue
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sidelane.releases.stores.holding import holder
from sidelane.routes.model import Route
from sidelane.support.harmless import in_line

#: The controller that the events name.
CONTROLLER: Final = "sidelane.dev"
#: The seconds to connect and to read one answer, and the most that the end of a shift waits for unwritten events.
_TIMES: Final = (3.0, 5.0)
_AT_THE_END: Final = 10.0
#: The most bytes of a note (events.k8s.io/v1).
_NOTE: Final = 1024
#: The mode of a route → the group, version, kind and resource of the object that leads requests, beside the Service.
_LEADING: Final = {
    "istio": ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    "gateway": ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
}


class Announcement(NamedTuple):
    """One event. reason: a word such as ``ShiftStep``. names: the routes, by their stable names, with their modes."""

    reason: str
    text: str
    warning: bool
    names: tuple[tuple[str, str], ...]

    @classmethod
    def on(cls, routes: Iterable[Route], reason: str, text: str, *, warning: bool = False) -> Announcement:
        """Returns an event on the objects of these routes."""
        return cls(reason, text, warning, tuple((route.name, route.mode) for route in routes))

    def regarding(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Returns the group, version, kind, resource and name of each object."""
        for name, mode in self.names:
            yield ("", "v1", "Service", "services", name)
            if mode in _LEADING:
                yield (*_LEADING[mode], name)


class Announcer:
    """Writes events to one namespace of a cluster. unwritten: a line for each announcement that failed."""

    def __init__(self, settings: Mapping[str, str], namespace: str) -> None:
        self._settings, self._namespace = settings, namespace
        self._waiting: queue.SimpleQueue[Announcement | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._given_up = False
        self.unwritten: list[str] = []

    def write(self, item: Announcement) -> None:
        """Writes an event on each object in the background, after the events before it."""
        if self._thread is None:
            # A daemon thread: a credential plugin that hangs must not keep this process alive.
            self._thread = threading.Thread(target=self._work, name="sidelane-events", daemon=True)
            self._thread.start()
        self._waiting.put(item)

    async def finish(self) -> tuple[str, ...]:
        """Waits for the unwritten events, for a limited time. Returns the failures."""
        if self._thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(self._thread.join, _AT_THE_END)
            if self._thread.is_alive():
                self._given_up = True
                self.unwritten.append("not all Kubernetes Events were written in time")
        return tuple(self.unwritten)

    def _work(self) -> None:
        writer: _Writer | None = None
        while (item := self._waiting.get()) is not None and not self._given_up:
            try:
                writer = writer or _Writer(self._settings, self._namespace)
                for regarding in item.regarding():
                    if self._given_up:
                        return
                    writer.write(item, regarding)
            except Exception as error:  # noqa: BLE001 - a broken kubeconfig or plugin must not end a shift
                status = getattr(error, "status", None)
                # Without a connection or the right nothing changes with the next event.
                self._given_up = writer is None or status in (401, 403)
                self.unwritten.append(f"no Kubernetes Event {item.reason}: {_why(error, self._namespace)}")


class _Writer:
    """Kubernetes' client, and the identifiers of the objects that it has read."""

    def __init__(self, settings: Mapping[str, str], namespace: str) -> None:
        from kubernetes import client  # noqa: PLC0415 - the import is slow

        from sidelane.releases.waiting.logs import connected  # noqa: PLC0415

        api = connected(settings)
        self._events, self._core, self._custom = (
            client.EventsV1Api(api),
            client.CoreV1Api(api),
            client.CustomObjectsApi(api),
        )
        self._namespace = namespace
        self._known: dict[tuple[str, str], str] = {}

    def write(self, item: Announcement, regarding: tuple[str, str, str, str, str]) -> None:
        """Writes one event. Raises the client's errors."""
        group, version, kind, _, name = regarding
        reference = {
            "apiVersion": f"{group}/{version}".lstrip("/"),
            "kind": kind,
            "name": name,
            "namespace": self._namespace,
            "uid": self._uid(regarding),  # `kubectl describe` looks for it
        }
        note = in_line(item.text, _NOTE).encode()[:_NOTE].decode(errors="ignore")
        body: Any = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.{secrets.token_hex(8)}", "namespace": self._namespace},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": f"sidelane-{holder().token}",
            "action": "Shift",
            "reason": item.reason,
            "type": "Warning" if item.warning else "Normal",
            "regarding": {key: value for key, value in reference.items() if value},
            "note": note,
        }
        self._events.create_namespaced_event(self._namespace, body, _preload_content=False, _request_timeout=_TIMES)

    def _uid(self, regarding: tuple[str, str, str, str, str]) -> str:
        group, version, kind, resource, name = regarding
        if (kind, name) not in self._known:
            if group:
                which = (group, version, self._namespace, resource, name)
                body: Any = self._custom.get_namespaced_custom_object(*which, _request_timeout=_TIMES)
                self._known[kind, name] = str(body["metadata"]["uid"])
            else:
                service: Any = self._core.read_namespaced_service(name, self._namespace, _request_timeout=_TIMES)
                self._known[kind, name] = str(service.metadata.uid)
        return self._known[kind, name]


def _why(error: Exception, namespace: str) -> str:
    status = getattr(error, "status", None)
    if status in (401, 403):
        return (
            f"no right to create events.events.k8s.io in namespace {namespace}, or to get the objects; "
            "the role router of the chart guard has it"
        )
    from sidelane.releases.waiting.logs import message_of  # noqa: PLC0415 - see _Writer

    return in_line(str(message_of(error) or type(error).__name__), 200)

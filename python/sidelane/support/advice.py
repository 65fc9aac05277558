"""Advised commands: each one works when pasted, because it names the namespace and cluster of the current call.

A text puts a command in backticks, such as `sidelane status zookeeper-coco-1`. Only this module adds the flags of the
connection to it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

# Patterns are strings: `re` compiles them only when advice is given, which is rare.
_COMMAND: Final = r"`((sidelane|helm|kubectl) [^`\n]+)`"

#: Each program's flags for the settings of a connection.
_FLAGS: Final = {
    "sidelane": {
        "namespace": ("-n", "--namespace"),
        "directory": ("--directory",),
        "kubeconfig": ("--kubeconfig",),
        "kube_context": ("--kube-context",),
        "kube_apiserver": ("--kube-apiserver",),
    },
    "helm": {
        "namespace": ("-n", "--namespace"),
        "kubeconfig": ("--kubeconfig",),
        "kube_context": ("--kube-context",),
        "kube_apiserver": ("--kube-apiserver",),
    },
    "kubectl": {
        "namespace": ("-n", "--namespace"),
        "kubeconfig": ("--kubeconfig",),
        "kube_context": ("--context",),
        "kube_apiserver": ("-s", "--server"),
    },
}

#: Commands that need no cluster, or no namespace.
_NO_CONNECTION: Final = r"(sidelane (charts|completion)|helm (package|registry|repo|search|show))\b"
_NO_NAMESPACE: Final = r"kubectl (config|create namespace)\b|.* (-A|--all-namespaces)\b"


class Place(NamedTuple):
    """The settings of a connection, as the client or the command line received them. None leaves a setting to Helm."""

    namespace: str | None = None
    directory: str | None = None
    kubeconfig: str | None = None
    kube_context: str | None = None
    kube_apiserver: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Place:
        """Select the connection's settings from those of a client or of the command line."""
        given = {name: settings.get(name) for name in cls._fields}
        return cls(**{name: None if value is None else os.fspath(value) for name, value in given.items()})

    def whole(self, text: str) -> str:
        """Return the text with the missing flags added to each command in backticks. Existing flags do not change."""
        return re.sub(_COMMAND, lambda match: f"`{match[1]}{self._missing(match[1], match[2])}`", text)

    def _missing(self, command: str, program: str) -> str:
        if re.match(_NO_CONNECTION, command):
            return ""
        flags = []
        for setting, names in _FLAGS[program].items():
            value = getattr(self, setting)
            present = any(re.search(rf" {name}(?![\w-])", command) for name in names)
            not_namespaced = setting == "namespace" and re.match(_NO_NAMESPACE, command)
            if value is not None and not present and not not_namespaced:
                flags += [names[0], shlex.quote(value)]
        return "".join(f" {flag}" for flag in flags)

"""Advised commands: each works when it is pasted, because it names the namespace and cluster of the call it is about.

A text puts a command in backticks, such as `sidelane status zookeeper-coco-1`. Whoever knows the connection adds its
flags here, and nowhere else.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

# Patterns are texts: `re` compiles them when advice is given, which is seldom.
_COMMAND: Final = r"`((sidelane|helm|kubectl) [^`\n]+)`"

#: What each program calls the settings of a connection.
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

#: Commands that reach no cluster, or no namespace of it.
_NO_CONNECTION: Final = r"(sidelane (charts|completion)|helm (package|registry|repo|search|show))\b"
_NO_NAMESPACE: Final = r"kubectl (config|create namespace)\b|.* (-A|--all-namespaces)\b"


class Place(NamedTuple):
    """The settings of a connection, as a client or the command line was given them; None leaves each to Helm."""

    namespace: str | None = None
    directory: str | None = None
    kubeconfig: str | None = None
    kube_context: str | None = None
    kube_apiserver: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Place:
        """Takes what concerns it out of the settings of a client or of the command line."""
        given = {name: settings.get(name) for name in cls._fields}
        return cls(**{name: None if value is None else os.fspath(value) for name, value in given.items()})

    def whole(self, text: str) -> str:
        """Returns the text with every command in backticks made whole. A flag that a command has stays as it is."""
        return re.sub(_COMMAND, lambda found: f"`{found[1]}{self._missing(found[1], found[2])}`", text)

    def _missing(self, command: str, program: str) -> str:
        if re.match(_NO_CONNECTION, command):
            return ""
        flags = []
        for setting, names in _FLAGS[program].items():
            value = getattr(self, setting)
            there = any(re.search(rf" {name}(?![\w-])", command) for name in names)
            elsewhere = setting == "namespace" and re.match(_NO_NAMESPACE, command)
            if value is not None and not there and not elsewhere:
                flags += [names[0], shlex.quote(value)]
        return "".join(f" {flag}" for flag in flags)

"""Advised commands: each works when it is pasted, because it names the namespace and cluster of the call it is about.

A text puts a command in backticks, such as `sidelane status zookeeper-coco-1`. Whoever knows the connection adds its
flags here, and nowhere else.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_COMMAND: Final = re.compile(r"`((sidelane|helm|kubectl) [^`\n]+)`")

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
_NO_CONNECTION: Final = re.compile(r"(sidelane (charts|completion)|helm (package|registry|repo|search|show))\b")
_NO_NAMESPACE: Final = re.compile(r"kubectl (config|create namespace)\b|.* (-A|--all-namespaces)\b")


@dataclass(frozen=True)
class Place:
    """The settings of a connection, as a client or the command line was given them; None leaves each to Helm."""

    namespace: str | None = None
    directory: str | None = None
    kubeconfig: str | None = None
    kube_context: str | None = None
    kube_apiserver: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Place:
        """Takes what concerns it out of the settings of a client or of the command line."""
        given = {field.name: settings.get(field.name) for field in fields(cls)}
        return cls(**{name: None if value is None else os.fspath(value) for name, value in given.items()})

    def whole(self, text: str) -> str:
        """Returns the text with every command in backticks made whole. A flag that a command has stays as it is."""
        return _COMMAND.sub(lambda found: f"`{found[1]}{self._missing(found[1], found[2])}`", text)

    def _missing(self, command: str, program: str) -> str:
        if _NO_CONNECTION.match(command):
            return ""
        flags = []
        for setting, names in _FLAGS[program].items():
            value = getattr(self, setting)
            there = any(re.search(rf" {name}(?![\w-])", command) for name in names)
            elsewhere = setting == "namespace" and _NO_NAMESPACE.match(command)
            if value is not None and not there and not elsewhere:
                flags += [names[0], shlex.quote(value)]
        return "".join(f" {flag}" for flag in flags)

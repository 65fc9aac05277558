"""Helm's default namespace, read from the kubeconfig as Helm reads it.

Asking Helm (`helm env`) takes a whole process, and a quarter of the processor time of an install. Only the usual case
is read here: one kubeconfig file, with the context that is used. In every other case the result is None, and Helm is
asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

#: The most bytes of a kubeconfig to read here: a few hundred contexts.
_LIMIT: Final = 2**20


def namespace(environment: Mapping[str, str]) -> str | None:
    """Return the namespace that Helm uses with these environment variables, or None if only Helm can tell.

    The rules are those of Helm's EnvSettings.Namespace and client-go's DeferredLoadingClientConfig.Namespace: the
    variable, then the context's namespace, then the pod's own in a cluster, then ``default``.
    """
    if given := environment.get("HELM_NAMESPACE"):
        return given
    context = _context(environment)
    if context is None:
        return None
    named = context.get("namespace") or ""
    if not isinstance(named, str):
        return None
    if not named and environment.get("KUBERNETES_SERVICE_HOST"):  # perhaps in a pod
        return None
    return named or "default"


def _context(environment: Mapping[str, str]) -> Mapping[object, object] | None:
    """Return the context that Helm uses, if it is in the only kubeconfig."""
    config = _read(environment.get("KUBECONFIG") or f"{environment.get('HOME') or ''}/.kube/config")
    if not isinstance(config, dict) or not all(
        _named_once(config.get(key)) for key in ("contexts", "clusters", "users")
    ):
        return None
    name = environment.get("HELM_KUBECONTEXT") or config.get("current-context")
    context = next((entry.get("context") for entry in config.get("contexts") or () if entry["name"] == name), None)
    return context if name and isinstance(context, dict) else None


def _named_once(entries: object) -> bool:
    """Tell whether the entries of a list have different names: Helm refuses the whole file otherwise."""
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
    ):
        return False
    return len({entry["name"] for entry in entries}) == len(entries)


def _read(path: str) -> object:
    """Return the data of a kubeconfig file; None if it is several files, missing, large or invalid."""
    if os.pathsep in path or not Path(path).is_file():
        return None
    from sidelane import kubeyaml  # noqa: PLC0415 - few calls need the namespace
    from sidelane.errors import InvalidManifest  # noqa: PLC0415
    from sidelane.support.files import bounded  # noqa: PLC0415

    try:
        text = bounded(path, _LIMIT)
        return kubeyaml.read(text, source=path) if len(text) <= _LIMIT else None
    except (OSError, ValueError, InvalidManifest):
        return None

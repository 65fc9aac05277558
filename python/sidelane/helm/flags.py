"""Flags that several of Helm's commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Flags(NamedTuple):
    """The flags that `helm install` and `helm upgrade` share.

    labels: of the release. description: what the release's history says of the revision. wait: return when all is
    ready. timeout: how long each step may take, ``5m``; None leaves it to Helm.
    """

    labels: Mapping[str, str] | None = None
    description: str = ""
    wait: bool = False
    timeout: str | None = None

    @property
    def words(self) -> list[str]:
        """The flags as Helm takes them."""
        labels = ",".join(f"{key}={value}" for key, value in (self.labels or {}).items())
        return [
            *(["--labels", labels] if labels else []),
            *(["--description", self.description] if self.description else []),
            *patience(wait=self.wait, timeout=self.timeout),
        ]


#: Helm's own defaults.
USUAL: Final = Flags()


def patience(*, wait: bool, timeout: str | None) -> list[str]:
    """Returns the flags for how long Helm waits."""
    return [*(["--wait"] if wait else []), *(["--timeout", timeout] if timeout else [])]


def namespaced(namespace: str | None) -> list[str]:
    """Returns the flag for a namespace; none for Helm's own choice."""
    return ["--namespace", namespace] if namespace else []

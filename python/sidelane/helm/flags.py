"""Flags that several of Helm's commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Flags(NamedTuple):
    """The flags that `helm install` and `helm upgrade` share.

    labels: the release's labels. description: the revision's description in the history. wait: return when everything
    is ready. timeout: the longest time for each step, such as ``5m``; None leaves it to Helm.
    """

    labels: Mapping[str, str] | None = None
    description: str = ""
    wait: bool = False
    timeout: str | None = None

    @property
    def words(self) -> list[str]:
        """The flags as command-line arguments."""
        labels = ",".join(f"{key}={value}" for key, value in (self.labels or {}).items())
        return [
            *(["--labels", labels] if labels else []),
            *(["--description", self.description] if self.description else []),
            *patience(wait=self.wait, timeout=self.timeout),
        ]


#: Helm's own defaults.
USUAL: Final = Flags()


def patience(*, wait: bool, timeout: str | None) -> list[str]:
    """Return the arguments for waiting."""
    return [*(["--wait"] if wait else []), *(["--timeout", timeout] if timeout else [])]


def namespaced(namespace: str | None) -> list[str]:
    """Return the arguments for a namespace; none for Helm's default."""
    return ["--namespace", namespace] if namespace else []

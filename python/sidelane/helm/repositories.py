"""Chart repositories with credentials in their address: Helm gets these in a temporary configuration file.

Every user of a machine can read the argument lists of all processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from sidelane.errors import InvalidInput
from sidelane.support.redaction import learn

#: The repository's name in the file.
NAME: Final = "sidelane"


def is_private(url: str) -> bool:
    """Return whether an address has a user, a password or a query, which may hold a token."""
    parts = _parts(url)
    return "@" in parts.netloc or bool(parts.query)


def require_open(reference: str) -> None:
    """Raise InvalidInput for a chart's own address with credentials: Helm accepts these only for repositories."""
    if "://" in reference and is_private(reference):
        learn_credentials(reference)
        scheme = reference.partition("://")[0]
        instead = (
            "leave them out, and log in with `helm registry login`"
            if scheme == "oci"
            else "give the repository with --repo (repo: in a file), which may have them, and the chart by its name"
        )
        raise InvalidInput(f"the {scheme}:// address of the chart has credentials or a query", remedy=instead)


def learn_credentials(url: str) -> None:
    """Hide the secrets of an address in every text from now on."""
    parts = _parts(url)
    user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    secrets = [password, unquote(password)] if colon else [user, unquote(user)]
    learn([*secrets, *(pair.partition("=")[2] for pair in parts.query.split("&"))])


@contextmanager
def configured(url: str) -> Iterator[list[str]]:
    """Yield the flags that give Helm the repository as NAME, from a temporary file that only its owner can read."""
    learn_credentials(url)
    parts = _parts(url)
    credentials, _, host = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    entry = {"name": NAME, "url": parts._replace(netloc=host).geturl()}
    if credentials:
        entry |= {"username": unquote(user), "password": unquote(password)}
    import tempfile  # noqa: PLC0415 - few charts come from a repository with a password

    with tempfile.TemporaryDirectory(prefix="sidelane-") as folder:  # of mode 0700
        file = Path(folder, "repositories.yaml")
        file.write_text(json.dumps({"apiVersion": "", "repositories": [entry]}), encoding="utf-8")
        yield ["--repository-config", str(file), "--repository-cache", str(Path(folder, "cache"))]


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise InvalidInput("the address of the chart repository is not a URL", remedy="write it as https://…") from None

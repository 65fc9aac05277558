"""The pinned programs that the cluster tests run: built once by Go, then found in the user's cache.

Each folder beside this file is a Go module that pins one program and all that it is made of, so that no
program's requirements move another's. What is built is kept under a key made of these pins:

    python ci/tools/toolchain.py          build what is missing, print the folder of the programs
    python ci/tools/toolchain.py --find   print the folder; exit 1 when it has not been built

The folder has the layout of envtest's KUBEBUILDER_ASSETS, so other tools can use it as well.
Needs Go on PATH to build, and nothing but Python to find.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent

# module folder → {program: (Go package, the variables that carry its version)}
# A program that `go build` makes does not know its version; Helm's kubeVersion check needs the API server's.
KUBERNETES_VERSION = (
    "k8s.io/component-base/version.gitVersion={v}",
    "k8s.io/component-base/version.gitMajor={major}",
    "k8s.io/component-base/version.gitMinor={minor}",
)
PROGRAMS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "helm": {"helm": ("helm.sh/helm/v4/cmd/helm", ("helm.sh/helm/v4/internal/version.version={v}",))},
    "etcd": {"etcd": ("go.etcd.io/etcd/server/v3", ())},
    "kwok": {"kwok": ("sigs.k8s.io/kwok/cmd/kwok", ("sigs.k8s.io/kwok/pkg/consts.Version={v}",))},
    "kubernetes": {
        "kube-apiserver": ("k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES_VERSION),
        "kube-controller-manager": ("k8s.io/kubernetes/cmd/kube-controller-manager", KUBERNETES_VERSION),
        "kube-scheduler": ("k8s.io/kubernetes/cmd/kube-scheduler", KUBERNETES_VERSION),
    },
}


def cache() -> Path:
    """The folder of all tool chains ever built for this user."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "sidelane" / "tools"


def key(*sources: Path, text: str = "") -> str:
    """A short digest of files beside this one, by their names and contents, and of whatever else a build depends on."""
    digest = hashlib.sha256(text.encode())
    for path in sorted(sources):
        digest.update(path.relative_to(HERE.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def folder() -> Path:
    """The folder of this checkout's tool chain, whether or not it has been built."""
    pins = (path for module in PROGRAMS for path in (HERE / module).glob("go.*"))
    return cache() / key(Path(__file__).resolve(), *pins, text=f"{platform.system()} {platform.machine()}")


def find() -> Path | None:
    """The folder of the programs when every one of them is there, else None."""
    there = folder()
    return there if all((there / name).is_file() for programs in PROGRAMS.values() for name in programs) else None


def pinned(module: str, package: str) -> str:
    """The version that a module's go.mod pins a package's module to, such as ``v4.2.4``."""
    for path, version in re.findall(
        r"^(?:require )?\t?(\S+) (v\S+)(?: // indirect)?$", (HERE / module / "go.mod").read_text(), re.MULTILINE
    ):
        if package == path or package.startswith(f"{path}/"):
            return str(version)
    raise SystemExit(f"ci/tools/{module}/go.mod pins no module that holds {package}; add a require line")


def build() -> Path:
    """Builds what is missing and returns the folder. A second builder waits for the first."""
    if there := find():
        return there
    if not shutil.which("go"):
        raise SystemExit(
            "the tool chain is built by Go, and no go is on PATH; install Go 1.26 or newer, then `make tools`"
        )
    return made_once(folder(), find, compile_all)


def made_once(place: Path, find: Callable[[], Path | None], make: Callable[[Path], None]) -> Path:
    """The folder that `find` finds, made before if it is not there: aside, and moved into place whole.

    So what is made when the builder is killed is never taken for a tool chain.
    """
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if there := find():
            return there
        with tempfile.TemporaryDirectory(dir=cache(), prefix="building-") as made:
            make(Path(made))
            shutil.rmtree(place, ignore_errors=True)
            Path(made).rename(place)
            Path(made).mkdir()  # for TemporaryDirectory to remove
    return place


def compile_all(output: Path) -> None:
    for module, programs in PROGRAMS.items():
        for name, (package, variables) in programs.items():
            compile_program(module, package, variables, output / name)


def compile_program(module: str, package: str, variables: tuple[str, ...], output: Path) -> None:
    version = "" if package == "." else pinned(module, package)  # a program of our own has none
    major, minor, *_ = [*version.removeprefix("v").split("."), ""]
    stamps = " ".join(f"-X {variable.format(v=version, major=major, minor=minor)}" for variable in variables)
    print(f"building {output.name} {version}".rstrip(), file=sys.stderr, flush=True)
    command = ["go", "build", "-trimpath", f"-ldflags=-s -w {stamps}", "-o", str(output), package]
    subprocess.run(command, cwd=HERE / module, check=True, env={**os.environ, "CGO_ENABLED": "0"})


if __name__ == "__main__":
    built = find() if "--find" in sys.argv[1:] else build()
    if built is None:
        raise SystemExit("the tool chain has not been built; build it with `make tools`")
    print(built)

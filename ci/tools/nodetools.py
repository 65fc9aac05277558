"""The pinned programs and images of a real node (nodecluster.py): built once, then found in the user's cache.

    python ci/tools/nodetools.py          build what is missing, print the folders of the programs and of the images
    python ci/tools/nodetools.py --find   print the folders; exit 1 when they have not been built

    bin       kubelet, kube-proxy, containerd with its shim and client, runc, coredns, nft
    bin/cni   the plugins of the pods' network
    lib       libraries of the programs that Debian packages bring
    root.tar  the Debian root of the images

The folder of the images is containerd's store (nodeimages.py).

Go builds the programs from the modules in `node` beside this file, each pinned by its go.mod, and from `kubernetes`.
runc, nft and the root of the images are Debian packages, in the versions that this machine's apt has.
Needs root, Go, a JDK, Maven and apt to build, and nothing but Python to find.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import javatools
import nodeimages
import toolchain

PROGRAMS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "kubernetes": {
        "kubelet": ("k8s.io/kubernetes/cmd/kubelet", toolchain.KUBERNETES_VERSION),
        "kube-proxy": ("k8s.io/kubernetes/cmd/kube-proxy", toolchain.KUBERNETES_VERSION),
    },
    "node/containerd": {
        name: (
            f"github.com/containerd/containerd/v2/cmd/{name}",
            ("github.com/containerd/containerd/v2/version.Version={v}",),
        )
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    },
    "node/cni": {
        f"cni/{name}": (f"github.com/containernetworking/plugins/plugins/{kind}/{name}", ())
        for kind, name in (("main", "bridge"), ("main", "loopback"), ("ipam", "host-local"))
    },
    "node/coredns": {"coredns": (".", ())},
    "node/pause": {"pause": (".", ())},
}
# Programs, and the libraries that they need beyond the C library.
PACKAGES = {
    "runc": "usr/sbin/runc",
    "nftables": "usr/sbin/nft",
}
LIBRARIES = (
    *("libseccomp2", "libnftables1", "libnftnl11", "libmnl0", "libjansson4"),
    *("libgmp10", "libxtables12", "libedit2", "libbsd0", "libmd0", "libtinfo6"),
)
#: The Debian root of the images, as a tar.
ROOT = "root.tar"
NEEDED = ("apt-get", "dpkg-deb", "go", "javac", "perl")


class Node(NamedTuple):
    """The folders that a node is made of.

    programs: the folder of what runs on it, with `bin`, `bin/cni` and `lib`. images: containerd's store.
    """

    programs: Path
    images: Path


def folders() -> Node:
    """The folders of this checkout's node, whether or not they have been built."""
    # The suite stands for the versions of the Debian packages: within one they change by their fixes alone.
    modules = [path for module in PROGRAMS for path in (toolchain.HERE / module).glob("*") if path.is_file()]
    programs = toolchain.key(Path(__file__).resolve(), toolchain.HERE / "toolchain.py", *modules, text=suite())
    files = [path for path in nodeimages.FILES.rglob("*") if path.is_file()]
    sources = [toolchain.HERE / name for name in ("nodeimages.py", "containerd.py")]
    images = toolchain.key(*sources, *files, text=programs + javatools.folder().name)
    return Node(toolchain.cache() / f"node-{programs}", toolchain.cache() / f"images-{images}")


def suite() -> str:
    """The name of this machine's Debian release, such as ``bookworm``; empty where there is none."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition("=")[2].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")), "")


def find() -> Node | None:
    """The node when it has been built, else None."""
    return folders() if find_programs() and find_images() else None


def find_programs() -> Path | None:
    there = folders().programs
    names = [*(name for programs in PROGRAMS.values() for name in programs), *(Path(p).name for p in PACKAGES.values())]
    return there if all((there / "bin" / name).is_file() for name in names) and (there / ROOT).is_file() else None


def find_images() -> Path | None:
    there = folders().images
    return there if there.is_dir() else None


def build() -> Node:
    """Builds what is missing and returns where it is. A second builder waits for the first."""
    if there := find():
        return there
    if os.geteuid() != 0:
        raise SystemExit("a node is built and run by root, and this is another user; run `make node` as root")
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        raise SystemExit(
            f"the node is built with {', '.join(missing)}, which is not on PATH; install Debian's apt, Go 1.26 or "
            "newer and a JDK"
        )
    java = javatools.build()
    programs = toolchain.made_once(folders().programs, find_programs, make_programs)
    images = toolchain.made_once(
        folders().images, find_images, lambda output: nodeimages.make(output, java, programs, programs / ROOT)
    )
    return Node(programs, images)


def make_programs(output: Path) -> None:
    (output / "bin" / "cni").mkdir(parents=True)
    debian(output)
    for module, programs in PROGRAMS.items():
        for name, (package, variables) in programs.items():
            toolchain.compile_program(module, package, variables, output / "bin" / name)


def debian(output: Path) -> None:
    """Unpacks the packages' programs and libraries, and makes the root of the images; nothing is installed here."""
    print("bringing Debian packages", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as place:
        # apt's own state is left alone: its lists and the packages go into this folder.
        state, unpacked = Path(place) / "apt", Path(place) / "unpacked"
        (state / "lists" / "partial").mkdir(parents=True)
        options = (f"-oDir::State::Lists={state / 'lists'}", f"-oDir::Cache={state}", "-oAPT::Sandbox::User=root")
        subprocess.run(["apt-get", *options, "-qq", "update"], check=True, stdout=sys.stderr)
        packages = (*PACKAGES, *LIBRARIES, "mmdebstrap")
        subprocess.run(["apt-get", *options, "-qq", "download", *packages], cwd=state, check=True, stdout=sys.stderr)
        for package in sorted(state.glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
        for program in PACKAGES.values():
            shutil.copy(unpacked / program, output / "bin")
        (output / "lib").mkdir()
        for library in (path for path in unpacked.rglob("lib/**/*.so.*") if not path.is_dir()):
            shutil.copy(library, output / "lib", follow_symlinks=False)
        nodeimages.make_root(output / ROOT, unpacked / "usr" / "bin", suite())


if __name__ == "__main__":
    node = find() if "--find" in sys.argv[1:] else build()
    if node is None:
        raise SystemExit("the node has not been built; build it with `make node`")
    print(*node, sep="\n")

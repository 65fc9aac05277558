"""The pinned programs and images of a real one-node cluster (nodecluster.py): built once, then found in the user's cache.

    python ci/tools/nodetools.py          build what is missing, print the folder
    python ci/tools/nodetools.py --find   print the folder; exit 1 when it has not been built

    bin       kubelet, kube-proxy, containerd with its shim and client, runc, coredns, nft
    bin/cni   the plugins of the pods' network
    lib       libraries of the programs that Debian packages bring
    images    containerd's store of the images, unpacked (nodeimages.py)

Go builds the programs from the modules in `node` beside this file, each pinned by its go.mod, and from `kubernetes`. What
Go can't build (runc, nft) and the root of the images are Debian packages, in the versions that this machine's apt has.
Needs root, Go, a JDK, Maven and apt to build, and nothing but Python to find.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import javatools
import nodeimages
import toolchain

PINS = toolchain.HERE / "node"
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
NEEDED = ("apt-get", "dpkg-deb", "go", "javac", "perl")


def folder() -> Path:
    """The folder of this checkout's node, whether or not it has been built."""
    sources = [toolchain.HERE / name for name in ("nodetools.py", "nodeimages.py", "toolchain.py")]
    modules = [path for module in PROGRAMS for path in (toolchain.HERE / module).glob("*") if path.is_file()]
    images = [path for path in (PINS / "images").rglob("*") if path.is_file()]
    # The suite stands for the versions of the Debian packages: within one they change by their fixes alone.
    return toolchain.cache() / f"node-{toolchain.key(*sources, *modules, *images, text=javatools.folder().name + suite())}"


def suite() -> str:
    """The name of this machine's Debian release, such as ``bookworm``; empty where there is none."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition("=")[2].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")), "")


def find() -> Path | None:
    """The folder when everything is in it, else None."""
    there = folder()
    names = [*(name for programs in PROGRAMS.values() for name in programs), *(Path(p).name for p in PACKAGES.values())]
    whole = all((there / "bin" / name).is_file() for name in names) and (there / nodeimages.STORE).is_dir()
    return there if whole else None


def build() -> Path:
    """Builds what is missing and returns the folder. A second builder waits for the first."""
    if there := find():
        return there
    if os.geteuid() != 0:
        raise SystemExit("a node is built and run by root alone, and this is another user; run `make node` as root")
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        raise SystemExit(
            f"the node is built by {', '.join(missing)}, which is not on PATH; it needs Debian's apt, Go 1.26 or newer "
            "and a JDK"
        )
    java = javatools.build()
    return toolchain.made_once(folder(), find, lambda output: make(output, java))


def make(output: Path, java: Path) -> None:
    (output / "bin" / "cni").mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=output, prefix="debian-") as place:
        debian(output, Path(place))
        for module, programs in PROGRAMS.items():
            for name, (package, variables) in programs.items():
                toolchain.compile_program(module, package, variables, output / "bin" / name)
        nodeimages.make(output, java, Path(place) / "base.tar")


def debian(output: Path, place: Path) -> None:
    """Unpacks the packages' programs and libraries, and makes the root that the images share; installs nothing here."""
    print("bringing Debian packages", file=sys.stderr, flush=True)
    # apt's own state is left alone: lists and packages go into the folder.
    state = place / "apt"
    (state / "lists" / "partial").mkdir(parents=True)
    options = (f"-oDir::State::Lists={state / 'lists'}", f"-oDir::Cache={state}", "-oAPT::Sandbox::User=root")
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True, stdout=sys.stderr)
    packages = (*PACKAGES, *LIBRARIES, "mmdebstrap")
    subprocess.run(["apt-get", *options, "-qq", "download", *packages], cwd=state, check=True, stdout=sys.stderr)
    unpacked = place / "unpacked"
    for package in sorted(state.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
    for program in PACKAGES.values():
        shutil.copy(unpacked / program, output / "bin")
    (output / "lib").mkdir()
    for library in (path for path in unpacked.rglob("lib/**/*.so.*") if not path.is_dir()):
        shutil.copy(library, output / "lib", follow_symlinks=False)
    nodeimages.root(place / "base.tar", unpacked / "usr" / "bin", suite())


if __name__ == "__main__":
    found = find() if "--find" in sys.argv[1:] else build()
    if found is None:
        raise SystemExit("the node has not been built; build it with `make node`")
    print(found)

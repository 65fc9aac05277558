"""The images of a node (nodecluster.py), made without a registry, in the layout of the official ones.

They share one Debian root. ZooKeeper's and Storm's jars come from `make tools`, other files from the folder node/images
beside this file. containerd unpacks them once, into a store that every node then mounts.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import containerd

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(__file__).resolve().parent / "node" / "images"
PAUSE = "sidelane.dev/pause:1"
#: The programs beyond Debian's essential ones that the official images have, too, or that a test's service is made of.
PACKAGES = ("default-jre-headless", "netcat-openbsd", "openssl", "procps", "python3")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
JAVA = (
    "JAVA_HOME=/usr/lib/jvm/default-java",
    # For quicker starts alone: many JVMs share few cores.
    "JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
)
USER = 1000


class Image(NamedTuple):
    """An image: its name as charts have it, what is in its own layer, and its settings as OCI names them."""

    name: str
    layer: Callable[[Layer], None]
    config: dict[str, Any]
    on_root: bool = True


class Layer:
    """A layer that is being written: an uncompressed tar, with neither times nor names of this machine."""

    def __init__(self, file: Path) -> None:
        self._tar = tarfile.open(file, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed by close()

    def close(self) -> None:
        self._tar.close()

    def folder(self, name: str, owner: int = 0) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, owner, owner
        self._tar.addfile(entry)

    def text(self, name: str, text: str, mode: int = 0o644) -> None:
        entry = tarfile.TarInfo(name)
        content = text.encode()
        entry.size, entry.mode = len(content), mode
        self._tar.addfile(entry, io.BytesIO(content))

    def tree(self, source: Path, name: str, owner: int = 0) -> None:
        """A file or folder of this machine, with all in it."""

        def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid = entry.gid = owner
            entry.uname = entry.gname = ""
            entry.mtime = 0
            return entry

        self._tar.add(source, name, filter=owned)


def images(java: Path, programs: Path, classes: Path) -> tuple[Image, ...]:
    """Every image. java: ZooKeeper and Storm. programs: the node's. classes: a stand-in for Storm's web pages."""

    def user(layer: Layer, name: str) -> None:
        layer.text("etc/passwd", f"root:x:0:0:root:/root:/bin/bash\n{name}:x:{USER}:{USER}::/home/{name}:/bin/sh\n")
        layer.text("etc/group", f"root:x:0:\n{name}:x:{USER}:\n")

    def zookeeper(layer: Layer) -> None:
        user(layer, "zookeeper")
        for name in ("conf", "data", "datalog", "logs", "apache-zookeeper"):
            layer.folder(name, USER)
        for name in ("bin", "lib"):
            layer.tree(java / "zookeeper" / name, f"apache-zookeeper/{name}", USER)

    def storm(layer: Layer) -> None:
        user(layer, "storm")
        for name in ("conf", "data", "logs", "apache-storm", "apache-storm/bin"):
            layer.folder(name, USER)
        for name in ("lib", "lib-worker"):
            layer.tree(java / "storm" / name, f"apache-storm/{name}", USER)
        layer.tree(classes, "apache-storm/webapp", USER)
        layer.tree(FILES / "storm", "apache-storm/bin/storm", USER)

    def service(layer: Layer) -> None:
        layer.folder("app")
        layer.tree(FILES / "service.py", "app/service.py")

    zookeeper_env = ("ZOOCFGDIR=/conf", "ZOO_CONF_DIR=/conf", "ZOO_DATA_DIR=/data", "ZOO_DATA_LOG_DIR=/datalog")
    storm_env = ("STORM_CONF_DIR=/conf", "STORM_DATA_DIR=/data", "STORM_LOG_DIR=/logs")
    return (
        Image(
            PAUSE,
            lambda layer: layer.tree(programs / "bin" / "pause", "pause"),
            {"Entrypoint": ["/pause"]},
            on_root=False,
        ),
        Image(
            "docker.io/library/zookeeper:3.9.5",
            zookeeper,
            {
                "Env": [f"PATH={PATH}:/apache-zookeeper/bin", *JAVA, *zookeeper_env, "ZOO_LOG_DIR=/logs"],
                "WorkingDir": "/apache-zookeeper",
                "Volumes": {name: {} for name in ("/data", "/datalog", "/logs")},
                "Cmd": ["zkServer.sh", "start-foreground"],
            },
        ),
        Image(
            "docker.io/library/storm:2.8.9",
            storm,
            {"Env": [f"PATH={PATH}:/apache-storm/bin", *JAVA, *storm_env], "WorkingDir": "/apache-storm"},
        ),
        Image("docker.io/library/bash:5.2.37", lambda _: None, {"Env": [f"PATH={PATH}"], "Cmd": ["bash"]}),
        *(
            Image(
                f"docker.io/acme/svc1:{version}",
                service,
                {
                    "Env": [f"PATH={PATH}", f"APP_VERSION={version}"],
                    "User": "1001:1001",
                    "Cmd": ["python3", "/app/service.py"],
                },
            )
            for version in ("1.4.0", "1.5.0")
        ),
    )


def make_root(tar: Path, tools: Path, suite: str) -> None:
    """Makes the Debian root of the images, by the machine's own apt sources. tools: the folder of mmdebstrap."""
    sources = [path for path in Path("/etc/apt").glob("sources.list") if path.read_text().strip()]
    sources += sorted(p for p in Path("/etc/apt/sources.list.d").glob("*") if p.suffix in (".list", ".sources"))
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=essential", f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale")]
    command += ["--aptopt=Acquire::Languages none", suite, str(tar), *map(str, sources)]
    print("making the root of the images", file=sys.stderr, flush=True)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"mmdebstrap ended with {done.returncode}\n{done.stderr[-4000:]}")


def make(output: Path, java: Path, programs: Path, root: Path) -> None:
    """Makes the store of the images in the folder ``output``. java: ZooKeeper and Storm. root: the Debian root."""
    with tempfile.TemporaryDirectory() as place:
        layers = Path(place)
        classes = layers / "classes"
        compile_webapp(java, classes)
        archive = layers / "images.tar"
        print("writing the images", file=sys.stderr, flush=True)
        write(archive, layers, images(java, programs, classes), root)
        print("unpacking the images", file=sys.stderr, flush=True)
        containerd.unpack(programs, archive, output, PAUSE)


def compile_webapp(java: Path, output: Path, compiler: str | Path = "javac") -> None:
    """Compiles the stand-ins for what Storm has and Maven Central lacks. java: ZooKeeper and Storm."""
    sources = sorted(FILES.glob("*.java"))
    command = [compiler, "--release", "17", "-cp", java / "storm" / "lib" / "*", "-d", output, *sources]
    subprocess.run(command, check=True)


def write(archive: Path, layers: Path, wanted: tuple[Image, ...], root: Path) -> None:
    """Writes all images as one OCI archive, in which each layer is once."""
    with tarfile.open(archive, "w") as tar:
        written: dict[str, dict[str, Any]] = {}

        def blob(content: bytes) -> dict[str, Any]:
            digest = hashlib.sha256(content).hexdigest()
            if digest not in written:
                add(tar, f"blobs/sha256/{digest}", content)
                written[digest] = {"digest": f"sha256:{digest}", "size": len(content)}
            return written[digest]

        def layer(file: Path) -> dict[str, Any]:
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            if digest not in written:
                tar.add(file, f"blobs/sha256/{digest}")
                written[digest] = {"digest": f"sha256:{digest}", "size": file.stat().st_size}
            return {"mediaType": "application/vnd.oci.image.layer.v1.tar", **written[digest]}

        add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        shared = layer(root)
        manifests = []
        for image in wanted:
            own = layers / "layer.tar"
            made = Layer(own)
            image.layer(made)
            made.close()
            parts = [*([shared] if image.on_root else []), layer(own)]
            rootfs = {"type": "layers", "diff_ids": [part["digest"] for part in parts]}
            config = {"architecture": machine(), "os": "linux", "config": image.config, "rootfs": rootfs}
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **blob(encoded(config))},
                "layers": parts,
            }
            names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name}
            manifests.append({"mediaType": manifest["mediaType"], **blob(encoded(manifest)), "annotations": names})
        add(tar, "index.json", encoded({"schemaVersion": 2, "manifests": manifests}))


def encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def machine() -> str:
    """This machine's architecture by its name in images."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

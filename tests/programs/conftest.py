"""One node for the test run, with images made of what `make tools` has brought, and our charts rendered for it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import javatools
import nodeimages
import pytest
import yaml
from programs.pods import NAMESPACE, Cluster, Image
from sandboxes import Mount, Node, NodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent
CHARTS = HERE.parents[1] / "charts"
# For quicker starts alone: many JVMs share few cores.
QUICK = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"}


@pytest.fixture(scope="session")
def java(unavailable: Callable[[str], NoReturn]) -> Path:
    """The folder of the machine's Java, which must be a JDK."""
    if not (compiler := shutil.which("javac")):
        unavailable("no javac on PATH; install a JDK of version 17 or newer")
    return Path(compiler).resolve().parents[1]


@pytest.fixture(scope="session")
def programs(unavailable: Callable[[str], NoReturn]) -> Path:
    """The folder of ZooKeeper and Storm."""
    return javatools.find() or unavailable("ZooKeeper and Storm are not here; `make tools` brings them")


@pytest.fixture(scope="session")
def webapp(java: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for Storm's web application."""
    place = tmp_path_factory.mktemp("webapp")
    nodeimages.compile_webapp(programs, place, compiler=java / "bin" / "javac")
    return place


@pytest.fixture(scope="session")
def images(java: Path, programs: Path, webapp: Path) -> dict[str, Image]:
    """Images as the charts' are laid out: the programs on PATH, `bash` and Java beside them."""
    path = f"{java}/bin:/usr/local/bin:/usr/bin:/bin"
    storm = [Mount(programs / "storm" / lib, f"/apache-storm/{lib}", read_only=True) for lib in ("lib", "lib-worker")]
    machine = Mount(java, str(java), read_only=True)
    return {
        "zookeeper": Image(
            {"PATH": f"/apache-zookeeper/bin:{path}", **QUICK},
            [machine, Mount(programs / "zookeeper", "/apache-zookeeper", read_only=True)],
        ),
        "storm": Image(
            {"PATH": f"/apache-storm/bin:{path}", **QUICK},
            [
                machine,
                *storm,
                Mount(nodeimages.FILES / "storm", "/apache-storm/bin/storm", read_only=True),
                Mount(webapp, "/apache-storm/webapp", read_only=True),
            ],
        ),
    }


@pytest.fixture(scope="module")
def node(unavailable: Callable[[str], NoReturn]) -> Iterator[Node]:
    """A node for a file's tests: what they started is gone before others need the processors."""
    try:
        with Node() as node:
            yield node
    except NodeError as error:
        unavailable(str(error))


@pytest.fixture(scope="module")
def cluster(node: Node, images: dict[str, Image]) -> Cluster:
    return Cluster(node, images)


@pytest.fixture(scope="session")
def charts() -> Path:
    """The folder of the charts."""
    return CHARTS


@pytest.fixture(scope="session")
def render(helm: Path) -> Callable[..., list[dict[str, Any]]]:
    """The objects of a chart with these values."""

    def render(chart: str, **values: object) -> list[dict[str, Any]]:
        command = [helm, "template", chart, CHARTS / chart, "--namespace", NAMESPACE, "--values", "-"]
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [item for item in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if item]

    return render

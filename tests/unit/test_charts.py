import shutil
import tarfile

import pytest
from sidelane.charts import files, references, sources
from sidelane.charts.chart import Chart
from sidelane.errors import ChartNotFound


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine" / "templates").mkdir(parents=True)
    (tmp_path / "mine" / "Chart.yaml").write_text(
        "name: mine\nversion: 1.2.3\nannotations: {sidelane.dev/operational-values: 'a, b'}\n"
    )
    (tmp_path / "mine" / "values.yaml").write_text("a: 08 # eight\n")
    return tmp_path / "mine"


def test_the_bundled_charts_are_found_by_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources.find("zookeeper").name == "zookeeper"
    assert "zookeeper" in [chart.name for chart in sources.bundled()]
    assert "common" not in [chart.name for chart in sources.bundled()]


def test_a_folder_is_read(folder):
    chart = sources.find(folder)
    assert (chart.name, chart.version, chart.defaults, chart.schema) == ("mine", "1.2.3", {"a": 8}, None)
    assert chart.operational_values == {"a", "b"}


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("zookeper", "the charts here are: guard, nimbus, pipeline,"),
        ("", "the charts here are"),
        ("./nothing", "no chart at './nothing'"),
        ("/nothing/at/all", "no chart at"),
        ("nothing.tgz", "no chart at"),
        (".", "has no Chart.yaml"),
    ],
)
def test_a_chart_that_is_not_there_is_refused_with_what_is(reference, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChartNotFound) as refused:
        sources.find(reference)
    assert says in str(refused.value)


def test_a_folder_of_the_name_is_hinted_at(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(ChartNotFound, match=r"write \./mine"):
        sources.find("mine")


def test_the_version_of_a_bundled_chart_is_held_to(folder):
    version = sources.find("zookeeper").version
    assert sources.find("zookeeper", version=version).version == version
    assert sources.find("zookeeper", version=">=0.0.1,<99.0.0").version == version
    with pytest.raises(ChartNotFound, match=f"is {version}, not 99.0.0"):
        sources.find("zookeeper", version="99.0.0")
    with pytest.raises(ChartNotFound, match="not a chart version"):
        sources.find("zookeeper", version=">=newest")


def test_the_digest_is_of_names_and_contents(folder, tmp_path):
    before = Chart.load(folder).digest
    shutil.copytree(folder, tmp_path / "copy")
    assert Chart.load(tmp_path / "copy").digest == before
    (tmp_path / "copy" / "values.yaml").write_text("a: 9\n")
    assert Chart.load(tmp_path / "copy").digest != before
    assert before.startswith("sha256:")


def test_a_package_that_is_none_or_too_large_is_refused(folder, tmp_path, monkeypatch):
    (tmp_path / "text.tgz").write_text("no archive")
    with pytest.raises(ChartNotFound, match="not a packaged chart"):
        sources.find(tmp_path / "text.tgz")
    with tarfile.open(tmp_path / "big.tgz", "w:gz") as archive:
        archive.add(folder, "mine")
    monkeypatch.setattr(files, "FILE_LIMIT", 5)
    with pytest.raises(ChartNotFound, match="more than Helm's limits"):
        sources.find(tmp_path / "big.tgz")


@pytest.mark.parametrize(
    ("template", "asks"),
    [
        ("{{ .Capabilities.KubeVersion }}", True),
        ('{{ lookup "v1" "Pod" "" "" }}', True),
        ("lookup: {{ .Values.a }}", False),
        ('{{- /* sidelane.dev/asks: on-upgrade */}}{{ lookup "v1" "Pod" "" "" }}', False),
    ],
)
def test_whether_a_chart_asks_the_cluster(folder, template, asks):
    (folder / "templates" / "x.yaml").write_text(template)
    assert Chart.load(folder).asks_the_cluster is asks


def test_what_is_fetched_by_helm():
    assert references.is_remote("oci://here/there")
    assert references.is_remote("repo/chart")
    assert not references.is_remote("zookeeper")
    assert not references.is_remote("./charts/zookeeper")
    assert not references.is_remote("/charts/zookeeper")

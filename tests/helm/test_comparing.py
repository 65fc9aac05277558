"""Differences from an existing release, allowed or not: install, upgrade, plan and apply answer alike."""

import re
import shlex
import shutil

import pytest
from command_line import CommandLine
from generated import tiny_chart
from sidelane import Client, kubeyaml
from sidelane.errors import ReleaseConflict

SERVICE = {"name": "svc1", "service_version": "v1"}
LANE = """\
apiVersion: sidelane.dev/v1alpha1
kind: LaneDeployment
lane: {Version: coco, Build: "1"}
namespace: streams
releases:
  - {chart: ./tiny, name: svc1, serviceVersion: v1, values: {text: other}}
"""


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def client(root, helm):
    return Client(namespace="streams", directory=root, helm=helm)


@pytest.fixture
def chart(tmp_path):
    return tiny_chart(tmp_path / "tiny")


@pytest.fixture
def file(tmp_path, chart):
    (tmp_path / "lane.yaml").write_text(LANE)
    return tmp_path / "lane.yaml"


@pytest.fixture
def run(helm, tmp_path):
    """Runs a command as it is pasted."""
    line = CommandLine(tmp_path, helm)

    def run(command, code=0):
        program, *arguments = shlex.split(command)
        assert program == "sidelane"
        return line(*arguments, code=code)

    return run


@pytest.fixture(scope="module")
def installed(helm, tmp_path_factory):
    """A directory with a release whose replicas were changed to 8."""
    folder = tmp_path_factory.mktemp("installed")
    chart = tiny_chart(folder / "tiny")
    client = Client(namespace="streams", directory=folder / "root", helm=helm)
    client.install(chart, "coco-1", **SERVICE, values={"text": "other"})
    client.upgrade(chart, "coco-1", **SERVICE, values={"replicas": 8}, reuse_values=True)
    return folder / "root"


@pytest.fixture
def scaled(client, installed, root):
    """A release whose replicas were changed to 8, as is allowed; the values say nothing of replicas."""
    shutil.copytree(installed, root)
    return client


def replicas(root):
    manifest = kubeyaml.read((root / "streams/svc1-v1-coco-1/manifest.yaml").read_text().partition("---\n")[2])
    return manifest["data"]["replicas"]


KEPT = "replicas stays 8: it is not given (the default is 1)"


def test_the_same_install_after_a_legitimate_scale_is_unchanged_and_says_what_stays(scaled, chart, root):
    again = scaled.install(chart, "coco-1", **SERVICE, values={"text": "other"})
    assert (again.change, again.kept_values, again.revision) == ("unchanged", (KEPT,), 2)
    assert again.to_json()["keptValues"] == [KEPT]
    said = scaled.install(chart, "coco-1", **SERVICE, values={"text": "other", "replicas": 8})
    assert (said.change, said.kept_values) == ("unchanged", ())
    assert replicas(root) == "8"


def test_a_script_that_installs_and_scales_can_run_twice(client, chart, root):
    changes = []
    for _ in range(2):
        changes.append(client.install(chart, "coco-1", **SERVICE, values={"text": "other"}).change)
        changes.append(client.upgrade(chart, "coco-1", **SERVICE, values={"replicas": 8}, reuse_values=True).change)
    assert changes == ["created", "upgraded", "unchanged", "unchanged"]


def test_an_install_that_says_another_number_names_the_upgrade_which_works_as_it_is_pasted(scaled, chart, root, run):
    with pytest.raises(ReleaseConflict) as refused:
        scaled.install(chart, "coco-1", **SERVICE, values={"text": "other", "replicas": 3})
    assert refused.value.differences == ('ConfigMap svc1-v1-coco-1: data.replicas: "8" → "3"',)
    assert "next free Build" not in str(refused.value)
    command = refused.value.remedy.split("`")[1]
    assert command.startswith("sidelane upgrade ")
    run(command)
    assert replicas(root) == "3"
    assert scaled.install(chart, "coco-1", **SERVICE, values={"text": "other", "replicas": 3}).change == "unchanged"


def test_a_file_leaves_what_was_scaled_since_and_says_so(scaled, file, root, run):
    (step,) = scaled.plan(file).steps
    assert (step.action, step.kept_values) == ("unchanged", (KEPT,))
    (applied,) = scaled.apply(file).releases
    assert (applied.change, applied.kept_values, replicas(root)) == ("unchanged", (KEPT,), "8")
    assert KEPT in run(f"sidelane plan {file} --directory {root}").stdout
    said = run(f"sidelane apply {file} --directory {root}").stdout
    assert KEPT in said
    assert "--reset-operational resets it" in said


def test_what_a_file_says_is_done_and_told(scaled, file, root, run):
    file.write_text(LANE.replace("text: other", "text: other, replicas: 2"))
    said = run(f"sidelane apply {file} --directory {root}").stdout
    assert 'svc1-v1-coco-1: upgraded\n  ConfigMap svc1-v1-coco-1: data.replicas: "8" → "2"\n' in said
    assert replicas(root) == "2"


def test_a_file_sets_back_what_it_does_not_say_when_it_is_told_to(scaled, file, root, run):
    (step,) = scaled.plan(file, reset_operational=True).steps
    assert (step.action, step.kept_values) == ("scale", ())
    assert run(f"sidelane plan {file} --reset-operational --directory {root}").stdout.count('"8" → "1"') == 1
    (applied,) = scaled.apply(file, reset_operational=True).releases
    assert (applied.change, applied.changes, replicas(root)) == ("upgraded", step.why, "1")


def test_a_null_is_said_too(scaled, file, root):
    file.write_text(LANE.replace("text: other", "text: other, replicas: null"))
    (step,) = scaled.plan(file).steps
    assert (step.action, step.kept_values) == ("scale", ())


@pytest.mark.parametrize("verb", ["install", "upgrade", "plan"])
def test_all_refuse_the_same_with_the_same_words(scaled, chart, file, verb):
    values = {"text": "third"}
    if verb == "plan":
        file.write_text(LANE.replace("text: other", "text: third"))
        (refused,) = scaled.plan(file).refused
        said = " ".join(refused.why)
    else:
        call = scaled.install if verb == "install" else scaled.upgrade
        with pytest.raises(ReleaseConflict) as error:
            call(chart, "coco-1", **SERVICE, values=values)
        said = str(error.value)
    assert ("data.text" in said) or ("must not change: text (operational values: replicas)" in said)
    assert "replicas:" not in said or verb == "upgrade", "nothing was said of replicas, so they stay"


def advised(text):
    """The commands that a text advises."""
    return re.findall("`(sidelane [^`]+)`", text)


def test_an_upgrade_that_is_refused_names_the_install_beside_it_which_works_as_it_is_pasted(scaled, chart, root, run):
    with pytest.raises(ReleaseConflict) as refused:
        scaled.upgrade(chart, "coco-1", **SERVICE, values={"text": "third"}, reuse_values=True)
    assert refused.value.free == refused.value.to_json()["free"] == "coco-2"
    (command,) = advised(refused.value.remedy)
    run(command)
    values = scaled.record("svc1-v1-coco-2").to_json()["predicate"]["buildDefinition"]["externalParameters"]["values"]
    assert (values["text"], values["replicas"]) == ("third", 8), "those of the release, with what was asked for"


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_file_that_is_refused_names_the_apply_of_the_next_build_which_works_as_it_is_pasted(scaled, file, run, verb):
    file.write_text(LANE.replace("text: other", "text: third"))
    if verb == "plan":
        remedy = scaled.plan(file, namespace="streams").remedy
    else:
        with pytest.raises(ReleaseConflict) as refused:
            scaled.apply(file)
        remedy = refused.value.remedy
    (command,) = advised(remedy)
    assert command.startswith(f"sidelane apply {file} --build 2 ")
    assert advised(
        run(f"sidelane {verb} {command.removeprefix('sidelane apply').replace('--build 2', '')}", code=1).stdout
    ) == ([command] if verb == "plan" else [])
    run(command)
    assert [release.name for release in scaled.list("coco-2")] == ["svc1-v1-coco-2"]


def test_the_next_build_of_a_file_is_free_of_all_that_it_names(scaled, file):
    scaled.install("zookeeper", "coco-2")
    file.write_text(LANE.replace("text: other", "text: third") + "  - {chart: zookeeper}\n")
    assert "--build 3 " in scaled.plan(file).remedy


@pytest.mark.parametrize("verb", ["install", "upgrade"])
def test_a_command_that_is_refused_names_itself_in_the_next_build(scaled, chart, root, run, tmp_path, verb):
    (tmp_path / "many.yaml").write_text("more: {" + ", ".join(f"k{at}: {at}" for at in range(20)) + "}\n")
    options = (
        f"--name svc1 --service-version v1 -n streams --allow-secrets --directory {root} -f {tmp_path / 'many.yaml'}"
    )
    for lane in ("--lane coco-1", "--lane=coco-1"):
        refused = run(f"sidelane {verb} {chart} {lane} {options} --set adminPassword=hunter22", code=1)
        (command,) = advised(refused.stderr)
        expected = f"sidelane install {chart} {lane[:-1]}2 {options} --set adminPassword=(hidden)"
        assert shlex.split(command) == expected.split()
    (command,) = advised(run(f"sidelane {verb} {chart} --lane coco-1 {options}", code=1).stderr)
    run(command)
    assert scaled.status("svc1-v1-coco-2").change == ""
    (other,) = advised(run(f"sidelane {verb} {chart} --lane coco-1 {options} --set Version=coco", code=1).stderr)
    assert other.startswith("sidelane record svc1-v1-coco-1 "), "values that name their lane are not for another one"


def test_a_command_whose_lane_is_in_the_environment_names_the_next_one(scaled, chart, root, run, monkeypatch):
    monkeypatch.setenv("SIDELANE_LANE", "coco-1")
    monkeypatch.setenv("SIDELANE_DIRECTORY", str(root))
    refused = run(f"sidelane install {chart} --name svc1 --service-version v1 -n streams --set text=third", code=1)
    (command,) = advised(refused.stderr)
    assert command.endswith(f" --lane coco-2 --directory {root}")
    run(command)

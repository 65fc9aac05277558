"""The charts' notes: commands for the program that installed, with the namespace, which work as they stand."""

import re

import pytest
import typed

LANE = "Version=coco,Build=1"
IMAGE = "--set image.repository=acme/svc1 --set image.tag=1.4.0"
SMALL = "-f charts/pipeline/values-small.yaml"
#: chart → its installation by each program.
PLAIN = {
    "zookeeper": f"helm install zookeeper-coco-1 charts/zookeeper --set-string {LANE}",
    "nimbus": f"helm install nimbus-coco-1 charts/nimbus --set-string {LANE}",
    "supervisor": f"helm install supervisor-coco-1 charts/supervisor --set-string {LANE}",
    "ui": f"helm install ui-coco-1 charts/ui --set-string {LANE}",
    "pipeline": f"helm install pipeline-2-coco-1 charts/pipeline {SMALL} "
    "--set-string global.Version=2-coco,global.Build=1",
    "service": f"helm install svc1-v1-coco-1 charts/service --set-string {LANE},name=svc1,serviceVersion=v1 {IMAGE}",
}
#: The other charts' notes share their commands with these.
OURS = {
    "zookeeper": "sidelane install zookeeper --lane coco-1",
    "pipeline": f"sidelane install pipeline --lane 2-coco-1 {SMALL}",
    "service": f"sidelane install service --name svc1 --service-version v1 --lane coco-1 {IMAGE}",
}


@pytest.fixture
def shell(tmp_path, helm, cluster, unavailable):
    if not typed.has_kubectl():
        unavailable("the notes give commands of kubectl, and there is none on PATH")
    return typed.shell(tmp_path, helm, cluster.kubeconfig)


def advised(notes, namespace):
    """The commands of the notes, each held to the namespace."""
    commands = [re.sub(r"   +#.*", "", line) for line in typed.commands(notes, "  ")]
    commands = [line for line in commands if line.startswith(("helm ", "kubectl ", "sidelane "))]
    for line in commands:
        assert re.search(rf" --namespace {namespace}( |$)", line), line
    return commands


def follow(shell, notes, namespace, uninstall):
    """Runs the commands of the notes in their order, and returns what they print; what deletes claims comes last, after
    the release is gone. What only a kubelet answers is run on the node.
    """
    commands = advised(notes, namespace)
    assert commands
    last = [line for line in commands if line.startswith("kubectl delete pvc")]
    done = [shell(line) for line in commands if line not in last and not re.search(r" (port-forward|exec) ", line)]
    if last:
        shell(uninstall)
        (line,) = last
        assert "persistentvolumeclaim" in shell(line).stdout
    return "".join(run_.stdout for run_ in done)


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
@pytest.mark.parametrize("chart", PLAIN)
def test_plain_helms_notes_work_as_they_stand(shell, namespace, chart):
    notes = shell(f"{PLAIN[chart]} --namespace {namespace}").stdout
    assert "sidelane " not in notes.replace("sidelane.dev", "")
    release = PLAIN[chart].split()[2]
    printed = follow(shell, notes, namespace, f"helm uninstall {release} --namespace {namespace} --wait")
    if chart == "service":  # its notes made a route, whose own notes go back
        at = f"--namespace {namespace}"
        other = "--reuse-values --set 'targets[0].serviceVersion=v2' --set 'targets[0].weight=1'"
        shell(f"helm upgrade route-svc1-coco-1 charts/route {at} {other}")
        follow(shell, printed[printed.index("NOTES:\nhttp") :].split("\nNAME:")[0], namespace, "")
        assert '"serviceVersion":"v1"' in shell(f"helm get values route-svc1-coco-1 {at} -o json").stdout


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
@pytest.mark.parametrize("chart", OURS)
def test_sidelanes_notes_are_for_sidelane(shell, namespace, chart):
    output = shell(f"{OURS[chart]} -n {namespace}").stdout
    notes = output[output.index("CHANGE:    created") :]
    assert "Wait until" in notes or "Then request" in notes
    assert not re.search(r"helm (install|upgrade|history|rollback|uninstall)", notes)
    release = re.search(r"RELEASE: +(\S+)", output)[1]
    follow(shell, notes, namespace, f"sidelane uninstall {release} -n {namespace} --wait")


@pytest.mark.parametrize("helm", ["helm4"], indirect=True)
def test_sidelane_shows_the_notes_once(sidelane):
    given = ("service", "--name", "svc1", "--service-version", "v1", "--lane", "coco-1", *IMAGE.split())
    assert "Wait until" in sidelane("install", *given).stdout
    for again in (
        ("install", *given),
        ("status", "svc1-v1-coco-1"),
        ("upgrade", *given, "--set", "replicas=3"),
        ("uninstall", "svc1-v1-coco-1"),
    ):
        assert "Wait until" not in sidelane(*again).stdout

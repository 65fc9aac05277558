"""A release in a directory, held against its record: what changed is found, and what Helm takes for the same is not."""

import hashlib
import json
import re

import pytest
from sidelane import Client, kubeyaml
from sidelane.kubeyaml.writer import dump
from sidelane.manifest.objects import parse_object
from sidelane.releases.readiness.counting import short_of_pods
from sidelane.version import VERSION

PLACE = "streams/svc1-v1-coco-1"
SVC1 = {"name": "svc1", "serviceVersion": "v1", "image": {"repository": "acme/svc1", "tag": "1.4.0"}}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, helm):
    """A directory with a release of `service`, and what its files hold."""
    root = tmp_path_factory.mktemp("deployed")
    Client(namespace="streams", directory=root, helm=helm).install("service", "coco-1", values=SVC1)
    return {path.name: path.read_text() for path in (root / PLACE).iterdir()}


@pytest.fixture
def verified(tmp_path, deployed, helm):
    """Verifies the release with some of its files otherwise."""

    def verify(**files):
        folder = tmp_path / PLACE
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in deployed.items():
            (folder / name).write_text(text)
        for name, change in files.items():
            path = folder / f"{name}.yaml"
            before = path.read_text() if path.exists() else ""
            path.write_text(change(before))
            assert path.read_text() != before
        return Client(namespace="streams", directory=tmp_path, helm=helm).verify("svc1-v1", "coco-1")[0]

    return verify


def put(pattern, text):
    return lambda before: re.sub(pattern, text, before)


def values(change):
    return lambda before: dump({**kubeyaml.read(before), **change})


def test_what_is_the_same_to_helm_is_unchanged(verified):
    assert verified().state == "unchanged"
    assert verified(values=values({"Build": 1})).state == "unchanged"
    assert verified(values=values({"drainSeconds": 5, "probes": {}})).changed == ()
    assert verified(values=values({"drainSeconds": 5.0})).changed == ()
    (line,) = verified(values=values({"drainSeconds": 11})).changed
    assert line == "values: drainSeconds: 5 → 11"


def test_a_summary_for_programs_names_the_record_and_the_result(verified, deployed):
    passed = json.loads(verified().summary())
    assert passed["_type"] == "https://in-toto.io/Statement/v1"
    assert passed["predicateType"] == "https://slsa.dev/verification_summary/v1"
    predicate = passed["predicate"]
    assert predicate.keys() >= {"verifier", "timeVerified", "resourceUri", "policy", "verifiedLevels"}  # required
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("PASSED", ["SIDELANE_UNCHANGED"])
    assert predicate["verifier"]["version"] == {"sidelane": VERSION}
    (record,) = predicate["inputAttestations"]
    assert record["digest"]["sha256"] == hashlib.sha256(deployed["record.json"].encode()).hexdigest()
    (subject,) = passed["subject"]
    assert subject["name"] == PLACE
    assert subject["digest"] == json.loads(deployed["record.json"])["subject"][0]["digest"]
    failed = json.loads(verified(values=values({"drainSeconds": 11})).summary())["predicate"]
    assert (failed["verificationResult"], failed["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_an_operational_value_excuses_its_own_field_and_no_other(verified):
    more = values({"replicas": 5})
    five = put("replicas: 2", "replicas: 5")
    result = verified(values=more, manifest=five)
    assert (result.state, result.operational) == ("unchanged", ("values: replicas: 2 → 5",))
    # A post-renderer's change beside it.
    edited = verified(values=more, manifest=lambda before: five(before).replace("acme/svc1:1.4.0", "evil/svc1:1"))
    assert edited.changed == ("Deployment.apps/streams/svc1-v1-coco-1 is changed",)
    service = verified(values=more, manifest=lambda before: five(before).replace("port: 80\n", "port: 81\n"))
    assert service.changed == ("Service/streams/svc1-v1-coco-1 is changed",)
    # The field, but not to what the value says.
    odd = verified(values=more, manifest=put("replicas: 2", "replicas: 50"))
    assert odd.changed == (
        "Deployment.apps/streams/svc1-v1-coco-1 has spec.replicas 50, and the value replicas is 5",
    )  # fmt: skip


def test_an_operational_value_that_did_not_change_excuses_nothing(verified):
    policy = "---\n# Source: service/templates/networkpolicy.yaml\napiVersion: networking.k8s.io/v1\n"
    policy += "kind: NetworkPolicy\nmetadata: {name: svc1-v1-coco-1}\nspec: {podSelector: {}}\n"
    assert verified(manifest=lambda before: before + policy).changed == (
        "NetworkPolicy.networking.k8s.io/streams/svc1-v1-coco-1 is new",
    )  # fmt: skip
    asked = values({"networkPolicy": {"enabled": True}})
    assert verified(values=asked, manifest=lambda before: before + policy).state == "unchanged"
    # An object of another kind is not what that value stands for.
    other = policy.replace("NetworkPolicy", "Ingress")
    assert verified(values=asked, manifest=lambda before: before + other).state == "changed"


def test_an_operational_value_of_an_unknown_name_excuses_the_fields_that_have_it(tmp_path, helm):
    lane = "{{ .Values.Version }}-{{ .Values.Build }}"
    labels = (
        f"labels: {{app: NAME-{lane}, sidelane.dev/version: '{{{{ .Values.Version }}}}', "
        f"sidelane.dev/build: '{{{{ .Values.Build }}}}', sidelane.dev/lane: {lane}}}"
    )
    document = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: NAME-{lane}, {labels}}}\ndata: DATA\n"
    level = "{options: '--log={{ .Values.logLevel }} -v', level: '{{ .Values.logLevel }}', image: 'acme/svc1:1'}"
    files = {
        "Chart.yaml": "apiVersion: v2\nname: logs\nversion: 0.1.0\n"
        "annotations: {sidelane.dev/operational-values: logLevel}\n",
        "values.yaml": "{Version: '', Build: '', logLevel: info}\n",
        "templates/all.yaml": "".join(
            document.replace("NAME", name).replace("DATA", data)
            for name, data in (("logs", level), ("other", "{a: b}"))
        ),
    }
    for name, text in files.items():
        (tmp_path / "logs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs" / name).write_text(text)
    client = Client(namespace="streams", directory=tmp_path / "root", helm=helm)
    client.install(tmp_path / "logs", "coco-1")
    assert client.upgrade(tmp_path / "logs", "coco-1", values={"logLevel": "debug"}).change == "upgraded"
    (result,) = client.verify("logs-coco-1")
    assert (result.changed, result.operational) == ((), ('values: logLevel: "info" → "debug"',))
    # An edit beside it, of the same object and of another one.
    manifest = tmp_path / "root/streams/logs-coco-1/manifest.yaml"
    text = manifest.read_text()
    for before, after, name in (("acme/svc1:1", "evil/svc1:1", "logs"), ("a: b", "a: c", "other")):
        manifest.write_text(text.replace(before, after))
        assert manifest.read_text() != text
        assert client.verify("logs-coco-1")[0].changed == (f"ConfigMap/streams/{name}-coco-1 is changed",)
    manifest.write_text(text + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more-coco-1}\n")
    assert client.verify("logs-coco-1")[0].changed == ("ConfigMap/streams/more-coco-1 is new",)


def workload(kind="Deployment", **spec):
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    return parse_object(body, "here", namespace="n", source="s", line=1)


@pytest.mark.parametrize(
    ("asked", "there", "ready", "may", "short"),
    [
        (3, 3, 3, False, ""),
        (3, 3, 2, False, "2 of 3 pods are ready"),
        (3, 0, 0, False, "0 of 3 pods are ready"),  # scaled away by somebody who may not
        (3, 5, 5, True, ""),
        (3, 1, 1, True, ""),
        (3, 5, 3, True, "3 of 5 pods are ready"),
        (3, 0, 0, True, "0 of 3 pods are ready"),  # nobody deployed nothing
        (0, 0, 0, True, ""),
        (None, 4, 4, True, ""),
        (None, 0, 0, True, "0 of 2 pods are ready"),
    ],
)
def test_how_many_pods_there_should_be(asked, there, ready, may, short):
    obj = workload(**({} if asked is None else {"replicas": asked}))
    live = {"spec": {"replicas": there}, "status": {"readyReplicas": ready} if ready else {}}
    assert short_of_pods(obj, live, may_differ=may, least=2) == short


def test_pods_and_daemons_are_counted_by_what_they_say_themselves():
    daemon = workload("DaemonSet")
    assert short_of_pods(daemon, {"status": {"desiredNumberScheduled": 2, "numberReady": 2}}, may_differ=False) == ""
    short = short_of_pods(daemon, {"status": {"desiredNumberScheduled": 2, "numberReady": 1}}, may_differ=False)
    assert short == "1 of 2 pods are ready"
    pod = workload("Pod")
    ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    assert short_of_pods(pod, ready, may_differ=False) == ""
    assert short_of_pods(pod, {"status": {"phase": "Succeeded"}}, may_differ=False) == ""
    assert short_of_pods(pod, {"status": {"phase": "Running"}}, may_differ=False) == "it is not ready"
    assert short_of_pods(workload("CronJob"), {}, may_differ=False) == ""

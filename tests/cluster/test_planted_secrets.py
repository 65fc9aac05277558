"""Planted secrets on a cluster: every verb is walked through, and none shows one or hands it on to a child."""

import base64
import itertools
import json
import logging
import os
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from sidelane.cli import COMMANDS, sidelane
from sidelane.support import redaction

PASSWORD, OTHER, LIVE = "pl4nted-Passw0rd", "an0ther-Passw0rd", "l1ve-Passw0rd/x"
LABELS = """\
  labels: {app: leaky-{{ .Values.Version }}-{{ .Values.Build }}, sidelane.dev/version: {{ .Values.Version | quote }},
    sidelane.dev/build: {{ .Values.Build | quote }}, sidelane.dev/lane: {{ .Values.Version }}-{{ .Values.Build }}}
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: leaky\nversion: 0.1.0\n"
    "annotations: {sidelane.dev/operational-values: auth.password}\n",
    "values.yaml": "Version: ''\nBuild: ''\nauth: {password: ''}\n",
    "templates/cm.yaml": f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: leaky-{{{{ .Values.Version }}}}-{{{{ .Values.Build }}}}
{LABELS}data:
  url: {{{{ printf "postgres://bob:%s@db/%s" .Values.auth.password (upper .Values.auth.password) | quote }}}}
  part: {{{{ printf "bob:%s" .Values.auth.password | b64enc | quote }}}}
---
apiVersion: v1
kind: Secret
metadata:
  name: leaky-{{{{ .Values.Version }}}}-{{{{ .Values.Build }}}}
{LABELS}data:
  settings: {{{{ .Values.auth.password | b64enc | quote }}}}
""",
    "templates/NOTES.txt": "The password is {{ .Values.auth.password }}.\n",
}
SERVICE = {
    "name": "svc1",
    "image": {"repository": "acme/svc1", "tag": "1"},
    "replicas": 1,
}


def forms(secret):
    """The forms of a secret that must not be seen, in lower case. In base64 its ends may be other characters."""
    forms = {secret, quote(secret, safe=""), secret.encode().hex(), secret[:12]}
    forms |= {base64.b64encode(b"-" * before + secret.encode()).decode()[4:-8] for before in range(3)}
    return {text.lower() for text in forms}


PLANTED = set().union(*map(forms, (PASSWORD, OTHER, LIVE)))


def leaks(text):
    return [form for form in PLANTED if form in text.lower()]


@pytest.fixture
def walk(tmp_path, helm, cluster, namespace, monkeypatch, caplog):
    """Runs a command, as a process that knows no secret yet; looks at all that is seen of it. As text and as JSON in
    turn, unless the formats are given.
    """
    seen, program = tmp_path / "seen", tmp_path / "programs" / "helm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> {seen}\nexec {helm} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    monkeypatch.setenv("HELM_NAMESPACE", namespace)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    walked, found, turns = set(), [], itertools.cycle(("table", "json"))

    def run(line, *, code=0, shows="", formats=(), given=None):
        for form in formats or (next(turns),):
            redaction.forget()
            caplog.clear()
            words = line.split() + (["-o", form] if form in ("json", "yaml") else [])
            done = CliRunner().invoke(sidelane, words, input=given)
            logs = "".join(f"{record.getMessage()} {record.exc_text or ''}\n" for record in caplog.records)
            children = seen.read_text(errors="replace") if seen.exists() else ""
            seen.write_text("")
            if done.exit_code != code or shows not in done.output:
                found.append(f"{words}: ends with {done.exit_code}: {done.output}")
            # A manifest is for `kubectl apply`, and as Helm renders it.
            output = done.stderr if form == "manifest" else done.output
            found.extend(
                f"{' '.join(words)}: {name} has {leaked}: {text}"
                for name, text in (("output", output), ("log", logs), ("children", children))
                if (leaked := leaks(text))
            )
        walked.add(words[0])
        return done.stdout

    yield run
    assert not found, "\n".join(found)
    without = {"charts", "completion", "explain", "helm-plugin"}
    assert set(COMMANDS) - walked == without, "verbs that are given nothing secret"


@pytest.mark.minutes
@pytest.mark.either_helm
def test_no_verb_shows_a_secret_or_hands_it_on(walk, tmp_path, cluster, namespace):
    for name, text in CHART.items():
        (tmp_path / "leaky" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "leaky" / name).write_text(text)
    for name, value in (("mine", PASSWORD), ("other", OTHER)):
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"auth": {"password": value}}))
        (tmp_path / f"lane-{name}.yaml").write_text(json.dumps({
            "apiVersion": "sidelane.dev/v1alpha1", "kind": "LaneDeployment", "namespace": namespace,
            "lane": {"Version": "coco", "Build": "1"},
            "releases": [{"chart": "./leaky", "values": {"auth": {"password": value}}}],
        }))  # fmt: skip
    (tmp_path / "svc1.yaml").write_text(json.dumps(SERVICE))
    lane = "--lane coco-1"

    walk(f"check ./leaky {lane} -f mine.yaml")
    walk(f"install ./leaky {lane} -f mine.yaml --dry-run", formats=("manifest",), shows=PASSWORD)
    manifest = walk(f"render ./leaky {lane} -f mine.yaml", formats=("manifest",), shows=PASSWORD)
    walk(f"post-render {lane}", formats=("manifest",), shows=PASSWORD, given=manifest)
    walk("plan lane-mine.yaml")
    walk(f"install ./leaky {lane} -f mine.yaml")
    walk(f"install ./leaky {lane} -f other.yaml", code=1, shows="(hidden)", formats=("table", "json"))
    for verb in ("plan", "apply"):
        walk(f"{verb} lane-mine.yaml")
    walk(f"upgrade ./leaky {lane} -f other.yaml")
    walk("apply lane-mine.yaml")
    for version in ("v1", "v2"):
        walk(f"install service {lane} --service-version {version} -f svc1.yaml --wait", formats=("table",))
    walk(f"upgrade service {lane} --service-version v1 -f svc1.yaml --set replicas=2 --wait", formats=("json",))

    walk(f"route set svc1 {lane} --to v1")
    walk(f"route shift svc1 {lane} --to v2 --steps 100 --every 1s --between 1s", formats=("table",))
    for verb in ("show", "history", "undo"):
        walk(f"route {verb} svc1 {lane}", formats=("table",) if verb == "undo" else ("json",))
    walk("route list")
    walk("shift --from coco-1 --to coco-2 --every 1s --between 1s", code=1, shows="svc1-v1-coco-2 is missing")
    walk("shift status")
    walk("graph")

    for verb in ("verify", "status", "record"):
        walk(f"{verb} leaky-coco-1")
    walk(f"wait {lane} --timeout 20s")
    walk("list")
    walk(f"check --deployed {lane}")
    walk("guard status")
    walk("guard role apply lane-mine.yaml", formats=("manifest",))
    walk("diff coco-1 lane-other.yaml", code=1)
    walk(f"bundle lane.tar.gz {lane} --chart ./leaky", code=1)
    walk(f"bundle lane.tar.gz {lane} --chart ./leaky --allow-secrets", formats=("json",))
    walk("replay lane.tar.gz --directory root", code=1)
    walk("replay lane.tar.gz")

    at = f"/api/v1/namespaces/{namespace}"
    cluster.patch(f"{at}/configmaps/leaky-coco-1", {"data": {"url": f"postgres://bob:{LIVE}@db"}})
    cluster.patch(f"{at}/secrets/leaky-coco-1", {"data": {"settings": base64.b64encode(LIVE.encode()).decode()}})
    web = {"name": "svc1", "env": [{"name": "DB_PASSWORD", "value": LIVE}, {"name": "DSN", "value": f"u:{LIVE}@db"}]}
    cluster.request(
        "PATCH", f"/apis/apps/v1/namespaces/{namespace}/deployments/svc1-v1-coco-1",
        {"spec": {"template": {"spec": {"containers": [web]}}}},
        **{"Content-Type": "application/strategic-merge-patch+json"},
    )  # fmt: skip
    both = ("table", "json")
    walk(f"verify {lane}", code=1, shows="(hidden)", formats=both)
    walk("diff coco-1", code=1, formats=both)
    walk(f"install ./leaky {lane} -f mine.yaml")
    walk("plan lane-mine.yaml")
    walk(f"upgrade service {lane} --service-version v1 -f svc1.yaml --set replicas=3")
    walk(f"repair {lane} --dry-run", formats=("json",))
    walk(f"repair {lane} --yes", formats=("table",))
    walk("uninstall leaky-coco-1", formats=("table",))
    walk(f"retire {lane} --dry-run")
    walk(f"retire {lane} --drain 0s", formats=("json",))

"""Planted secrets appear in no argument list, environment of a child, log, error or output of any verb."""

import base64
import functools
import http.server
import json
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest
from command_line import CommandLine

PASSWORD, OTHER, REPOSITORY = "pl4nted-Passw0rd", "an0ther-Passw0rd", "rep0sitory/Passw0rd"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: leaky\nversion: 0.1.0\n",
    "values.yaml": "Version: ''\nBuild: ''\nauth: {password: ''}\nreplicas: 1\n",
    # In a ConfigMap, which is no place for it: plainly, in an address, in upper case, in base64, and in part of one.
    "templates/cm.yaml": """\
{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: leaky-{{ $lane }}
  labels: {app: leaky-{{ $lane }}, sidelane.dev/version: {{ .Values.Version | quote }},
    sidelane.dev/build: {{ .Values.Build | quote }}, sidelane.dev/lane: {{ $lane }}}
data:
  replicas: {{ .Values.replicas | quote }}
  plain: {{ printf "the words before it are many, so that it is cut: %s" .Values.auth.password | quote }}
  url: {{ printf "postgres://bob:%s@db/%s" .Values.auth.password .Values.auth.password | quote }}
  upper: {{ upper .Values.auth.password | quote }}
  encoded: {{ b64enc .Values.auth.password | quote }}
  part: {{ printf "bob:%s" .Values.auth.password | b64enc | quote }}
""",
}


def forms(secret):
    """The forms of a secret that must not be seen, in lower case. In base64 its ends may be other characters."""
    forms = {secret, quote(secret, safe=""), secret.encode().hex(), secret[:12]}
    for before in range(3):
        whole = base64.b64encode(b"-" * before + secret.encode()).decode()
        forms.add(whole[4:-8])
    return {text.lower() for text in forms}


def planted():
    return set().union(*map(forms, (PASSWORD, OTHER, REPOSITORY)))


def require_none(what, text):
    assert [form for form in planted() if form in text.lower()] == [], what


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "leaky"
    for name, text in CHART.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def sidelane(tmp_path, helm):
    """Runs a command with a Helm that writes down its arguments and environment; looks at all that is seen of it."""
    writes_down, seen = tmp_path / "helm", tmp_path / "seen"
    writes_down.write_text(
        f"#!{sys.executable} -S\nimport os, sys\n"
        f"open({str(seen)!r}, 'a').write(repr((sys.argv, dict(os.environ))))\n"
        f"os.execv({str(helm)!r}, sys.argv)\n"
    )
    writes_down.chmod(0o755)
    line = CommandLine(tmp_path, writes_down)

    def run(*arguments, code=0, shows=""):
        done = line(*arguments, code=code)
        require_none(arguments, done.stdout + done.stderr)
        assert shows in done.stdout + done.stderr
        return done

    run.seen = seen
    return run


def test_no_verb_shows_a_secret_or_hands_it_on(sidelane, chart, tmp_path):
    def values(password):
        (tmp_path / f"{password}.yaml").write_text(json.dumps({"auth": {"password": password}}))
        return f"{password}.yaml"

    def file(password):
        release = {"chart": "./leaky", "valuesFiles": [values(password)]}
        lane = {"lane": {"Version": "coco", "Build": "1"}, "namespace": "streams", "releases": [release]}
        head = {"apiVersion": "sidelane.dev/v1alpha1", "kind": "LaneDeployment"}
        (tmp_path / "lane.yaml").write_text(json.dumps(head | lane))
        return "lane.yaml"

    at = ("--directory", "root", "-n", "streams")
    mine, other = ("-f", values(PASSWORD)), ("-f", values(OTHER))
    install = ("install", chart, "--lane", "coco-1", *at)
    for form in ("table", "json", "yaml"):
        sidelane(*install, *mine, "-o", form, code=1, shows="auth.password")
    sidelane(*install, *mine, "--allow-secrets")
    sidelane(*install, *other, "--allow-secrets", code=1, shows="data.plain")
    sidelane(*install, *other, "--allow-secrets", "-o", "json", code=1, shows="(hidden)")
    sidelane("upgrade", chart, "--lane", "coco-1", *other, *at, "--allow-secrets", code=1)
    sidelane("check", chart, "--lane", "coco-1", *other)
    for verb in ("plan", "apply"):
        sidelane(verb, file(OTHER), *at[:2], code=1)
        sidelane(verb, file(OTHER), *at[:2], "-o", "json", code=1)
    sidelane("diff", "coco-1", file(OTHER), *at, code=1)
    sidelane("diff", "coco-1", file(OTHER), *at, "-o", "json", code=1)
    for verb in ("status", "record", "verify"):
        sidelane(verb, "leaky-coco-1", *at)
    sidelane("list", *at)
    sidelane("graph", *at)
    sidelane("wait", "leaky-coco-1", *at, code=1)
    sidelane("bundle", "x.tar.gz", "--lane", "coco-1", "--chart", chart, *at, code=1, shows="auth.password")
    manifest = tmp_path / "root/streams/leaky-coco-1/manifest.yaml"
    manifest.write_text(manifest.read_text().replace(PASSWORD, OTHER).replace("many", "few"))
    sidelane("verify", "leaky-coco-1", *at, code=1)
    sidelane("verify", "leaky-coco-1", *at, "-o", "json", code=1)
    sidelane("retire", "--lane", "coco-1", *at)
    sidelane(*install, *mine, "--allow-secrets")
    sidelane("uninstall", "leaky-coco-1", *at)
    require_none("arguments and environment of children", sidelane.seen.read_text())


@pytest.fixture
def repository(helm, chart, tmp_path):
    """A chart repository that asks for a user and a password, by its address without them."""
    folder = tmp_path / "repository"
    subprocess.run([helm, "package", chart, "-d", folder], check=True, capture_output=True)
    subprocess.run([helm, "repo", "index", folder], check=True, capture_output=True)
    basic = base64.b64encode(f"bob:{REPOSITORY}".encode()).decode()

    class Private(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.headers.get("Authorization") == f"Basic {basic}":
                super().do_GET()
            else:
                self.send_error(401)

    handler = functools.partial(Private, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_credentials_of_a_repository_are_on_no_command_line_of_helm(sidelane, repository, tmp_path):
    address = f"http://bob:{quote(REPOSITORY, safe='')}@{repository}"
    release = {"chart": "leaky", "repo": address}
    lane = {"lane": {"Version": "coco", "Build": "1"}, "namespace": "streams", "releases": [release]}
    head = {"apiVersion": "sidelane.dev/v1alpha1", "kind": "LaneDeployment"}
    (tmp_path / "lane.yaml").write_text(json.dumps(head | lane))
    sidelane("plan", "lane.yaml", "--directory", "root", shows="create")
    wrong = {**head, **lane, "releases": [{**release, "repo": address.replace("bob", "eve")}]}
    (tmp_path / "lane.yaml").write_text(json.dumps(wrong))
    done = sidelane("plan", "lane.yaml", "--directory", "root", code=2)
    assert f"the chart repository at '{repository}' does not answer, or does not accept" in done.stderr
    require_none("arguments and environment of children", sidelane.seen.read_text())
    assert "eve" not in sidelane.seen.read_text()

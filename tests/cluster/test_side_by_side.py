"""The proof's verdict, and what Helm and a real API server say of both releases: they agree."""

import pytest

NAMED = """\
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec:
  type: NodePort
  selector: {release: "{{ .Release.Name }}"}
  ports: [{port: 80, nodePort: {{ .Values.nodePort }}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Values.config | default .Release.Name }}"}
"""
#: Two node ports for each Helm: all tests share the cluster. The API server itself gives out none of the range's first
#: 86 while others are free (https://kubernetes.io/docs/reference/networking/virtual-ips/#nodeport-allocation).
PORTS = {"helm3": (30011, 30012), "helm4": (30013, 30014)}


@pytest.fixture
def ports(request):
    return PORTS[request.node.callspec.params["helm"]]


@pytest.fixture
def chart(tmp_path, ports):
    folder = tmp_path / "both"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: both\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text(f"nodePort: {ports[0]}\nconfig: ''\n")
    (folder / "templates" / "both.yaml").write_text(NAMED)
    return folder


def refused(plain, chart, name, *values):
    """Helm's error for an installation; empty if it succeeds."""
    done = plain("install", name, chart, *values, check=False)
    return done.stderr if done.returncode else ""


def test_helm_and_the_api_server_refuse_what_the_proof_names_and_nothing_else(sidelane, plain, chart, ports, namespace):
    different = ("--vary", "nodePort={},{}".format(*ports))

    def clashes(*arguments, code):
        report = sidelane.json("check", chart, "--side-by-side", *arguments, code=code)
        return {(finding["rule"], finding["object"]["kind"]) for finding in report["findings"]}

    assert clashes(*different, code=0) == set()
    assert clashes(code=1) == {("service-addresses", "Service")}
    assert clashes(*different, "--set", "config=fixed", code=1) == {("shared-objects", "ConfigMap")}

    assert refused(plain, chart, "both-coco-1", "--set", "config=fixed") == ""
    assert 'ConfigMap "fixed"' in refused(plain, chart, "both-coco-2", "--set", f"config=fixed,nodePort={ports[1]}")
    assert "provided port is already allocated" in refused(plain, chart, "both-coco-3")
    assert refused(plain, chart, "both-coco-4", "--set", f"nodePort={ports[1]}") == ""

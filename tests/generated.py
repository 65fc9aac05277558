"""Generated inputs: the parts of a name, everything that the naming contract accepts, and a chart of one object."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import strategies as st
from sidelane import Lane
from sidelane.naming import contract
from sidelane.naming.lane import BUILD, VERSION


def within(limit: int, pattern: object) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= limit)


VERSIONS = within(40, VERSION)
BUILDS = within(18, BUILD)
SHORT_LANES = st.builds(Lane, within(15, VERSION), within(8, BUILD))
COMPONENTS = within(15, contract.COMPONENT)

TINY_CHART = """\
apiVersion: v2
name: tiny
version: 0.1.0
annotations:
  sidelane.dev/release-name: "{name}-{serviceVersion}"
  sidelane.dev/operational-values: replicas
"""
TINY_OBJECT = """\
{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Values.name }}-{{ .Values.serviceVersion }}-{{ $lane }}
  labels:
    app: {{ .Values.name }}-{{ $lane }}
    version: {{ .Values.serviceVersion }}
    sidelane.dev/version: {{ .Values.Version | quote }}
    sidelane.dev/build: {{ .Values.Build | quote }}
    sidelane.dev/lane: {{ $lane | quote }}
data:
  replicas: {{ .Values.replicas | quote }}
  text: {{ .Values.text | quote }}
"""


def tiny_chart(folder: Path) -> Path:
    """Writes a chart of one ConfigMap, a release for each version of a service; `replicas` alone may change."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(TINY_CHART)
    (folder / "values.yaml").write_text('name: ""\nserviceVersion: v1\nreplicas: 1\ntext: ""\n')
    (folder / "templates" / "c.yaml").write_text(TINY_OBJECT)
    return folder


TINY_SERVICE = """\
{{- $lane := printf "%s-%s" .Values.Version .Values.Build }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Values.name }}-{{ .Values.serviceVersion }}-{{ $lane }}
  labels: &labels
    app: {{ .Values.name }}-{{ $lane }}
    version: {{ .Values.serviceVersion }}
    sidelane.dev/version: {{ .Values.Version | quote }}
    sidelane.dev/build: {{ .Values.Build | quote }}
    sidelane.dev/lane: {{ $lane | quote }}
spec:
  selector:
    app: {{ .Values.name }}-{{ $lane }}
    version: {{ .Values.serviceVersion }}
    sidelane.dev/lane: {{ $lane | quote }}
  ports: [{name: http, port: 80}]
"""


def tiny_service(folder: Path) -> Path:
    """The same with a Service, so that a route can lead there; it has no pods."""
    tiny_chart(folder)
    (folder / "templates" / "service.yaml").write_text(TINY_SERVICE)
    return folder


def created_chart(folder: Path, helm: Path) -> Path:
    """The chart that `helm create` writes: one that knows no lanes."""
    subprocess.run([helm, "create", folder], check=True, capture_output=True)
    return folder

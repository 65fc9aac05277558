"""Charts that keep the naming contract: a hundred services in one release, 500 objects; one service a release; and many
small charts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

CHART = """\
apiVersion: v2
name: generated
version: 0.1.0
dependencies:
  - {name: common, version: 0.1.0, repository: "file://../common"}
"""

OBJECTS = """\
{{- range $i := until 100 }}
{{- $args := dict "root" $ "component" (printf "svc%d" $i) }}
{{- $name := include "sidelane.name" (merge (dict "kind" "Deployment") $args) }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
data:
  service.properties: |
    {{- range $line := until 12 }}
    service.setting.{{ $line }}=value-{{ $line }}
    {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
spec:
  selector: {{- include "sidelane.selector" $args | nindent 4 }}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "sidelane.selector" $args | nindent 6 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
spec:
  selector:
    matchLabels: {{- include "sidelane.selector" $args | nindent 6 }}
  template:
    metadata:
      labels: {{- include "sidelane.podLabels" $args | nindent 8 }}
    spec:
      serviceAccountName: {{ $name }}
      containers:
        - name: service
          image: example.org/service:1.0.0
          env: {{- include "sidelane.env" $args | nindent 12 }}
          ports:
            - {name: http, containerPort: 8080}
          volumeMounts:
            - {name: config, mountPath: /config, readOnly: true}
      volumes:
        - name: config
          configMap:
            name: {{ $name }}
{{- end }}
"""


SERVICE = (
    CHART.replace("generated", "single")
    + """\
annotations:
  sidelane.dev/release-name: "{name}-{serviceVersion}"
"""
)

SERVICE_OBJECTS = """\
{{- $args := dict "root" $ "component" .Values.name "serviceVersion" .Values.serviceVersion }}
{{- $name := include "sidelane.name" (merge (dict "kind" "Deployment") $args) }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
spec:
  selector: {{- include "sidelane.selector" $args | nindent 4 }}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "sidelane.labels" $args | nindent 4 }}
spec:
  selector:
    matchLabels: {{- include "sidelane.selector" $args | nindent 6 }}
  template:
    metadata:
      labels: {{- include "sidelane.podLabels" $args | nindent 8 }}
    spec:
      serviceAccountName: {{ $name }}
      containers:
        - name: service
          image: example.org/service:1.0.0
          env: {{- include "sidelane.env" $args | nindent 12 }}
          ports:
            - {name: http, containerPort: 8080}
"""


def write_service(folder: Path, charts: Path) -> Path:
    """Writes the chart of a single service into a folder, with the library chart inside, and returns its path."""
    return _write(
        folder / "single", charts, SERVICE, 'Version: ""\nBuild: ""\nname: ""\nserviceVersion: v1\n', SERVICE_OBJECTS
    )


def write(folder: Path, charts: Path) -> Path:
    """Writes the chart into a folder, with the library chart of ``charts`` inside, and returns its path."""
    return _write(folder / "generated", charts, CHART, 'Version: ""\nBuild: ""\n', OBJECTS)


def write_many(folder: Path, charts: Path, number: int) -> list[Path]:
    """Writes charts of four services, 20 objects each, with values in ci/, and returns their paths."""
    few = OBJECTS.replace("until 100", "until 4")
    written = []
    for n in range(number):
        about = CHART.replace("generated", f"many-n{n}")
        chart = _write(folder / f"many-n{n}", charts, about, 'Version: ""\nBuild: ""\n', few)
        (chart / "ci").mkdir()
        (chart / "ci" / "lane-values.yaml").write_text('Version: test\nBuild: "1"\n')
        written.append(chart)
    return written


def _write(chart: Path, charts: Path, about: str, values: str, objects: str) -> Path:
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(about)
    (chart / "values.yaml").write_text(values)
    (chart / "templates" / "objects.yaml").write_text(objects)
    shutil.copytree(charts / "common", chart / "charts" / "common")
    return chart

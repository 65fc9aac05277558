"""The parts of the rules' examples: objects that keep every rule, and their edits."""

from __future__ import annotations

from typing import Final

_LABELS: Final = """\
  labels: &labels
    app: svc1-2-coco-1
    version: v1
    sidelane.dev/version: 2-coco
    sidelane.dev/build: "1"
    sidelane.dev/lane: 2-coco-1
"""
#: A Deployment that keeps every rule.
DEPLOYMENT: Final = f"""\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: svc1-v1-2-coco-1
{_LABELS}spec:
  replicas: 1
  selector:
    matchLabels: &own {{app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}}
  template:
    metadata: {{labels: *labels}}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: main
          image: acme/svc1:1.4.0@sha256:{"0123456789abcdef" * 4}
          env:
            - {{name: SIDELANE_VERSION, value: 2-coco}}
            - {{name: SIDELANE_BUILD, value: "1"}}
            - {{name: SIDELANE_LANE, value: 2-coco-1}}
          ports: [{{name: http, containerPort: 8080}}]
          readinessProbe: {{httpGet: {{path: /, port: http}}}}
          livenessProbe: {{tcpSocket: {{port: http}}}}
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {{drop: [ALL]}}
          volumeMounts: [{{name: settings, mountPath: /settings}}]
      volumes:
        - name: settings
          configMap: {{name: svc1-v1-2-coco-1}}
"""
#: The settings that it mounts.
CONFIG_MAP: Final = f"""\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: svc1-v1-2-coco-1
{_LABELS}immutable: true
data:
  level: info
"""
#: The Service of its pods.
SERVICE: Final = f"""\
---
apiVersion: v1
kind: Service
metadata:
  name: svc1-v1-2-coco-1
{_LABELS}spec:
  selector: {{app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""
#: All three.
RELEASE: Final = CONFIG_MAP + SERVICE + DEPLOYMENT


def made(api_version: str, kind: str, rest: str, name: str = "svc1-v1-2-coco-1") -> str:
    """Return another object of the same lane. rest: its fields beside metadata, such as ``spec: {}``."""
    return f"---\napiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n{_LABELS}{rest}\n"


def edited(text: str, *edits: tuple[str, str]) -> str:
    """Return a text with each edit, a part of it and its replacement. Raises ValueError if the text lacks the part."""
    for before, after in edits:
        if before not in text:
            raise ValueError(f"the example has no {before!r}")
        text = text.replace(before, after)
    return text

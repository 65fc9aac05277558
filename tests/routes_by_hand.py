"""Routes as their values say them, and the objects that they have to become, written by hand from the APIs' references.

https://istio.io/latest/docs/reference/config/networking/virtual-service/ and
https://gateway-api.sigs.k8s.io/reference/spec/ say what each field means.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml


class Case(NamedTuple):
    """Values in lane 2-coco-1 of namespace default, and the spec of each object."""

    values: dict[str, Any]
    specs: dict[str, Any]


def _case(values: str, **specs: str) -> Case:
    given = {"name": "svc1", **yaml.safe_load(values)}
    return Case(given, {kind: yaml.safe_load(spec) for kind, spec in specs.items()})


def in_namespace(case: Case, namespace: str) -> Case:
    """The same case in another namespace."""
    text = (
        yaml.safe_dump(case.specs)
        .replace(".default.svc", f".{namespace}.svc")
        .replace("default/own", f"{namespace}/own")
    )
    return Case(case.values, yaml.safe_load(text))


SERVICE_V1 = """
type: ClusterIP
selector: {app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}
ports: [{name: http, port: 80, targetPort: http, protocol: TCP, appProtocol: http}]
"""
SERVICE_V2 = SERVICE_V1.replace("version: v1", "version: v2")

ISTIO = """
hosts: [svc1-2-coco-1.default.svc.cluster.local]
gateways: [mesh]
http:
"""
TO_V1 = "{destination: {host: svc1-v1-2-coco-1.default.svc.cluster.local, port: {number: 80}}, weight: %d}"
TO_V2 = TO_V1.replace("svc1-v1", "svc1-v2")

GATEWAY = """
parentRefs: [{group: "", kind: Service, name: svc1-2-coco-1, port: 80}]
rules:
"""
EVERYTHING = "matches: [{path: {type: PathPrefix, value: /}}]"
REF_V1 = '{group: "", kind: Service, name: svc1-v1-2-coco-1, port: 80, weight: %d}'
REF_V2 = REF_V1.replace("svc1-v1", "svc1-v2")

SINGLE = "targets: [{serviceVersion: v1, weight: 100}]"
SWITCHED = "targets: [{serviceVersion: v2, weight: 100}]"
SPLIT = "targets: [{serviceVersion: v1, weight: 90}, {serviceVersion: v2, weight: 10}]"
HEADER = """
targets: [{serviceVersion: v1, weight: 1}]
matches: [{headers: [{name: X-Canary, value: "true"}], targets: [{serviceVersion: v2, weight: 1}]}]
"""
MIRROR = "{targets: [{serviceVersion: v1, weight: 1}], mirror: {serviceVersion: v2, percent: 25}}"

CASES: dict[str, Case] = {
    "service single": _case(SINGLE, Service=SERVICE_V1),
    "service switched": _case(SWITCHED, Service=SERVICE_V2),
    "service blue and green": _case(
        "targets: [{serviceVersion: v1, weight: 0}, {serviceVersion: v2, weight: 5}]", Service=SERVICE_V2
    ),
    "service to another lane": _case(
        "targets: [{serviceVersion: v1, lane: 2-coco-2, weight: 1}]",
        Service=SERVICE_V1.replace("app: svc1-2-coco-1", "app: svc1-2-coco-2").replace(
            "lane: 2-coco-1}", "lane: 2-coco-2}"
        ),
    ),
    "service with affinity": _case(
        SINGLE + "\naffinity: {by: clientIP, seconds: 60}",
        Service=SERVICE_V1 + "sessionAffinity: ClientIP\nsessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}",
    ),
    "istio single": _case(
        "mode: istio\n" + SINGLE,
        Service=SERVICE_V1,
        VirtualService=ISTIO + f"- {{name: default, route: [{TO_V1 % 100}]}}",
    ),
    "istio switched": _case(
        "mode: istio\n" + SWITCHED,
        Service=SERVICE_V2,
        VirtualService=ISTIO + f"- {{name: default, route: [{TO_V2 % 100}]}}",
    ),
    "istio split": _case(
        "mode: istio\n" + SPLIT,
        Service=SERVICE_V1,
        VirtualService=ISTIO + f"- {{name: default, route: [{TO_V1 % 90}, {TO_V2 % 10}]}}",
    ),
    "istio header": _case(
        "mode: istio" + HEADER,
        Service=SERVICE_V1,
        VirtualService=ISTIO
        + f"- {{name: match-0, match: [{{headers: {{x-canary: {{exact: 'true'}}}}}}], route: [{TO_V2 % 1}]}}\n"
        + f"- {{name: default, route: [{TO_V1 % 1}]}}",
    ),
    "istio mirror": _case(
        "mode: istio\n" + MIRROR[1:-1].replace(", mirror", "\nmirror"),
        Service=SERVICE_V1,
        VirtualService=ISTIO
        + f"""
- name: default
  route: [{TO_V1 % 1}]
  mirror: {{host: svc1-v2-2-coco-1.default.svc.cluster.local, port: {{number: 80}}}}
  mirrorPercentage: {{value: 25}}
""",
    ),
    "istio everything": _case(
        """
mode: istio
targets: [{serviceVersion: v1, weight: 1}]
matches:
  - path: {prefix: /api}
    method: POST
    cookie: {name: group, value: beta}
    targets: [{lane: 2-coco-2, serviceVersion: v2, weight: 1}]
  - path: {prefix: /}
    headers: [{name: x-user, regex: "[0-9]+"}]
    targets: [{lane: 2-coco-2, weight: 1}]
timeout: 10s
retries: {attempts: 2, perTryTimeout: 3s, conditions: [connect-failure, "503"]}
ingress: {gateways: [{name: public, namespace: ingress}, {name: own}], hosts: [svc1.example.org]}
""",
        Service=SERVICE_V1,
        VirtualService="""
hosts: [svc1-2-coco-1.default.svc.cluster.local, svc1.example.org]
gateways: [mesh, ingress/public, default/own]
http:
  - name: match-0
    match:
      - uri: {exact: /api}
        method: {exact: POST}
        headers: {cookie: {regex: "(.*; ?)?group=beta(;.*)?"}}
      - uri: {prefix: /api/}
        method: {exact: POST}
        headers: {cookie: {regex: "(.*; ?)?group=beta(;.*)?"}}
    route: [{destination: {host: svc1-v2-2-coco-2.default.svc.cluster.local, port: {number: 80}}, weight: 1}]
    timeout: 10s
    retries: {attempts: 2, perTryTimeout: 3s, retryOn: "connect-failure,503"}
  - name: match-1
    match: [{headers: {x-user: {regex: "[0-9]+"}}}]
    route: [{destination: {host: svc1-2-coco-2.default.svc.cluster.local, port: {number: 80}}, weight: 1}]
    timeout: 10s
    retries: {attempts: 2, perTryTimeout: 3s, retryOn: "connect-failure,503"}
  - name: default
    route: [{destination: {host: svc1-v1-2-coco-1.default.svc.cluster.local, port: {number: 80}}, weight: 1}]
    timeout: 10s
    retries: {attempts: 2, perTryTimeout: 3s, retryOn: "connect-failure,503"}
""",
    ),
    "istio affinity": _case(
        "mode: istio\naffinity: {by: cookie, cookie: keep, seconds: 60}\n" + SINGLE,
        Service=SERVICE_V1,
        VirtualService=ISTIO + f"- {{name: default, route: [{TO_V1 % 100}]}}",
        DestinationRule="""
host: svc1-v1-2-coco-1.default.svc.cluster.local
trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: keep, path: /, ttl: 60s}}}}
""",
    ),
    "gateway single": _case(
        "mode: gateway\n" + SINGLE,
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY + f"- {{{EVERYTHING}, backendRefs: [{REF_V1 % 100}]}}",
    ),
    "gateway switched": _case(
        "mode: gateway\n" + SWITCHED,
        Service=SERVICE_V2,
        HTTPRoute=GATEWAY + f"- {{{EVERYTHING}, backendRefs: [{REF_V2 % 100}]}}",
    ),
    "gateway split": _case(
        "mode: gateway\n" + SPLIT,
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY + f"- {{{EVERYTHING}, backendRefs: [{REF_V1 % 90}, {REF_V2 % 10}]}}",
    ),
    "gateway header": _case(
        "mode: gateway" + HEADER,
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY
        + f"""
- matches: [{{path: {{type: PathPrefix, value: /}}, headers: [{{type: Exact, name: x-canary, value: "true"}}]}}]
  backendRefs: [{REF_V2 % 1}]
- {EVERYTHING}
  backendRefs: [{REF_V1 % 1}]
""",
    ),
    "gateway mirror": _case(
        "mode: gateway\n" + MIRROR[1:-1].replace(", mirror", "\nmirror"),
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY
        + f"""
- {EVERYTHING}
  filters:
    - type: RequestMirror
      requestMirror: {{backendRef: {{group: "", kind: Service, name: svc1-v2-2-coco-1, port: 80}}, percent: 25}}
  backendRefs: [{REF_V1 % 1}]
""",
    ),
    "gateway everything": _case(
        """
mode: gateway
targets: [{serviceVersion: v1, weight: 1}]
matches:
  - path: {exact: /healthz}
    targets: [{lane: 2-coco-2, weight: 1}]
  - path: {prefix: /api}
    method: POST
    cookie: {name: group, value: beta}
    targets: [{serviceVersion: v2, weight: 1}]
timeout: 10s
mesh: false
ingress: {gateways: [{name: public, namespace: ingress, section: https}], hosts: [svc1.example.org]}
""",
        Service=SERVICE_V1,
        HTTPRoute=f"""
parentRefs:
  - {{group: gateway.networking.k8s.io, kind: Gateway, name: public, namespace: ingress, sectionName: https}}
hostnames: [svc1.example.org]
rules:
  - matches: [{{path: {{type: Exact, value: /healthz}}}}]
    timeouts: {{request: 10s}}
    backendRefs: [{{group: "", kind: Service, name: svc1-2-coco-2, port: 80, weight: 1}}]
  - matches:
      - path: {{type: PathPrefix, value: /api}}
        method: POST
        headers: [{{type: RegularExpression, name: cookie, value: "(.*; ?)?group=beta(;.*)?"}}]
    timeouts: {{request: 10s}}
    backendRefs: [{REF_V2 % 1}]
  - {EVERYTHING}
    timeouts: {{request: 10s}}
    backendRefs: [{REF_V1 % 1}]
""",
    ),
}

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
    given = {"name": "svc1", **yaml.load(values, yaml.CSafeLoader)}
    return Case(given, {kind: yaml.load(spec, yaml.CSafeLoader) for kind, spec in specs.items()})


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
#: Services that their chart names in its own way, with labels of its own.
PATTERN = """
targetService: "{name}-{serviceVersion}-{lane}-api"
selectors: {svc1-v1-2-coco-1-api: {app.kubernetes.io/instance: svc1-v1-2-coco-1}}
"""
SERVICE_API = SERVICE_V1.replace(
    "{app: svc1-2-coco-1, version: v1, sidelane.dev/lane: 2-coco-1}",
    "{app.kubernetes.io/instance: svc1-v1-2-coco-1}",
)
STAYING = SPLIT[:-1] + ", {serviceVersion: v3, weight: 0}]"
TO_V3 = TO_V1.replace("svc1-v1", "svc1-v3")
REF_V3 = REF_V1.replace("svc1-v1", "svc1-v3")
SET_COOKIE = "'%s=v%d%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax'"
MIRROR = "{targets: [{serviceVersion: v1, weight: 1}], mirror: {serviceVersion: v2, percent: 25}}"


def _api(target: str) -> str:
    """A target whose Service has the name of PATTERN."""
    return target.replace("2-coco-1", "2-coco-1-api")


def _told(target: str, header: str, how: str = "add") -> str:
    """A target of a VirtualService whose responses have a header."""
    return f"{target[:-1]}, headers: {{response: {{{how}: {{{header}}}}}}}}}"


def _filtered(target: str, name: str, value: str, how: str = "add") -> str:
    """A target of an HTTPRoute whose responses have a header."""
    modifier = f"{{{how}: [{{name: {name}, value: {value}}}]}}"
    return f"{target[:-1]}, filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {modifier}}}]}}"


def _cookie(target: str, weight: int, version: int, name: str = "sidelane-svc1-2-coco-1", *, rest: str = "") -> str:
    """A target of a VirtualService whose responses set the cookie of a session."""
    return _told(target % weight, "set-cookie: " + SET_COOKIE % (name, version, rest, 60))


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
    "service by a pattern": _case(SINGLE + PATTERN, Service=SERVICE_API),
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
    "istio by a pattern": _case(
        "mode: istio\n" + SPLIT + PATTERN,
        Service=SERVICE_API,
        VirtualService=ISTIO + f"- {{name: default, route: [{_api(TO_V1 % 90)}, {_api(TO_V2 % 10)}]}}",
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
    "gateway by a pattern": _case(
        "mode: gateway\n" + SPLIT + PATTERN,
        Service=SERVICE_API,
        HTTPRoute=GATEWAY + f"- {{{EVERYTHING}, backendRefs: [{_api(REF_V1 % 90)}, {_api(REF_V2 % 10)}]}}",
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
    "istio stay by cookie": _case(
        "mode: istio\nstay: {by: cookie, seconds: 60}\n" + STAYING,
        Service=SERVICE_V1,
        VirtualService=ISTIO
        + f"""
- name: default-svc1-v1-2-coco-1
  match: [{{headers: {{cookie: {{regex: '(.*; ?)?sidelane-svc1-2-coco-1=v1(;.*)?'}}}}}}]
  route: [{_cookie(TO_V1, 1, 1)}]
- name: default-svc1-v2-2-coco-1
  match: [{{headers: {{cookie: {{regex: '(.*; ?)?sidelane-svc1-2-coco-1=v2(;.*)?'}}}}}}]
  route: [{_cookie(TO_V2, 1, 2)}]
- name: default
  route: [{_cookie(TO_V1, 90, 1)}, {_cookie(TO_V2, 10, 2)}, {_cookie(TO_V3, 0, 3)}]
""",
    ),
    "istio stay without a split": _case(
        "mode: istio\nstay: {by: cookie}\ntargets: [{serviceVersion: v1, weight: 0}, {serviceVersion: v2, weight: 1}]",
        Service=SERVICE_V2,
        VirtualService=ISTIO + f"- {{name: default, route: [{TO_V1 % 0}, {TO_V2 % 1}]}}",
    ),
    "istio stay in matches": _case(
        """
mode: istio
stay: {by: cookie, name: keep, seconds: 60, since: 7}
timeout: 10s
matches:
  - cookie: {name: group, value: beta}
    targets: [{serviceVersion: v2, weight: 1}, {serviceVersion: v1, weight: 0}]
  - path: {exact: /api}
    cookie: {name: group, value: beta}
    targets: [{serviceVersion: v3, weight: 2}, {serviceVersion: v1, weight: 3}]
"""
        + SPLIT,
        Service=SERVICE_V1,
        VirtualService=ISTIO
        + f"""
- name: match-0
  match: [{{headers: {{cookie: {{regex: '(.*; ?)?group=beta(;.*)?'}}}}}}]
  route: [{TO_V2 % 1}, {TO_V1 % 0}]
  timeout: 10s
- name: match-1-svc1-v3-2-coco-1
  match: [{{uri: {{exact: /api}}, headers: {{cookie: {{regex: '(.*; ?)?(group=beta; ?(.*; ?)?keep-match-1=v3\\.7|keep-match-1=v3\\.7; ?(.*; ?)?group=beta)(;.*)?'}}}}}}]
  route: [{_cookie(TO_V3, 1, 3, "keep-match-1", rest=".7")}]
  timeout: 10s
- name: match-1-svc1-v1-2-coco-1
  match: [{{uri: {{exact: /api}}, headers: {{cookie: {{regex: '(.*; ?)?(group=beta; ?(.*; ?)?keep-match-1=v1\\.7|keep-match-1=v1\\.7; ?(.*; ?)?group=beta)(;.*)?'}}}}}}]
  route: [{_cookie(TO_V1, 1, 1, "keep-match-1", rest=".7")}]
  timeout: 10s
- name: match-1
  match: [{{uri: {{exact: /api}}, headers: {{cookie: {{regex: '(.*; ?)?group=beta(;.*)?'}}}}}}]
  route: [{_cookie(TO_V3, 2, 3, "keep-match-1", rest=".7")}, {_cookie(TO_V1, 3, 1, "keep-match-1", rest=".7")}]
  timeout: 10s
- name: default-svc1-v1-2-coco-1
  match: [{{headers: {{cookie: {{regex: '(.*; ?)?keep=v1\\.7(;.*)?'}}}}}}]
  route: [{_cookie(TO_V1, 1, 1, "keep", rest=".7")}]
  timeout: 10s
- name: default-svc1-v2-2-coco-1
  match: [{{headers: {{cookie: {{regex: '(.*; ?)?keep=v2\\.7(;.*)?'}}}}}}]
  route: [{_cookie(TO_V2, 1, 2, "keep", rest=".7")}]
  timeout: 10s
- name: default
  route: [{_cookie(TO_V1, 90, 1, "keep", rest=".7")}, {_cookie(TO_V2, 10, 2, "keep", rest=".7")}]
  timeout: 10s
""",  # noqa: E501
    ),
    "gateway stay by cookie": _case(
        "mode: gateway\nstay: {by: cookie, seconds: 60}\n" + SPLIT,
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY
        + "\n".join(
            f"""
- matches:
    - path: {{type: PathPrefix, value: /}}
      headers: [{{type: RegularExpression, name: cookie, value: '{regex}'}}]
  backendRefs: [{_filtered(ref % 1, "set-cookie", SET_COOKIE % ("sidelane-svc1-2-coco-1", version, "", 60))}]
"""
            for version, ref, regex in (
                (1, REF_V1, "(.*; ?)?sidelane-svc1-2-coco-1=v1(;.*)?"),
                (2, REF_V2, "(.*; ?)?sidelane-svc1-2-coco-1=v2(;.*)?"),
            )
        )
        + f"""
- {EVERYTHING}
  backendRefs:
    - {_filtered(REF_V1 % 90, "set-cookie", SET_COOKIE % ("sidelane-svc1-2-coco-1", 1, "", 60))}
    - {_filtered(REF_V2 % 10, "set-cookie", SET_COOKIE % ("sidelane-svc1-2-coco-1", 2, "", 60))}
""",
    ),
    "gateway stay by header": _case(
        "mode: gateway\nstay: {by: header, name: X-Version, since: 7}\n"
        "matches: [{headers: [{name: x-user, value: a}], targets: [{serviceVersion: v3, weight: 1}]}]\n" + SPLIT,
        Service=SERVICE_V1,
        HTTPRoute=GATEWAY
        + f"""
- matches: [{{path: {{type: PathPrefix, value: /}}, headers: [{{type: Exact, name: x-user, value: a}}]}}]
  backendRefs: [{REF_V3 % 1}]
"""
        + "\n".join(
            f"""
- matches:
    - path: {{type: PathPrefix, value: /}}
      headers: [{{type: Exact, name: x-version, value: {value}}}]
  backendRefs: [{_filtered(ref % 1, "x-version", value, "set")}]
"""
            for ref, value in ((REF_V1, "v1.7"), (REF_V2, "v2.7"))
        )
        + f"""
- {EVERYTHING}
  backendRefs:
    - {_filtered(REF_V1 % 90, "x-version", "v1.7", "set")}
    - {_filtered(REF_V2 % 10, "x-version", "v2.7", "set")}
""",
    ),
}

"""Ports that are named elsewhere exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.examples import DEPLOYMENT, RELEASE, edited, made
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers, pods_by_label, served
from sidelane.manifest import Identity, Object, selectors
from sidelane.manifest.fields import Fields, at, mapping, walk

_HANDLERS: Final = Fields(
    (f"{handler}.{kind}.port", None)
    for handler in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle.postStart", "lifecycle.preStop")
    for kind in ("httpGet", "tcpSocket")
)
_INGRESS: Final = ("spec.defaultBackend.service", "spec.rules[].http.paths[].backend.service")
_ROUTES: Final = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"})
#: Backends of other kinds: their pattern, and the port if they name none.
_WEBHOOKS: Final = {
    "ValidatingWebhookConfiguration": "webhooks[].clientConfig.service",
    "MutatingWebhookConfiguration": "webhooks[].clientConfig.service",
    "APIService": "spec.service",
}
_SERVICE: Final = ("", "Service")
_Services = Mapping[Identity, Object]
_INGRESS_OF: Final = (
    "spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: "
    "{name: svc1-v1-2-coco-1, port: {%s}}}}]}}]}"
)


def _check(context: Context) -> Iterator[Problem]:
    services = {obj.identity: obj for obj in context.manifest.objects if (obj.identity.group, obj.kind) == _SERVICE}
    yield from _of_services(context, services)
    for obj in context.manifest.objects:
        if template := obj.pod_template:
            for path, container in containers(template):
                yield from _of_probes(obj, path, container)
        yield from _of_backends(obj, services)
        if obj.kind == "ServiceMonitor":
            yield from _of_monitor(obj, services)


def _of_services(context: Context, services: _Services) -> Iterator[Problem]:
    named = [(obj, path, port) for obj in services.values() for path, port in walk(obj.body, "spec.ports[].targetPort")]
    # A headless Service gives the pods' addresses whatever its ports are.
    named = [each for each in named if at(each[0].body, "spec", "clusterIP") != "None"]
    named = [each for each in named if isinstance(each[2], str) and not each[2].isdigit()]
    for obj, path, port in named:
        pods = pods_by_label(context)
        matched = [workload for each in selectors(obj) for workload in pods.matches(obj.identity.namespace, each)]
        templates = [template for workload in matched if (template := workload.pod_template)]
        names = {name for template in templates for _, each in served(template) for name in _ports(each)}
        if matched and port not in names:
            yield Problem(obj, path, f"no container of its pods has a port {shown(port)}", other=matched[0])


def _ports(container: Mapping[str, Any]) -> set[str]:
    return {str(name) for _, name in walk(container, "ports[].name")}


def _of_probes(obj: Object, base: str, container: Mapping[str, Any]) -> Iterator[Problem]:
    for path, port, _ in _HANDLERS.walk(container, base):
        if isinstance(port, str) and not port.isdigit() and port not in _ports(container):
            yield Problem(obj, path, f"the container has no port {shown(port)}")


def _of_backends(obj: Object, services: _Services) -> Iterator[Problem]:
    for path, backend, port in _backends(obj):
        namespace = str(at(backend, "namespace") or obj.identity.namespace)
        service = services.get(Identity("", "Service", namespace, str(at(backend, "name"))))
        # A Service without a selector, or an external name, may be anything's.
        if service is None or port is None or at(service.body, "spec", "type") == "ExternalName":
            continue
        ports = [value for key in ("name", "port") for _, value in walk(service.body, f"spec.ports[].{key}")]
        if port not in ports:
            yield Problem(obj, path, f"{service.identity} has no port {shown(port)}", other=service)


def _backends(obj: Object) -> Iterator[tuple[str, Any, Any]]:
    """Yield every reference to a Service with a port: its path, itself, and the port's name or number."""
    if (obj.identity.group, obj.kind) == ("networking.k8s.io", "Ingress"):
        for pattern in _INGRESS:
            for path, backend in walk(obj.body, pattern):
                port = mapping(backend, "port")
                yield f"{path}.port", backend, port.get("name") or port.get("number")
    elif obj.kind in _ROUTES and obj.identity.group == "gateway.networking.k8s.io":
        for path, backend in walk(obj.body, "spec.rules[].backendRefs[]"):
            if at(backend, "kind") in (None, "Service"):
                yield f"{path}.port", backend, at(backend, "port")
    elif obj.kind in _WEBHOOKS:
        for path, backend in walk(obj.body, _WEBHOOKS[obj.kind]):
            yield f"{path}.port", backend, at(backend, "port") or 443


def _of_monitor(obj: Object, services: _Services) -> Iterator[Problem]:
    if at(obj.body, "spec", "namespaceSelector"):
        return
    own = [service for service in services.values() if service.identity.namespace == obj.identity.namespace]
    selected = [service for service in own for selector in selectors(obj) if selector.matches(service.labels)]
    names = {str(name) for service in selected for _, name in walk(service.body, "spec.ports[].name")}
    for path, port in walk(obj.body, "spec.endpoints[].port"):
        if selected and str(port) not in names:
            yield Problem(obj, path, f"no Service that it selects has a port {shown(port)}", other=selected[0])


RULE: Final[Rule] = Rule(
    id="port-names",
    title="Ports that are named elsewhere exist",
    explanation=(
        "A Service whose targetPort no container has gets no endpoints, a probe of an unknown port always fails, and "
        "an Ingress, a route or a webhook with a port that its Service lacks answers with an error. The API server "
        "accepts all of these. The rule covers Services and pods in the manifest."
    ),
    remedy="use the name or number of a port that exists",
    wrong=(
        edited(RELEASE, ("targetPort: http", "targetPort: web")),
        edited(RELEASE, ("tcpSocket: {port: http}", "tcpSocket: {port: web}")),
        RELEASE + made("networking.k8s.io/v1", "Ingress", _INGRESS_OF % "number: 8080"),
        RELEASE + made("monitoring.coreos.com/v1", "ServiceMonitor", "spec: {selector: {matchLabels: *labels}, "
                       "endpoints: [{port: metrics}]}"),
    ),
    right=(
        RELEASE,
        RELEASE + made("networking.k8s.io/v1", "Ingress", _INGRESS_OF % "name: http"),
        DEPLOYMENT.replace("configMap: {name: svc1-v1-2-coco-1}", "emptyDir: {}"),
    ),
    check=_check,
    origin="Kubernetes, Service: port definitions; Configure Probes",
    scope="all",
)  # fmt: skip

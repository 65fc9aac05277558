"""An Envoy's routes, made from a VirtualService or an HTTPRoute by what their references say that these mean.

https://istio.io/latest/docs/reference/config/networking/virtual-service/: rules hold in their order, weights are
relative. https://gateway-api.sigs.k8s.io/reference/spec/ (HTTPRouteRule.matches): the most specific match holds, and of
equals the first; a path prefix is of whole segments.

Both name response headers for one target only: Istio's HTTPRouteDestination.headers, the Gateway API's
HTTPBackendRef.filters. `add` keeps a header that the response has, and `set` replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
#: The name of the Service that an address belongs to → the name of Envoy's cluster for it.
Cluster = Callable[[str], str]


def of_virtual_service(spec: Json) -> list[Json]:
    """Envoy's routes (config.route.v3.Route) for a VirtualService."""
    routes = []
    for rule in spec["http"]:
        action = _action(
            [
                (_service(way["destination"]["host"]), way["weight"], way.get("headers", {}).get("response", {}))
                for way in rule["route"]
            ]
        )
        if "timeout" in rule:
            action["timeout"] = rule["timeout"]
        if mirror := rule.get("mirror"):
            action["request_mirror_policies"] = [_mirror(_service(mirror["host"]), rule["mirrorPercentage"]["value"])]
        if retries := rule.get("retries"):
            action["retry_policy"] = {"num_retries": retries["attempts"], "retry_on": retries["retryOn"]}
        routes += [{"match": _istio_match(match), "route": action} for match in rule.get("match", [{}])]
    return routes


def of_http_route(spec: Json) -> list[Json]:
    """Envoy's routes (config.route.v3.Route) for an HTTPRoute."""
    routes = []
    for rule in spec["rules"]:
        action = _action([(way["name"], way["weight"], _modified(way)) for way in rule["backendRefs"]])
        if timeouts := rule.get("timeouts"):
            action["timeout"] = timeouts["request"].replace("1m", "60s")
        mirrors = [
            filter_["requestMirror"] for filter_ in rule.get("filters", ()) if filter_["type"] == "RequestMirror"
        ]
        if mirrors:
            action["request_mirror_policies"] = [
                _mirror(filter_["backendRef"]["name"], filter_["percent"]) for filter_ in mirrors
            ]
        routes += [(_precedence(match), {"match": _gateway_match(match), "route": action}) for match in rule["matches"]]
    return [route for _, route in sorted(routes, key=lambda pair: pair[0])]  # the sort is stable


def _service(host: str) -> str:
    return host.split(".", maxsplit=1)[0]


def _modified(way: Json) -> dict[str, dict[str, str]]:
    """A backend's ResponseHeaderModifier in Istio's form: how → name → value."""
    return {
        how: {header["name"]: header["value"] for header in headers}
        for filter_ in way.get("filters", ())
        for how, headers in filter_["responseHeaderModifier"].items()
    }


def _action(ways: list[tuple[str, int, dict[str, dict[str, str]]]]) -> Json:
    clusters = [{"name": name, "weight": weight, **_responses(headers)} for name, weight, headers in ways]
    return {"weighted_clusters": {"clusters": clusters}}


def _responses(headers: dict[str, dict[str, str]]) -> Json:
    """The changes of response headers as Envoy's HeaderValueOptions."""
    actions = {"add": "APPEND_IF_EXISTS_OR_ADD", "set": "OVERWRITE_IF_EXISTS_OR_ADD"}
    options = [
        {"header": {"key": name, "value": value}, "append_action": actions[how]}
        for how, named in headers.items()
        for name, value in named.items()
    ]
    return {"response_headers_to_add": options} if options else {}


def _mirror(name: str, percent: float) -> Json:
    fraction = {"numerator": round(percent * 10_000), "denominator": "MILLION"}
    return {"cluster": name, "runtime_fraction": {"default_value": fraction}}


def _text(how: Json) -> Json:
    """Istio's StringMatch as Envoy's StringMatcher."""
    ((kind, value),) = how.items()
    return {"safe_regex": {"regex": value}} if kind == "regex" else {kind: value}


def _istio_match(match: Json) -> Json:
    uri = match.get("uri", {"prefix": "/"})
    path = {"path": uri["exact"]} if "exact" in uri else {"prefix": uri["prefix"]}
    headers = [{"name": name, "string_match": _text(how)} for name, how in match.get("headers", {}).items()]
    if method := match.get("method"):
        headers.append({"name": ":method", "string_match": _text(method)})
    return {**path, **({"headers": headers} if headers else {})}


def _gateway_match(match: Json) -> Json:
    kind, value = match["path"]["type"], match["path"]["value"]
    path = {"path": value} if kind == "Exact" else {"prefix": "/"} if value == "/" else {"path_separated_prefix": value}
    how = {"Exact": "exact", "RegularExpression": "regex"}
    headers = [
        {"name": header["name"], "string_match": _text({how[header["type"]]: header["value"]})}
        for header in match.get("headers", ())
    ]
    if method := match.get("method"):
        headers.append({"name": ":method", "string_match": {"exact": method}})
    return {**path, **({"headers": headers} if headers else {})}


def _precedence(match: Json) -> tuple[bool, int, bool, int]:
    """The order of matches: the one that holds first sorts first."""
    exact = match["path"]["type"] == "Exact"
    return (not exact, -len(match["path"]["value"]), "method" not in match, -len(match.get("headers", ())))

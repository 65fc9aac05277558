"""One target of a route, and the name of its Service: the naming contract's, or that of the route's pattern.

A pattern is text with placeholders, such as ``{name}-{lane}-api``: charts that know no lanes name their Services as
they like. The templates of `charts/route` (_targets.tpl, _pattern_checks.tpl) follow the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sidelane.errors import InvalidName, InvalidRoute
from sidelane.naming.contract import KIND_LIMITS, SERVICE_VERSION, component_name, service_version_name
from sidelane.naming.labels import LANE
from sidelane.naming.lane import Lane

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS: Final = ("name", "lane", "serviceVersion")
#: RFC 1035, as the API server checks the name of a Service.
_SERVICE: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True)
class Destination:
    """One target of a route. lane: None for the route's own.

    >>> Destination.parse("2-coco-2/v1")
    Destination(service_version='v1', lane=Lane(version='2-coco', build='2'))

    Raises InvalidRoute, InvalidLane.
    """

    service_version: str | None
    lane: Lane | None = None

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Parses ``v1``, ``2-coco-2/v1`` or ``2-coco-2``."""
        lane, slash, version = text.rpartition("/")
        if slash:
            return cls(_version(version), Lane.parse(lane))
        if SERVICE_VERSION.fullmatch(text):
            return cls(text)
        if "-" not in text:
            raise InvalidRoute(
                f"{text!r} is not a valid target", remedy="write it such as 'v1', '2-coco-2/v1' or '2-coco-2'"
            )
        return cls(None, Lane.parse(text))

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Destination:
        """Parses a target of the chart's values."""
        version, lane = values.get("serviceVersion"), values.get("lane")
        return cls(_version(version) if version else None, Lane.parse(lane) if lane else None)

    def within(self, own: Lane) -> Destination:
        """Returns the same target as a route of that lane writes it. Raises InvalidRoute for the route itself."""
        lane = None if self.lane == own else self.lane
        if lane is None and self.service_version is None:
            raise InvalidRoute(
                f"a route of lane {own} would lead to itself", remedy="name a version such as 'v1', or another lane"
            )
        return Destination(self.service_version, lane)

    def pods(self, name: str, own: Lane) -> dict[str, str]:
        """Returns the labels of the target's pods."""
        lane = self.lane or own
        version = {"version": self.service_version} if self.service_version else {}
        return {"app": component_name(name, lane), **version, LANE: str(lane)}

    def to_values(self) -> dict[str, Any]:
        """Returns the target in the form of the chart's values."""
        lane = {"lane": str(self.lane)} if self.lane else {}
        return {**({"serviceVersion": self.service_version} if self.service_version else {}), **lane}

    def __str__(self) -> str:
        return "/".join(filter(None, (str(self.lane) if self.lane else "", self.service_version)))


def _version(text: object) -> str:
    if not isinstance(text, str) or not SERVICE_VERSION.fullmatch(text):
        raise InvalidRoute(
            f"the service version {text!r} must be 'v', a digit, and then lower-case letters and digits",
            remedy="write it such as 'v1' or 'v2beta1'",
        )
    return text


def service_name(pattern: str, service: str, to: Destination, own: Lane) -> str:
    """Returns the name of a target's Service. pattern: the route's; empty for the naming contract's name.

    >>> service_name("", "svc1", Destination("v1"), Lane("2-coco", 1))
    'svc1-v1-2-coco-1'
    >>> service_name("{name}-{lane}-api", "podinfo", Destination(None, Lane("coco", 2)), Lane("live", 0))
    'podinfo-coco-2-api'

    Raises InvalidName, and InvalidRoute for a pattern that is invalid or does not tell the target from others.
    """
    lane, version = to.lane or own, to.service_version
    if not pattern:
        if version is None:
            return component_name(service, lane)
        return service_version_name(service, version, lane, kind="Service")
    _require_pattern(pattern)
    if ("{serviceVersion}" in pattern) != (version is not None):
        raise InvalidRoute(
            f"the target {to} has {'no' if version is None else 'a'} service version, and the target service "
            f"{pattern!r} has {'the' if version is None else 'no'} placeholder {{serviceVersion}}",
            remedy="name a version in every target"
            if version is None
            else "add the placeholder: without it, all versions would be one Service",
        )
    texts = {"name": service, "lane": str(lane), "serviceVersion": version or ""}
    name = _PLACEHOLDER.sub(lambda match: texts[match[1]], pattern)
    limit = KIND_LIMITS["Service"]
    if len(name) > limit or not _SERVICE.fullmatch(name):
        raise InvalidName(
            f"the target {to} would be the Service {name!r}, which must be at most {limit} lower-case letters, digits "
            "and dashes, begin with a letter and not end with a dash",
            remedy="write the target service such as 'podinfo-{lane}-api'",
        )
    return name


def _require_pattern(pattern: str) -> None:
    unknown = [text for text in _PLACEHOLDER.findall(pattern) if text not in _PLACEHOLDERS]
    if unknown:
        raise InvalidRoute(
            f"the target service {pattern!r} has the unknown placeholder {{{unknown[0]}}}",
            remedy="use {name}, {lane} and {serviceVersion}",
        )
    if "{lane}" not in pattern:
        raise InvalidRoute(
            f"the target service {pattern!r} has no placeholder {{lane}}, so the targets of all lanes would be one "
            "Service",
            remedy="add it, such as 'podinfo-{lane}-api'",
        )

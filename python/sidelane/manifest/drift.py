"""Drift: the differences between an expected object and the live object of the API server.

The two are never equal: the API server sets defaults, writes quantities in its own form and omits empty fields. So
every expected field must exist, in any equivalent form. A field that was not expected counts if its value is not one
that the API server sets (defaults.py), whoever claims to have set it. For kinds whose defaults are unknown it counts if
somebody set it: ``metadata.managedFields`` names the manager that last set each field.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sidelane.manifest import defaults
from sidelane.manifest.differences import ABSENT, have_names, in_line, joined, public
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import Identity, Object
from sidelane.support import harmless

#: Kubernetes' own managers, which set further fields as a part of their work.
_CONTROLLERS: Final = frozenset(
    {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"}
)
#: The manager of all fields that were set before the API server tracked managers.
_NOBODY_KNOWS: Final = "before-first-apply"
_HELM: Final = frozenset({"helm", "Helm"})
_HELM_MARK: Final = "f:meta.helm.sh/release-name"

# Fields in which empty text or zero is not a valid value: the API server replaces it with its default.
_NEVER_EMPTY: Final = frozenset({
    "protocol", "imagePullPolicy", "restartPolicy", "dnsPolicy", "schedulerName", "terminationMessagePath",
    "terminationMessagePolicy", "type", "sessionAffinity", "podManagementPolicy", "concurrencyPolicy",
    "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "targetPort",
})  # fmt: skip
# Mappings whose values are quantities, and fields that are quantities: 1000m is 1 (apimachinery's resource.Quantity).
_OF_QUANTITIES: Final = frozenset({
    "limits", "requests", "hard", "capacity", "overhead", "default", "defaultRequest", "max", "min",
    "maxLimitRequestRatio",
})  # fmt: skip
_QUANTITIES: Final = frozenset({"sizeLimit", "divisor", "averageValue", "value"})
_QUANTITY: Final = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")
_POWERS: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}

# Keys that identify the items of lists without names, as the API declares them.
_KEYS: Final = (
    ("containerPort", "protocol"), ("port", "protocol"), ("mountPath",), ("devicePath",),
    ("topologyKey", "whenUnsatisfiable"), ("ip",), ("type",), ("uid",),
)  # fmt: skip
#: Fields that admission adds to a bare Pod.
_ADDED_TO_PODS: Final = re.compile(r"spec\.(tolerations|volumes|(initC|c)ontainers\[[^\]]*\]\.volumeMounts)$")

#: The managers that set a field, each with the fields that it set below.
_Owners = tuple[tuple[str, Mapping[str, Any]], ...]
#: A field's path, its expected and its live value, and the managers that set it.
_Difference = tuple[str, Any, Any, tuple[str, ...]]


class Drift(NamedTuple):
    """One field that differs from the expected object. A missing side is ABSENT. by: the managers that last set it.

    Secrets are HIDDEN on both sides.
    """

    identity: Identity
    path: str
    expected: Any
    actual: Any
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" (by {', '.join(self.by)})" if self.by else ""
        return harmless.in_line(f"{self.identity}: {self.path}: {in_line(self.expected, self.actual)}{by}")

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, without the side that is absent."""
        sides = {"expected": self.expected, "actual": self.actual}
        known = {key: value for key, value in sides.items() if value is not ABSENT}
        return {"object": self.identity.to_json(), "path": self.path, **known, "by": list(self.by)}


def drift(asked: Object, live: Mapping[str, Any]) -> Iterator[Drift]:
    """Yield every field of a live object that differs from the expected one, or that another manager added."""
    identity = asked.identity
    walk = _Walk(identity)
    owners = _owners(live)
    parts = dict(_parts(asked.body))
    for part, want in parts.items():
        have, below = live.get(part, ABSENT), _below(owners, f"f:{part}")
        for path, expected, actual, by in walk.differ(part, want, have, below, key=part):
            yield Drift(identity, path, public(identity, path, expected), public(identity, path, actual), by)
    for part in sorted(live.keys() - asked.body.keys() - parts.keys() - {"status", "metadata", "apiVersion", "kind"}):
        # Such as the data of a ConfigMap that is expected without data.
        by = _names(_below(owners, f"f:{part}"))
        if by or walk.was_set(part, live):
            yield Drift(identity, part, ABSENT, public(identity, part, live[part]), by)


def against_template(
    template: Mapping[str, Any], pod: Mapping[str, Any], identity: Identity
) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, expected and live value of each field of a pod that differs from its template.

    Fields that only the pod has do not count: admission and controllers add them.
    """
    walk = _Walk(identity)
    metadata = {key: mapping(template, "metadata", key) for key in ("labels", "annotations")}
    for part, want in (("metadata", metadata), ("spec", mapping(template, "spec"))):
        for path, expected, actual, _ in walk.differ(part, want, pod.get(part, ABSENT), (), key=part):
            if expected is not ABSENT:
                yield path, expected, actual


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the expected parts of an object: of its metadata only labels and annotations, and no status."""
    metadata = {key: mapping(body, "metadata", key) for key in ("labels", "annotations")}
    yield "metadata", {key: value for key, value in metadata.items() if value}
    data = body.get("data")
    if body.get("kind") == "Secret":
        plain = {
            key: base64.b64encode(str(text).encode()).decode() for key, text in mapping(body, "stringData").items()
        }
        data = {**{key: _base64(text) for key, text in mapping(body, "data").items()}, **plain}
    if data is not None:
        yield "data", data
    for part, want in body.items():
        if part not in ("apiVersion", "kind", "metadata", "status", "data", "stringData"):
            yield part, want


class _Walk:
    """The comparison of one expected object with the live one and its managers."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._strict = defaults.are_known(identity)

    def was_set(self, key: str, have: Mapping[str, Any]) -> bool:
        """Return whether somebody set a field that was not expected, judged by its value alone."""
        return self._strict and not defaults.explained(self._identity, key, have[key], have)

    def differ(
        self, path: str, want: Any, have: Any, owners: _Owners, *, key: str = "", within: str = ""
    ) -> Iterator[_Difference]:
        """Yield the differences below a path.

        key, within: the last two keys of the path, which decide what a number or an empty text means.
        """
        if isinstance(want, Mapping) and isinstance(have, Mapping):
            yield from self._mappings(path, want, have, owners, key)
        elif isinstance(want, list) and isinstance(have, list):
            yield from self._lists(path, want, have, owners)
        elif not _same(want, have, key, within):
            yield path, want, have, _names(owners)

    def _mappings(
        self, path: str, want: Mapping[str, Any], have: Mapping[str, Any], owners: _Owners, within: str
    ) -> Iterator[_Difference]:
        for key, value in want.items():
            below = _below(owners, f"f:{key}")
            yield from self.differ(joined(path, key), value, have.get(key, ABSENT), below, key=key, within=within)
        for key in sorted(have.keys() - want.keys()):
            # Many tools add annotations; an added one changes nothing that is expected.
            by = _names(_below(owners, f"f:{key}"))
            if path in ("metadata.annotations", "metadata") or not (by or self.was_set(key, have)):
                continue
            if key == "annotations" and isinstance(have[key], Mapping):  # pods' annotations, each on its own
                yield from self._mappings(joined(path, key), {}, have[key], _below(owners, f"f:{key}"), key)
            else:
                yield joined(path, key), ABSENT, have[key], by

    def _lists(self, path: str, want: list[Any], have: list[Any], owners: _Owners) -> Iterator[_Difference]:
        keys = keys_of(want, have)
        left, right = keyed(keys, want), keyed(keys, have)
        for key in [*left, *(key for key in right if key not in left)]:
            value, live = left.get(key, ABSENT), right.get(key, ABSENT)
            below = _item(owners, live if live is not ABSENT else value)
            if value is not ABSENT:
                yield from self.differ(f"{path}[{key}]", value, live, below)
            elif not (self._identity.kind == "Pod" and _ADDED_TO_PODS.match(path)):
                by = _names(below)
                if by or self._strict or not keys:
                    yield f"{path}[{key}]", ABSENT, live, by


def _same(want: Any, have: Any, key: str, within: str) -> bool:
    if want is None:
        return True  # null expects nothing
    if have is ABSENT or have is None:
        return not want or (isinstance(want, Mapping) and all(_same(value, None, "", "") for value in want.values()))
    if isinstance(want, bool) or isinstance(have, bool):
        return want is have
    if not want and key in _NEVER_EMPTY:
        return True
    if within in _OF_QUANTITIES or key in _QUANTITIES:
        number = _number(want)
        return bool(want == have) or (number is not None and number == _number(have))
    return bool(want == have)


def _number(quantity: object) -> Decimal | None:
    match = _QUANTITY.fullmatch(str(quantity)) if isinstance(quantity, str | int | float) else None
    if match is None:
        return None
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    power = _POWERS[suffix] if suffix in _POWERS else int(suffix[1:] or 0)
    return number.scaleb(power)


def _base64(text: object) -> object:
    """Return base64 text in the API server's form: without line breaks."""
    try:
        return base64.b64encode(base64.b64decode(str(text))).decode()
    except (binascii.Error, ValueError):
        return text


def keys_of(want: list[Any], have: list[Any]) -> tuple[str, ...]:
    """Return the keys that identify the items of both lists; empty if only their positions do."""
    if have_names(want) and have_names(have):
        return ("name",)
    for keys in _KEYS:
        if all(
            all(isinstance(item, Mapping) and keys[0] in item for item in items)
            and len(keyed(keys, items)) == len(items)
            for items in (want, have)
        ):
            return keys
    return ()


def keyed(keys: tuple[str, ...], items: list[Any]) -> dict[str, Any]:
    """Return the items of a list by the keys from ``keys_of``, or by their positions."""
    if not keys:
        return {str(index): item for index, item in enumerate(items)}
    defaults = {"protocol": "TCP"}
    return {"/".join(str(item.get(key) or defaults.get(key, "")) for key in keys): item for item in items}


# -- managers of fields ------------------------------------------------------------------------------------------------


def _owners(live: Mapping[str, Any]) -> _Owners:
    """Return the managers of an object, other than Helm and Kubernetes, each with the fields that it set."""
    entries = mapping(live, "metadata").get("managedFields") or []
    owners = []
    for entry in entries:
        manager, fields = entry.get("manager", ""), entry.get("fieldsV1") or {}
        made_by_helm = manager in _HELM or _HELM_MARK in mapping(fields, "f:metadata", "f:annotations")
        if made_by_helm or manager in _CONTROLLERS or manager == _NOBODY_KNOWS or entry.get("subresource") == "status":
            continue
        owners.append((str(manager), fields))
    return tuple(owners)


def _names(owners: _Owners) -> tuple[str, ...]:
    return tuple(dict.fromkeys(manager for manager, _ in owners))


def _below(owners: _Owners, step: str) -> _Owners:
    """Return the managers that set the field ``step``. A manager without listed fields has set all of them."""
    return tuple((manager, fields.get(step, {})) for manager, fields in owners if step in fields or not fields)


def _item(owners: _Owners, item: Any) -> _Owners:
    """Return the managers that set an item of a list, by its keys (``k:{"name":"zk"}``) or its value (``v:"a"``)."""
    setters = []
    for manager, fields in owners:
        if not fields:
            setters.append((manager, fields))
        for step, below in fields.items():
            kind, _, text = step.partition(":")
            if kind == "v" and json.loads(text) == item:
                setters.append((manager, below))
            elif kind == "k" and isinstance(item, Mapping):
                keys = json.loads(text)
                if all(item.get(key) == value for key, value in keys.items()):
                    setters.append((manager, below))
    return tuple(setters)

"""An object as it was asked for, held against the object that the API server has.

The two are never equal: the API server fills in defaults, writes quantities its own way and leaves out what is empty.
So what was asked for must be there, in whatever form; and what was not asked for counts only when somebody set it,
which ``metadata.managedFields`` tells: it names the manager that last set each field.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sidelane.manifest.differences import ABSENT, have_names, in_line, joined, public
from sidelane.manifest.fields import mapping
from sidelane.manifest.objects import Identity, Object
from sidelane.support import harmless

#: Who writes what nobody asked for as a part of its work: Kubernetes itself.
_CONTROLLERS: Final = frozenset(
    {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "cloud-controller-manager"}
)
#: Everybody who had written to an object before the API server kept account.
_NOBODY_KNOWS: Final = "before-first-apply"
_HELM: Final = frozenset({"helm", "Helm"})
_HELM_MARK: Final = "f:meta.helm.sh/release-name"

# Fields whose empty text or zero is no value of theirs: the API server puts its default in the place.
_NEVER_EMPTY: Final = frozenset({
    "protocol", "imagePullPolicy", "restartPolicy", "dnsPolicy", "schedulerName", "terminationMessagePath",
    "terminationMessagePolicy", "type", "sessionAffinity", "podManagementPolicy", "concurrencyPolicy",
    "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "targetPort",
})  # fmt: skip
# Mappings whose values are quantities, and fields that are one: 1000m is 1 (apimachinery's resource.Quantity).
_OF_QUANTITIES: Final = frozenset({
    "limits", "requests", "hard", "capacity", "overhead", "default", "defaultRequest", "max", "min",
    "maxLimitRequestRatio",
})  # fmt: skip
_QUANTITIES: Final = frozenset({"sizeLimit", "divisor", "averageValue", "value"})
_QUANTITY: Final = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")
_POWERS: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}

# What tells the items of a list apart where they have no names: the API's own keys for these lists.
_KEYS: Final = (
    ("containerPort", "protocol"), ("port", "protocol"), ("mountPath",), ("devicePath",),
    ("topologyKey", "whenUnsatisfiable"), ("ip",), ("type",), ("uid",),
)  # fmt: skip
#: What admission adds to a bare Pod.
_ADDED_TO_PODS: Final = re.compile(r"spec\.(tolerations|volumes|(initC|c)ontainers\[[^\]]*\]\.volumeMounts)$")

#: Who set a field: each manager, with what it set below the field.
_Owners = tuple[tuple[str, Mapping[str, Any]], ...]
#: A field's path, what was asked for, what is found, and who set it.
_Difference = tuple[str, Any, Any, tuple[str, ...]]


class Drift(NamedTuple):
    """One field that is not as it was asked for. ABSENT: not there. by: who set it last, where that is known.

    A secret has HIDDEN in its place, on both sides.
    """

    identity: Identity
    path: str
    expected: Any
    found: Any
    by: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = f" (by {', '.join(self.by)})" if self.by else ""
        return harmless.in_line(f"{self.identity}: {self.path}: {in_line(self.expected, self.found)}{by}")

    def to_json(self) -> dict[str, object]:
        """The drift as programs read it; a side that is absent is left out."""
        sides = {"expected": self.expected, "found": self.found}
        known = {key: value for key, value in sides.items() if value is not ABSENT}
        return {"object": self.identity.to_json(), "path": self.path, **known, "by": list(self.by)}


def drift(asked: Object, found: Mapping[str, Any]) -> Iterator[Drift]:
    """Every field of a found object that is not as it was asked for, or that somebody set who was not asked to."""
    identity = asked.identity
    walk = _Walk(asked.kind)
    owners = _owners(found)
    for part, want in _parts(asked.body):
        have, below = found.get(part, ABSENT), _below(owners, f"f:{part}")
        for path, expected, actual, by in walk.differ(part, want, have, below, key=part):
            yield Drift(identity, path, public(identity, path, expected), public(identity, path, actual), by)
    for part in sorted(found.keys() - asked.body.keys() - {"status", "metadata"}):
        # Such as the data of a ConfigMap that was asked for without any.
        if by := _names(_below(owners, f"f:{part}")):
            yield Drift(identity, part, ABSENT, public(identity, part, found[part]), by)


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is asked for, part by part: of the metadata labels and annotations; status is the cluster's own."""
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
    """The way through one object, side by side with what is found and with who set it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def differ(
        self, path: str, want: Any, have: Any, owners: _Owners, *, key: str = "", within: str = ""
    ) -> Iterator[_Difference]:
        """``key`` and ``within``: the last two keys of the path, which say what a number or an empty text means."""
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
            # Annotations are everybody's notebook: one that is added changes nothing of what was asked for.
            if path in ("metadata.annotations", "metadata") or not (by := _names(_below(owners, f"f:{key}"))):
                continue
            if key == "annotations" and isinstance(have[key], Mapping):  # those of pods, each by itself
                yield from self._mappings(joined(path, key), {}, have[key], _below(owners, f"f:{key}"), key)
            else:
                yield joined(path, key), ABSENT, have[key], by

    def _lists(self, path: str, want: list[Any], have: list[Any], owners: _Owners) -> Iterator[_Difference]:
        keys = keys_of(want, have)
        left, right = keyed(keys, want), keyed(keys, have)
        for key in [*left, *(key for key in right if key not in left)]:
            value, found = left.get(key, ABSENT), right.get(key, ABSENT)
            below = _item(owners, found if found is not ABSENT else value)
            if value is not ABSENT:
                yield from self.differ(f"{path}[{key}]", value, found, below)
            elif not (self._kind == "Pod" and _ADDED_TO_PODS.match(path)):
                by = _names(below)
                if by or not keys:
                    yield f"{path}[{key}]", ABSENT, found, by


def _same(want: Any, have: Any, key: str, within: str) -> bool:
    if want is None:
        return True  # null asks for nothing
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
    """Base64 as the API server writes it: what was asked for may have line breaks."""
    try:
        return base64.b64encode(base64.b64decode(str(text))).decode()
    except (binascii.Error, ValueError):
        return text


def keys_of(want: list[Any], have: list[Any]) -> tuple[str, ...]:
    """The keys that tell the items of both lists apart, none where only their places do."""
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
    """The items of a list by what tells them apart, as ``keys_of`` has it."""
    if not keys:
        return {str(index): item for index, item in enumerate(items)}
    defaults = {"protocol": "TCP"}
    return {"/".join(str(item.get(key) or defaults.get(key, "")) for key in keys): item for item in items}


# -- who set what ------------------------------------------------------------------------------------------------------


def _owners(found: Mapping[str, Any]) -> _Owners:
    """Everybody but Helm and Kubernetes who set fields of an object, each with what it set."""
    entries = mapping(found, "metadata").get("managedFields") or []
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
    """Who set a field of what these set. Where nothing is told of the fields, they were set as a whole."""
    return tuple((manager, fields.get(step, {})) for manager, fields in owners if step in fields or not fields)


def _item(owners: _Owners, item: Any) -> _Owners:
    """Who set an item of a list: one that is known by its keys (``k:{"name":"zk"}``) or by its value (``v:"a"``)."""
    found = []
    for manager, fields in owners:
        if not fields:
            found.append((manager, fields))
        for step, below in fields.items():
            kind, _, text = step.partition(":")
            if kind == "v" and json.loads(text) == item:
                found.append((manager, below))
            elif kind == "k" and isinstance(item, Mapping):
                keys = json.loads(text)
                if all(item.get(key) == value for key, value in keys.items()):
                    found.append((manager, below))
    return tuple(found)

"""The record of a release: what was deployed, where it came from, and who did it.

- statement.py: it is made, an in-toto Statement with SLSA Provenance, from a rendering;
- origin.py: which git commit, and which run of which pipeline;
- cluster.py: which cluster, as Helm sees it;
- carried.py: how it travels into the release with the chart;
- signing.py: it is signed, and a signature is checked.

No secret is in it, and no digest in it is of one: a digest of a password gives a weak one away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from sidelane.errors import InvalidManifest

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://sidelane.dev/release/v1"

#: The key in the ConfigMap that holds a record: the statement as text, or a large one compressed with gzip, in base64.
KEY: Final = "statement.json"
COMPRESSED: Final = "statement.json.gz"


#: The name, in a record without values, of the digest of those that may not change.
GUARDED: Final = "values that may not change"


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is not a mapping, by its keys joined with dots, as operational values are named."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def config_map(release: str) -> str:
    """The name of the ConfigMap that holds a release's record."""
    return f"record-{release}"


class Scalable(NamedTuple):
    """A workload whose number of pods is operational. digest: of the object without that number. value: the path of the
    value that sets it; empty where an autoscaler alone does.
    """

    digest: str
    value: str


@dataclass(frozen=True)
class Record:
    """A record, as a release keeps it.

    text: the in-toto Statement, JSON. digest: of all objects together; objects: of each, by its path
    (``StatefulSet.apps/streams/zk-coco-1``); both ``sha256:…`` of what is shown of an object that holds secrets.
    values: None where they are too large to be kept a second time, beside Helm's own; then values_digest is of all of
    them, and guarded of those that may not change. defaults: the chart's own values, without secrets; None where they
    are not kept. scalable: the workloads whose number of pods is operational, by their paths. needs, level: see Basis.
    """

    text: str
    release: str
    namespace: str
    chart: str
    chart_version: str
    chart_digest: str
    values: Mapping[str, Any] | None
    operational: frozenset[str]
    digest: str
    objects: Mapping[str, str]
    values_digest: str = ""
    guarded: str = ""
    defaults: Mapping[str, Any] | None = None
    scalable: Mapping[str, Scalable] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    level: int = 0

    @classmethod
    def read(cls, text: str) -> Record:
        """The record that a statement is. Raises InvalidManifest for what is none."""
        try:
            statement = cast("dict[str, Any]", json.loads(text))
            build = statement["predicate"]["buildDefinition"]
            if (statement["_type"], statement["predicateType"], build["buildType"]) != (
                STATEMENT_TYPE,
                PREDICATE_TYPE,
                BUILD_TYPE,
            ):
                raise ValueError
            return cls._of(text, statement)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration, RecursionError):
            raise InvalidManifest(
                "a record is no statement of Sidelane's", remedy="somebody else wrote it, or it was damaged"
            ) from None

    def sign(self, private_key: bytes, *, passphrase: str | None = None) -> str:
        """Returns a signed DSSE envelope of the record, JSON. private_key: PEM, Ed25519, ECDSA P-256 or RSA.

        passphrase: of a key that is encrypted. It takes ``pip install 'sidelane[sign]'``. Raises InvalidInput for a key
        that can't be used, and where the libraries are not installed.
        """
        from sidelane.releases.provenance import signing  # noqa: PLC0415 - most records are not signed

        return signing.sign(self, private_key, passphrase=passphrase)

    def require_signed(self, envelope: str | bytes, public_key: bytes) -> None:
        """Raises NotSigned unless a DSSE envelope holds this very record, signed by the key of this PEM public key."""
        from sidelane.releases.provenance import signing  # noqa: PLC0415 - most records are not signed

        signing.check(envelope, self, public_key)

    @classmethod
    def _of(cls, text: str, statement: Mapping[str, Any]) -> Record:
        build = statement["predicate"]["buildDefinition"]
        given = build["externalParameters"]
        made_from = {one["name"]: one["digest"] for one in build["resolvedDependencies"] if "digest" in one}
        inner = build["internalParameters"]
        whole, *objects = statement["subject"]
        return cls(
            text=text,
            release=str(whole["name"]),
            namespace=str(given["namespace"]),
            chart=str(given["chart"]["name"]),
            chart_version=str(given["chart"]["version"]),
            chart_digest=f"sha256:{made_from[given['chart']['name']]['dirHash']}",
            values=dict(given["values"]) if "values" in given else None,
            operational=frozenset(inner["operationalValues"]),
            digest=f"sha256:{whole['digest']['sha256']}",
            objects={one["name"]: f"sha256:{one['digest']['sha256']}" for one in objects},
            values_digest=f"sha256:{made_from['values']['sha256']}",
            guarded=f"sha256:{made_from[GUARDED]['sha256']}" if "values" not in given else "",
            defaults=dict(inner["defaults"]) if "defaults" in inner else None,
            scalable={
                path: Scalable(f"sha256:{one['sha256']}", str(one["value"]))
                for path, one in inner.get("scalable", {}).items()
            },
            needs=tuple(map(str, inner.get("needs", ()))),
            level=int(inner.get("level", 0)),
        )

    def to_json(self) -> dict[str, object]:
        """The in-toto Statement."""
        return cast("dict[str, object]", json.loads(self.text))

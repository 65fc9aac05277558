"""The record of a release: its content, origin and author.

- statement.py: creates the record, an in-toto Statement with SLSA Provenance, from a rendering;
- origin.py: the git commit, and the run of a pipeline;
- cluster.py: the cluster, as Helm sees it;
- carried.py: puts the record into the release, together with the chart;
- comparing.py: compares a release with its record;
- signing.py: signs a record, and checks a signature.

A record has no secret and no digest of one, because a digest reveals a weak password. The storage of the record belongs
in releases/stores/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from sidelane.errors import InvalidManifest
from sidelane.manifest.fields import at

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://sidelane.dev/release/v1"

#: The key in the ConfigMap that holds a record: the statement as text, or a large one compressed with gzip, in base64.
KEY: Final = "statement.json"
COMPRESSED: Final = "statement.json.gz"


#: The name, in a record without values, of the digest of those that may not change.
GUARDED: Final = "values that may not change"


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields every value that is not a mapping, by its path, in the form of operational values."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def config_map(release: str) -> str:
    """Returns the name of the ConfigMap that holds a release's record."""
    return f"record-{release}"


class Scalable(NamedTuple):
    """A workload whose replicas are operational. digest: of the object without its replicas. value: the path of the
    value that sets them; empty if only an autoscaler does.
    """

    digest: str
    value: str


@dataclass(frozen=True)
class Record:
    """The record of a release.

    text: the in-toto Statement, JSON. digest: of all objects together; objects: of each, by its path
    (``StatefulSet.apps/streams/zk-coco-1``); both ``sha256:…``, of the redacted form if an object has secrets. values:
    None if they are too large to be stored twice; then values_digest is of all of them, and guarded of those that must
    not change. defaults: the chart's own values, without secrets; None if they are not stored. scalable: the workloads
    whose replicas are operational, by their paths. needs, level: see Basis. conventions: those that the chart was held
    to, in the form of Held; empty for the naming contract, and for those in the chart. tests: the digests of the
    objects of `helm test`, in the form of objects; None if they are not known: they may differ in each rendering.
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
    conventions: Mapping[str, Any] = field(default_factory=dict)
    tests: Mapping[str, str] | None = None

    @property
    def namespace_labels(self) -> Mapping[str, str] | None:
        """The labels of the namespace at the installation; None if they could not be read."""
        labels = at(
            json.loads(self.text), "predicate", "buildDefinition", "internalParameters", "cluster", "namespaceLabels"
        )
        return labels if isinstance(labels, dict) else None

    @classmethod
    def read(cls, text: str) -> Record:
        """Parses a statement. Raises InvalidManifest if it is not a record."""
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
                "the record is not a statement of Sidelane's", remedy="another tool wrote it, or it is damaged"
            ) from None

    def sign(self, private_key: bytes, *, passphrase: str | None = None, bundle: bool = False) -> str:
        """Returns a signed DSSE envelope of the record, JSON. private_key: PEM, Ed25519, ECDSA P-256 or RSA.

        passphrase: of an encrypted key. bundle: return a Sigstore bundle v0.3 with the envelope. Requires
        ``pip install 'sidelane[sign]'``. Raises InvalidInput for an invalid key, and when that is not installed.
        """
        from sidelane.releases.provenance import signing  # noqa: PLC0415 - most records are not signed

        return signing.sign(self, private_key, passphrase=passphrase, bundle=bundle)

    def require_signed(self, envelope: str | bytes, public_key: bytes) -> None:
        """Raises NotSigned unless an envelope holds exactly this record, signed with the key of this public key.

        envelope: of DSSE, alone or in a Sigstore bundle.
        """
        from sidelane.releases.provenance import signing  # noqa: PLC0415 - most records are not signed

        signing.check(envelope, self, public_key)

    @classmethod
    def _of(cls, text: str, statement: Mapping[str, Any]) -> Record:
        build = statement["predicate"]["buildDefinition"]
        given = build["externalParameters"]
        made_from = {
            dependency["name"]: dependency["digest"]
            for dependency in build["resolvedDependencies"]
            if "digest" in dependency
        }
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
            objects=_by_path(objects),
            values_digest=f"sha256:{made_from['values']['sha256']}",
            guarded=f"sha256:{made_from[GUARDED]['sha256']}" if "values" not in given else "",
            defaults=dict(inner["defaults"]) if "defaults" in inner else None,
            scalable={
                path: Scalable(f"sha256:{entry['sha256']}", str(entry["value"]))
                for path, entry in inner.get("scalable", {}).items()
            },
            needs=tuple(map(str, inner.get("needs", ()))),
            level=int(inner.get("level", 0)),
            conventions=dict(inner.get("conventions", {})),
            tests=_by_path(inner["tests"]) if "tests" in inner else None,
        )

    def to_json(self) -> dict[str, object]:
        """Returns the in-toto Statement."""
        return cast("dict[str, object]", json.loads(self.text))


def _by_path(subjects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {subject["name"]: f"sha256:{subject['digest']['sha256']}" for subject in subjects}

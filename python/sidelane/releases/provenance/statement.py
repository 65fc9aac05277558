"""Create a record: an in-toto Statement (v1) whose predicate is SLSA Provenance (v1).

The fields are defined in https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://slsa.dev/spec/v1.0/provenance. The release is the build, and its objects are the subjects; the chart, the
values, the git commits and the images are the inputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sidelane.charts.chart import Chart, coalesce
from sidelane.charts.rendering import Rendering, read_manifest
from sidelane.helm.values import json_text
from sidelane.manifest import Manifest, digest
from sidelane.manifest.fields import at
from sidelane.manifest.objects import canonical
from sidelane.manifest.operational import scalable, under, without_replicas
from sidelane.releases.basis import NOTHING, Basis
from sidelane.releases.provenance import BUILD_TYPE, GUARDED, PREDICATE_TYPE, STATEMENT_TYPE, leaves
from sidelane.releases.provenance.cluster import Facts, Unread
from sidelane.releases.provenance.origin import Origin
from sidelane.support.secrets import secret_texts, without_secrets
from sidelane.version import VERSION

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_PINNED: Final = re.compile(r"@(sha256|sha512):([0-9a-f]{64,128})$")


class Tools(NamedTuple):
    """The versions of the tools that made a release."""

    helm: str
    sidelane: str = VERSION


def make(
    rendering: Rendering,
    *,
    namespace: str,
    origin: Origin,
    tools: Tools,
    facts: Facts | Unread | None = None,
    started: datetime | None = None,
    basis: Basis = NOTHING,
) -> str:
    """Returns the record of a new release, as JSON.

    namespace: the release's actual namespace. facts: of the cluster; None if there is none. basis: the release's inputs
    and needs.
    """
    chart, lane = rendering.chart, rendering.lane
    manifest = (
        rendering.manifest
        if rendering.namespace == namespace
        else read_manifest(rendering.text, namespace, rendering.chart.name)
    )
    values = without_secrets(rendering.values)
    shown = manifest.without_secrets(secret_texts(rendering.values))
    cluster = {} if facts is None else {"cluster": {**facts.to_json(), "apiVersions": _api_versions(manifest)}}
    started = started or datetime.now(UTC)
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": rendering.release, "digest": _digests(shown.digest())}, *_subjects(shown)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "release": rendering.release,
                    "namespace": namespace,
                    "Version": lane.version,
                    "Build": lane.build,
                    "chart": {"name": chart.name, "version": chart.version},
                    "values": values,
                },
                "internalParameters": {
                    "operationalValues": sorted(chart.operational_values),
                    "defaults": without_secrets(chart.defaults),
                    **(
                        {"scalable": _scalable_json(shown, chart, rendering.values)} if chart.operational_values else {}
                    ),
                    **({"conventions": held} if (held := chart.held.to_json()) else {}),
                    **({} if chart.may_vary else {"tests": list(_subjects(shown, tests=True))}),
                    **({"needs": list(basis.needs)} if basis.needs else {}),
                    **({"level": basis.level} if basis.level else {}),
                    **cluster,
                },
                "resolvedDependencies": [
                    {
                        "name": chart.name,
                        "digest": {"dirHash": chart.digest.removeprefix("sha256:")},
                        "annotations": {"version": chart.version, "appVersion": chart.app_version},
                    },
                    {"name": "values", "digest": _digests(digest(canonical(values)))},
                    *([{"name": "bundle", "digest": _digests(basis.bundle)}] if basis.bundle else []),
                    *(commit.to_json() for commit in origin.commits),
                    *_images(manifest),
                ],
            },
            "runDetails": {
                "builder": {"id": origin.builder, "version": {"sidelane": tools.sidelane, "helm": tools.helm}},
                "metadata": {
                    **({"invocationId": origin.run} if origin.run else {}),
                    "startedOn": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                },
            },
        },
    }
    return json_text(statement, indent=1) + "\n"


def without_values(text: str) -> str:
    """Returns a record without its values, to make it smaller: Helm stores them, and the record has their digests."""
    statement = json.loads(text)
    build = statement["predicate"]["buildDefinition"]
    values = build["externalParameters"].pop("values")
    build["internalParameters"].pop("defaults", None)
    digest_of = guarded(values, build["internalParameters"]["operationalValues"])
    build["resolvedDependencies"].append({"name": GUARDED, "digest": _digests(digest_of)})
    return json_text(statement, indent=1) + "\n"


def guarded(values: Mapping[str, Any], operational: Iterable[str]) -> str:
    """Returns the digest of the values that must not change."""
    names = list(operational)
    return digest(canonical({path: value for path, value in leaves(values) if not under(path, names)}))


def digests(shown: Manifest, *, tests: bool = False) -> dict[str, str]:
    """Returns the digest of each object by its path, for a record. shown: the objects without secrets. tests: also of
    those of `helm test`.
    """
    subjects = [*_subjects(shown), *(_subjects(shown, tests=True) if tests else ())]
    return {subject["name"]: f"sha256:{subject['digest']['sha256']}" for subject in subjects}


def digests_without_replicas(shown: Manifest) -> dict[str, str]:
    """Returns ``digests`` of the objects without their replicas."""
    return {obj.identity.path: digest(without_replicas(obj)) for obj in shown.installed}


def _scalable_json(shown: Manifest, chart: Chart, values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Returns the workloads whose replicas are operational, by their paths, in the form of Record.scalable."""
    known = scalable(shown.objects, chart.operational_values, coalesce(chart.defaults, values))
    of_path = {obj.identity: obj for obj in shown.objects}
    return {
        identity.path: {"value": value, **_digests(digest(without_replicas(of_path[identity])))}
        for identity, value in sorted(known.items())
    }


def _subjects(shown: Manifest, *, tests: bool = False) -> Iterator[dict[str, Any]]:
    for obj in sorted((obj for obj in shown.objects if obj.is_test is tests), key=lambda obj: obj.identity):
        yield {"name": obj.identity.path, "digest": _digests(digest(obj.canonical()))}


def _digests(text: str) -> dict[str, str]:
    """Returns a digest in the form of in-toto, by its algorithm."""
    algorithm, _, value = text.partition(":")
    return {algorithm: value}


def _api_versions(manifest: Manifest) -> list[str]:
    return sorted({str(obj.body["apiVersion"]) for obj in manifest.objects})


def _images(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Yields the images of every pod, each once, with its digest if it is pinned."""
    images: set[str] = set()
    for obj in manifest.objects:
        spec = obj.pod_template.spec if obj.pod_template else {}
        for containers in (spec.get(key) for key in _CONTAINERS):
            images.update(str(at(container, "image")) for container in containers or () if at(container, "image"))
    for image in sorted(images):
        pinned = _PINNED.search(image)
        yield {
            "name": image,
            **({"digest": {pinned[1]: pinned[2]}} if pinned else {}),
            "annotations": {"kind": "image"},
        }

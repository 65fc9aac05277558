"""Errors from Helm's messages. Helm exits with 1 for every error, so only its messages tell what happened.

Each row was observed with Helm 3.17 and Helm 4; the first match wins. If a row no longer matches, the error is less
helpful but not wrong: without a match it is a HelmError with Helm's own words.
"""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from sidelane.errors import (
    ChartNotFound,
    ClusterDenied,
    ClusterUnreachable,
    FieldsOwned,
    HelmError,
    InvalidInput,
    InvalidValues,
    KindNotServed,
    NotReady,
    Refused,
    ReleaseConflict,
    ReleaseExists,
    ReleaseNotFound,
    SidelaneError,
    TargetBusy,
    TimedOut,
    TooLarge,
)
from sidelane.helm import rights
from sidelane.support.harmless import shortened
from sidelane.support.redaction import HIDDEN, learn, redact


class Meaning(NamedTuple):
    """One row: a pattern of Helm's message, and the error to raise for it."""

    words: re.Pattern[str]
    error: type[SidelaneError]
    problem: str  # may contain groups of ``words``
    # May contain groups, and commands: ``{status}`` or ``{verify}`` of the release, ``{build}`` of the chart.
    remedy: str


def _row(words: str, error: type[SidelaneError], problem: str, remedy: str) -> Meaning:
    return Meaning(re.compile(words, re.IGNORECASE | re.DOTALL), error, problem, remedy)


MEANINGS = (
    _row(
        r"cannot re-?use a name that is still in use|release: already exists",
        ReleaseExists,
        "a release of that name exists",
        "see it with {status}",
    ),
    _row(
        r"another operation \(install/upgrade/rollback\) is in progress",
        TargetBusy,
        "another Helm is changing this release",
        "wait until it ends; if its process is dead, see {status}",
    ),
    _row(
        r"create: failed to create: (Secret \"sh\.helm\.release\S+ is invalid: data: Too long|Request entity too large"
        r"|etcdserver: request is too large)",
        TooLarge,
        "the release is too large: Helm keeps its chart, values and objects, compressed, in a Secret of at most 1 MiB",
        "remove large files from the chart, and refer to a ConfigMap or a volume instead of giving large values",
    ),
    _row(
        r"Unable to continue with \w+: (?P<kind>\w+) \"(?P<name>[^\"]+)\" in namespace \"(?P<ns>[^\"]*)\" exists and "
        r"cannot be imported",
        ReleaseConflict,
        'the {kind} "{name}" in namespace {ns!r} belongs to another release or to none',
        "see its owner with `kubectl get {kind} {name} -o yaml`; remove it, or install another Build",
    ),
    _row(
        r"conflict occurred while applying object (\S+/)?(?P<name>\S+) \S+, Kind=(?P<kind>\w+): "
        r"Apply failed with \d+ conflicts?: (?P<fields>.+)$",
        FieldsOwned,
        "others have set fields of the {kind} {name}: {fields}",
        "revert their changes, then try again; see {verify}",
    ),
    _row(
        r"(?P<kind>\w+)(\.\S+)? \"(?P<name>[^\"]+)\" already exists",
        ReleaseConflict,
        "someone else created the {kind} {name!r} at the same time",
        "see `sidelane list`; the release of this call is marked as failed",
    ),
    _row(  # the charts' own guard
        r"execution error at \([^)]*\): "
        r"(?P<sentence>the release '[^']*' (is deployed and never changed|can't have )[^\n]+)",
        ReleaseConflict,
        "{sentence}",
        "",
    ),
    _row(
        r"(execution error at \((?P<at>[^)]*)\): )(?P<sentence>.+)$",
        InvalidValues,
        "{sentence}",
        "",
    ),
    _row(
        r"values don't meet the specifications of the schema\(s\) in the following chart\(s\):\n(?P<all>.+)$",
        InvalidValues,
        "the chart's schema does not accept these values: {all}",
        "see the chart's values.yaml",
    ),
    _row(
        r"no matches for kind \"(?P<kind>[^\"]+)\" in version \"(?P<version>[^\"]+)\"",
        KindNotServed,
        "the cluster does not serve {kind} of {version}",
        "install its definition, or disable it in the chart's values",
    ),
    _row(
        r"unable to get apiresource from unstructured: (?P<what>[^:]+): the server could not find",
        KindNotServed,
        "the cluster does not serve {what}",
        "install its definition, or disable it in the chart's values",
    ),
    _row(
        r"Unauthorized|the server has asked for the client to provide credentials",
        ClusterDenied,
        "the API server does not accept these credentials",
        "renew them, or give others with --kubeconfig or --kube-context",
    ),
    _row(  # charts/guard's policies end in the remedy, after a semicolon
        r"is forbidden: ValidatingAdmissionPolicy '(?P<policy>[^']+)' with binding '[^']+' denied request: "
        r"(?P<why>[^\n;]+)(; (?P<fix>[^\n]+))?",
        ClusterDenied,
        "the admission policy {policy} refused it: {why}",
        "{fix}",
    ),
    _row(
        r"(?P<what>([^\s:]+ \"[^\"]*\"|[^\s:]+) is forbidden: [^\n]+)",
        ClusterDenied,
        "the API server refused: {what}",
        "ask for this right, or use credentials that have it",
    ),
    _row(
        r"context \"(?P<name>[^\"]*)\" does not exist",
        InvalidInput,
        "the kubeconfig has no context {name!r}",
        "see `kubectl config get-contexts`",
    ),
    _row(
        r"namespaces \"(?P<name>[^\"]+)\" not found",
        Refused,
        "there is no namespace {name!r}",
        "create it with `kubectl create namespace {name}`, or add --create-namespace",
    ),
    _row(
        r"release: not found|has no deployed releases|not found: release",
        ReleaseNotFound,
        "there is no such release here",
        "see `sidelane list`, or give another namespace with -n",
    ),
    _row(
        r"context deadline exceeded|timed out waiting|resource .* not ready\. status|progress deadline exceeded",
        TimedOut,
        "the release was not ready in time",
        "see {status}, or allow more time with --timeout",
    ),
    _row(
        r"(?P<kind>job|pod) (?P<name>\S+) failed(?P<why>: \w+)?",
        NotReady,
        "the {kind} {name} failed{why}",
        "see {status}, and the log of its pod",
    ),
    _row(
        r"cluster unreachable|connection refused|no such host|no configuration has been provided|i/o timeout",
        ClusterUnreachable,
        "the API server does not answer",
        "check the cluster, and --kubeconfig, --kube-context or KUBECONFIG; "
        "--directory writes manifests without a cluster",
    ),
    _row(
        r"chart \"(?P<name>[^\"]+)\".*not found|repo (?P<repo>\S+) not found|failed to download \"(?P<url>[^\"]+)\""
        r"|could not locate a version matching",
        ChartNotFound,
        "Helm did not find the chart",
        "see `sidelane charts`, `helm search repo`, or give a folder",
    ),
    _row(
        r"found in Chart\.yaml, but missing in charts/ directory: (?P<names>.+)$",
        ChartNotFound,
        "charts that this one depends on are not in its folder charts/: {names}",
        "fetch them with {build}",
    ),
    _row(
        r"library charts are not installable",
        InvalidInput,
        "this is a library chart, which cannot be installed",
        "see `sidelane charts` for installable charts",
    ),
    _row(r"(context cancell?ed|has been cancell?ed)", HelmError, "Helm was told to stop", "see {status}"),
)


def explain(stderr: str, code: int, secrets: tuple[str, ...] = (), release: str = "", chart: str = "") -> SidelaneError:
    """Return the error for Helm's message, with every secret hidden. release, chart: those that Helm worked on."""
    learn(secrets)
    stderr = redact(stderr)
    # Helm 4 repeats a value that the schema refuses: at '/password': 'hunter2' does not match pattern …
    stderr = re.sub(r"(?m)^(- at '[^']*': )'.*' (?=(does not|is not|must))", rf"\1{HIDDEN} ", stderr)
    words = _errors(stderr)
    if missing := rights.missing_in(words):
        return rights.denied(missing)
    for meaning in MEANINGS:
        if match := meaning.words.search(words):
            groups = {key: (value or "").strip() for key, value in match.groupdict().items()}
            groups["status"] = f"`sidelane status {release}`" if release else "`sidelane list`"
            groups["verify"] = f"`sidelane verify {release}`" if release else "`sidelane list`"
            groups["build"] = f"`helm dependency build {shlex.quote(chart)}`"
            return meaning.error(meaning.problem.format(**groups), remedy=meaning.remedy.format(**groups))
    return HelmError(f"Helm ended with {code}: {shortened(' '.join(words.split()), 1000) or 'it wrote no message'}")


def _errors(stderr: str) -> str:
    """Return Helm's error without the warnings and log lines before it, which may name unrelated problems."""
    _, mark, error = stderr.partition("Error: ")
    return (error if mark else stderr).partition("\n\nUse --debug flag")[0]

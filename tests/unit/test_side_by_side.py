"""Each kind of clash by its own examples, and the proof over two renderings."""

from __future__ import annotations

import pytest
from sidelane.checks import conventions
from sidelane.checks.side_by_side import CLASHES, Clash, proving
from sidelane.checks.side_by_side.proving import Pair, prove, report
from sidelane.manifest import Manifest

each_clash = pytest.mark.parametrize("clash", CLASHES, ids=lambda clash: clash.id)


def clashes_of(first: str, second: str, clash: Clash) -> list[str]:
    findings = prove(Manifest.read(first), Manifest.read(second))
    return [finding.message for finding in findings if finding.rule == clash.id]


@each_clash
def test_pairs_that_clash_are_found_whichever_comes_first(clash: Clash) -> None:
    for first, second in clash.wrong:
        assert clashes_of(first, second, clash), first
        assert clashes_of(second, first, clash), second


@each_clash
def test_pairs_that_do_not_clash_are_clean_whichever_comes_first(clash: Clash) -> None:
    for first, second in clash.right:
        assert clashes_of(first, second, clash) == []
        assert clashes_of(second, first, clash) == []


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n"
OWN = Manifest.read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-2}\n")


def test_a_finding_has_both_places() -> None:
    (finding,) = prove(Manifest.read(CONFIG, source="first"), Manifest.read(f"\n\n{CONFIG}", source="second"))
    assert (finding.source, finding.line, finding.rule) == ("first", 1, "shared-objects")
    assert finding.other is not None
    assert (finding.other.source, finding.other.line, finding.other.identity) == ("second", 3, finding.identity)


def test_a_clash_of_one_pair_names_the_pair_and_a_clash_of_all_does_not() -> None:
    first, second = Manifest.read(CONFIG), Manifest.read(CONFIG)
    some = report([Pair("two Builds", first, second), Pair("two Versions", first, OWN)])
    every = report([Pair("two Builds", first, second), Pair("two Versions", first, second)])
    assert [finding.message.endswith("(two Builds)") for finding in some.findings] == [True]
    assert [finding.message.endswith(")") for finding in every.findings] == [False]
    assert (some.objects, every.objects) == (3, 2)


def test_conventions_give_clashes_severities_and_exceptions() -> None:
    def clash_texts(text: str, first: str = CONFIG) -> list[tuple[str, str, str]]:
        head = "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\nextends: helm\n"
        own = conventions.read((head + text).encode(), "sidelane.yaml")
        both = (Manifest.read(first, source="demo/templates/a.yaml") for _ in range(2))
        proof = report([Pair("two releases", *both)], own)
        return [(finding.rule, finding.severity, finding.identity.name) for finding in proof.findings]

    assert clash_texts("") == [("shared-objects", "error", "app")]
    assert clash_texts("rules: {shared-objects: warning}") == [("shared-objects", "warning", "app")]
    assert clash_texts("rules: {shared-objects: off}") == []
    assert clash_texts("leaveOut: {templates: [demo/templates/a.yaml]}") == []
    assert clash_texts("exceptions: [{rule: shared-objects, name: app, reason: one for all}]") == []
    other = "exceptions: [{rule: shared-objects, name: other, reason: one for all}]"
    assert clash_texts(other)[1:] == [("exceptions-hit", "warning", "sidelane.yaml")]
    noted = CONFIG.replace("name: app", 'name: app, annotations: {except.sidelane.dev/shared-objects: "one for all"}')
    assert clash_texts("", noted) == []
    assert clash_texts(
        "", noted + "---\n" + noted.replace("app,", "other,").replace("shared-objects", "host-ports")
    ) == [
        ("shared-objects", "error", "other"),
        ("exceptions-hit", "warning", "other"),
    ]
    # An exception from a rule of the check is no matter of the proof.
    assert clash_texts("rules: {shared-objects: off}\nexceptions: [{rule: list-keys, reason: as it is}]") == []


def test_a_crash_has_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "CLASHES", (CLASHES[0]._replace(find=lambda *_: 1 / 0),))  # type: ignore[arg-type]
    own = conventions.preset("helm")._replace(
        exceptions=(conventions.Exemption("shared-objects", "x"),), rules={"shared-objects": "warning"}
    )
    (finding,) = [f for f in report([Pair("two", OWN, OWN)], own).findings if f.rule == "shared-objects"]
    assert finding.severity == "error"


def test_a_fingerprint_is_the_same_in_the_next_lanes() -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web-%s}\n"
        "spec: {type: NodePort, ports: [{port: 80, nodePort: 30001}]}\n"
    )

    def fingerprints(first: str, second: str) -> set[str]:
        both = (Manifest.read(service % lane) for lane in (first, second))
        return {finding.fingerprint for finding in report([Pair("two Builds", *both, (first, second))]).findings}

    assert len(fingerprints("coco-1", "coco-2")) == 1
    assert fingerprints("coco-1", "coco-2") == fingerprints("2-coco-8", "2-coco-9")


def test_a_clash_that_crashes_is_an_error_and_no_clean_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> list[object]:
        raise ValueError("a value of a Secret")

    broken = CLASHES[0]._replace(find=crash)
    monkeypatch.setattr(proving, "CLASHES", (broken, *CLASHES[1:]))
    (finding,) = prove(Manifest.read(CONFIG), OWN)
    assert (finding.rule, finding.severity) == (broken.id, "error")
    assert "ValueError" in finding.message
    assert "Secret" not in finding.message


def test_a_secret_is_in_no_message() -> None:
    secret = "kind: Secret\napiVersion: v1\nmetadata: {name: s-%s}\nstringData: {password: hunter2hunter2}\n---\n"
    route = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: %s}\nspec:\n"
        "  parentRefs: [{name: web}]\n  rules: [{matches: [{headers: [{name: x, value: hunter2hunter2}]}]}]\n"
    )
    first, second = (Manifest.read((secret + route) % (name, name)) for name in ("a", "b"))
    (finding,) = prove(first, second)
    assert finding.rule == "hosts-paths"
    assert "hunter2" not in finding.message

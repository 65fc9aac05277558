"""The rule kubernetes-schemas: Kubernetes' own kinds in a range of versions, and custom resources."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sidelane.checks.conventions import preset, read
from sidelane.checks.engine import check
from sidelane.checks.kubernetes import definitions, published, versions
from sidelane.checks.kubernetes.validating import Validation
from sidelane.checks.rules import kubernetes_schemas
from sidelane.checks.rules.apis import ENDINGS
from sidelane.errors import InvalidConventions, InvalidInput
from sidelane.manifest import Manifest
from sidelane.support import redaction

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec: {hostnames: [a.example], rules: [{backendRefs: [{name: svc, port: %s}]}]}
"""
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.acme.example"},
    "spec": {
        "group": "acme.example",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["size", "mode"],
                    "properties": {
                        "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                        "mode": {"type": "string", "default": "slow", "enum": ["slow", "fast"]},
                        "port": {"x-kubernetes-int-or-string": True},
                        "note": {"type": "string", "nullable": True},
                        "word": {"type": "string", "pattern": r"^(?i)[a-z]+\z"},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        "pod": {
                            "type": "object", "x-kubernetes-embedded-resource": True,
                            "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
                        },
                        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "anyOf": [{"required": ["size"]}, {"required": ["port"]}],
                }
            },
        }}}],
    },
}  # fmt: skip


def findings_of(text: str, kubernetes: str | None = "1.30-1.36", *folders: Path) -> list[tuple[str, str]]:
    own = preset("helm").with_schemas(kubernetes, folders)
    report = check(Manifest.read(text), conventions=own, rules=(kubernetes_schemas.RULE,))
    return [(finding.path, finding.message) for finding in report.findings]


def thing(spec: dict) -> str:
    own = {"apiVersion": "acme.example/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}
    return f"{json.dumps(DEFINITION)}\n---\n{json.dumps(own)}"


class TestKubernetes:
    def test_a_fault_names_the_versions_that_have_it_unless_all_do(self) -> None:
        pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, %s}]}}"
        assert findings_of(pod % "imag: b")[0] == (
            "spec.containers[0].imag",
            "unknown key 'imag'; did you mean 'image'?",
        )
        ((path, message),) = findings_of(pod % "restartPolicyRules: []")
        assert path == "spec.containers[0].restartPolicyRules"
        assert message.endswith("in Kubernetes 1.30, 1.31, 1.32 and 1.33")
        assert findings_of(pod % "restartPolicyRules: []", "1.34-1.36") == []

    def test_a_kind_that_some_versions_lack_is_found_but_not_one_that_removed_apis_reports(self) -> None:
        policy = "{apiVersion: %s, kind: MutatingAdmissionPolicy, metadata: {name: a}}"
        path, message = findings_of(policy % "admissionregistration.k8s.io/v1", "1.35-1.36")[0]
        assert path == "apiVersion"
        assert message == "Kubernetes 1.35 has no MutatingAdmissionPolicy in admissionregistration.k8s.io/v1"
        budget = "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: a}}"
        assert findings_of(budget, "1.30") == []

    def test_the_type_of_a_field_counts(self) -> None:
        service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, targetPort: x}]}}"
        assert findings_of(service) == []
        assert findings_of(service.replace("80", "'80'"))[0][0] == "spec.ports[0].port"

    def test_a_secret_is_never_repeated(self) -> None:
        redaction.forget()
        secret = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {pin: 918273645}}"
        ((path, message),) = findings_of(secret)
        assert path == "stringData.pin"
        assert "918273645" not in message

    def test_most_kinds_have_one_schema_in_all_versions(self) -> None:
        config_map = Manifest.read("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
        validation = Validation(config_map, versions.parse("1.30-1.36"), ())
        ((minors, _, _),) = validation._schemas(config_map.objects[0])
        assert minors == (30, 31, 32, 33, 34, 35, 36)

    def test_the_table_of_removed_versions_agrees_with_the_schemas(self) -> None:
        known = sorted(published._folders())
        for (api_version, kind), ending in ENDINGS.items():
            served = [minor for minor in known if (api_version, kind) in published.of_version(minor).names]
            assert not served or served[-1] < ending.removed, (api_version, kind)
            if known[0] < ending.removed <= known[-1]:
                assert served[-1:] == [ending.removed - 1], (api_version, kind)

    @pytest.mark.parametrize("text", ["", "1", "2.30", "1.36-1.30", "1.30-", "latest", "1.30,1.31", "1.1234"])
    def test_other_texts_are_no_range(self, text: str) -> None:
        with pytest.raises(InvalidInput, match="is not a range"):
            versions.parse(text)

    def test_versions_without_schemas_and_a_missing_package_are_errors_before_the_check(self, monkeypatch) -> None:
        with pytest.raises(InvalidInput, match=r"no schemas of Kubernetes 1\.9"):
            findings_of(ROUTE, "1.9")
        monkeypatch.setattr(published, "_folders", dict)
        with pytest.raises(InvalidInput, match="not installed") as caught:
            findings_of(ROUTE, "1.34")
        assert "sidelane[kubernetes]" in caught.value.remedy


class TestCustomResources:
    @pytest.mark.parametrize(
        "spec",
        [
            {"size": 1},
            {"size": 1, "mode": "fast", "port": "http", "note": None, "tags": {"a": "b"}},
            {
                "size": 1,
                "port": 80,
                "free": {"a": {"b": 1}},
                "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {}},
            },
        ],
    )
    def test_what_the_api_server_accepts_is_valid(self, spec: dict) -> None:
        assert findings_of(thing(spec), "1.36") == []

    @pytest.mark.parametrize(
        ("spec", "path"),
        [
            ({}, "spec.size"),
            ({"size": 0}, "spec.size"),
            ({"size": 1, "sice": 1}, "spec.sice"),
            ({"size": 1, "mode": "quick"}, "spec.mode"),
            ({"size": 1, "port": 1.5}, "spec.port"),
            ({"size": 1, "tags": {"a": 1}}, "spec.tags.a"),
            ({"size": 1, "pod": {"spec": {"b": 1}}}, "spec.pod.spec.b"),
        ],
    )
    def test_what_it_refuses_is_found(self, spec: dict, path: str) -> None:
        assert path in {each for each, _ in findings_of(thing(spec), "1.36")}

    def test_definitions_in_a_folder_count_and_the_first_report_names_the_kinds_without(self, tmp_path) -> None:
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "crds.yaml").write_text(f"# several\n---\n{json.dumps(DEFINITION)}\n")
        own = thing({"size": "x"}).partition("\n---\n")[2]
        assert [path for path, _ in findings_of(own, None, tmp_path)] == ["spec.size"]
        report = check(Manifest.read(own), conventions=preset("helm").with_schemas("1.36", []))
        assert "No schema is known for Thing.acme.example: see --schemas." in report.notes

    @pytest.mark.parametrize("name", ["acme.example/thing_v1.json", "thing-acme-v1.json", "thing-acme.example-v1.json"])
    def test_the_layouts_of_kubeconform_are_read(self, tmp_path, name: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"properties": {"spec": {"properties": {"size": {"type": "integer"}}}}}')
        own = thing({"size": "x"}).partition("\n---\n")[2]
        assert [path for path, _ in findings_of(own, None, tmp_path)] == ["spec.size"]

    def test_a_missing_folder_is_an_error_before_the_check(self, tmp_path) -> None:
        with pytest.raises(InvalidInput, match="is not a folder of schemas"):
            findings_of(ROUTE, None, tmp_path / "none")

    def test_the_definitions_of_gateway_api_and_istio_compile_and_accept_a_route(self) -> None:
        folder = Path(os.environ.get("SIDELANE_TEST_CRDS", "none"))
        if not folder.is_dir():
            pytest.skip("SIDELANE_TEST_CRDS names no folder of definitions")
        assert findings_of(ROUTE % 80, None, folder) == []
        assert [path for path, _ in findings_of(ROUTE % "http", None, folder)] == ["spec.rules[0].backendRefs[0].port"]

    @pytest.mark.parametrize("body", [{}, {"spec": []}, {"spec": {"versions": [1]}}, {"spec": {"names": 1}}])
    def test_a_broken_definition_gives_no_schema(self, body: dict) -> None:
        assert definitions.of_manifest([{**DEFINITION, "spec": None, **body}]) == {}


class TestConventions:
    def test_the_file_names_versions_and_folders_beside_it(self, tmp_path) -> None:
        (tmp_path / "crds").mkdir()
        text = "{apiVersion: sidelane.dev/v1alpha1, kind: Conventions, kubernetes: %s}"
        own = read((text % "{versions: 1.34-1.35, schemas: [crds]}").encode(), str(tmp_path / "sidelane.yaml"))
        assert own.kubernetes == (34, 35)
        assert own.schemas == (str(tmp_path / "crds"),)
        assert own.severity_of("kubernetes-schemas") == "error"
        assert own.without_schemas().severity_of("kubernetes-schemas") == "off"
        with pytest.raises(InvalidConventions, match="versions"):
            read((text % "{versions: 1.34}").encode(), "sidelane.yaml")

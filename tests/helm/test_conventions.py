"""Charts that know no lanes, and the conventions that a check and an installation hold a chart to."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import CommandLine

HEAD = "apiVersion: sidelane.dev/v1alpha1\nkind: Conventions\n"
#: As `helm create` names, labels and selects, without Version and Build.
SHOP = """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-shop
  labels: {app.kubernetes.io/name: shop, app.kubernetes.io/instance: {{ .Release.Name }}}
spec:
  selector: {app.kubernetes.io/name: shop, app.kubernetes.io/instance: {{ .Release.Name }}}
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  labels: {app.kubernetes.io/name: shop, app.kubernetes.io/instance: {{ .Release.Name }}}
  annotations: {helm.sh/hook: test}
spec:
  containers: [{name: test, image: "shop:{{ .Values.image.tag }}"}]
"""
HARD_CODED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-settings}\n"
STRICT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "image": {"type": "object", "properties": {"tag": {"type": "string"}}},
        "extra": {"type": "string"},
        "global": {"type": "object"},
    },
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "repo" / "charts" / "shop"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text('image: {tag: "1.0"}\n')
    (folder / "values.schema.json").write_text(json.dumps(STRICT))
    (folder / "templates" / "shop.yaml").write_text(SHOP)
    return folder


def rules_and_places(sidelane: CommandLine, chart: Path, *flags: str, code: int = 1) -> list[tuple[str, str]]:
    done = sidelane("check", chart, *flags, "-o", "json", code=code)
    assert done.stdout, done.stderr
    report: Any = json.loads(done.stdout)
    return [(finding["object"]["name"], finding["rule"]) for finding in report["findings"]]


def test_a_chart_without_lanes_needs_none(sidelane: CommandLine, shop: Path) -> None:
    done = sidelane("check", shop)
    assert done.stdout.count("No object has a lane") == 1
    assert done.stdout.splitlines()[-1].endswith("clean")
    # Its schema refuses Version and Build.
    assert ("release-name-shop", "lane-suffix") not in rules_and_places(sidelane, shop, "--preset", "helm", code=0)
    assert {rule for _, rule in rules_and_places(sidelane, shop, "--lane", "coco-1")} >= {"lane-labels"}


@pytest.mark.both_helms
def test_a_default_that_is_null_is_refused_only_by_the_helm_that_keeps_it(
    sidelane: CommandLine, shop: Path, helm: Path
) -> None:
    (shop / "values.yaml").write_text('image: {tag: "1.0"}\nextra: null\n')
    theirs = subprocess.run([helm, "template", "shop", shop], capture_output=True, check=False)
    ours = sidelane("check", shop, code=3 if theirs.returncode else 0)
    assert ("extra" in ours.stderr) == bool(theirs.returncode)


def test_the_preset_helm_finds_what_two_releases_share(sidelane: CommandLine, shop: Path) -> None:
    assert rules_and_places(sidelane, shop, "--preset", "helm", code=0) == []
    (shop / "templates" / "settings.yaml").write_text(HARD_CODED)
    assert rules_and_places(sidelane, shop, "--preset", "helm") == [("shop-settings", "name-pattern")]
    text = (shop / "templates" / "shop.yaml").read_text()
    selector = "selector: {app.kubernetes.io/name: shop, app.kubernetes.io/instance: {{ .Release.Name }}}"
    (shop / "templates" / "shop.yaml").write_text(text.replace(selector, "selector: {app.kubernetes.io/name: shop}"))
    expected = [("shop-settings", "name-pattern"), ("release-name-shop", "selector-labels")]
    assert rules_and_places(sidelane, shop, "--preset", "helm") == expected


def test_the_lane_is_given_where_keys_say_so(sidelane: CommandLine, shop: Path) -> None:
    (shop / "templates" / "lane.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-{{ .Values.image.tag }}'}\n"
    )
    own = shop.parents[1] / "sidelane.yaml"
    own.write_text(HEAD + "extends: helm\nnames: {ConfigMap: '{release}-2-coco'}\n")
    assert rules_and_places(sidelane, shop, "--lane", "2-coco-1") == [("shop-2-coco-1-1.0", "name-pattern")]
    assert rules_and_places(sidelane, shop, "--lane", "2-coco-1", "--version-key", "image.tag", code=0) == []
    own.write_text(own.read_text() + "values: {version: image.tag}\n")
    assert rules_and_places(sidelane, shop, "--lane", "2-coco-1", code=0) == []


def test_the_nearest_file_or_the_given_one_counts(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    (shop / "templates" / "settings.yaml").write_text(HARD_CODED)
    (shop.parents[1] / "sidelane.yaml").write_text(HEAD + "extends: helm\n")
    assert rules_and_places(sidelane, shop) == [("shop-settings", "name-pattern")]
    (tmp_path / "own.yaml").write_text(HEAD + "extends: helm\nrules: {name-pattern: warning}\n")
    assert rules_and_places(sidelane, shop, "--conventions", "own.yaml", code=0) == [("shop-settings", "name-pattern")]
    (tmp_path / "own.yaml").write_text(HEAD + "extend: helm\n")
    assert "did you mean 'extends'?" in sidelane("check", shop, "--conventions", "own.yaml", code=2).stderr
    sidelane("check", shop, "--conventions", "own.yaml", "--preset", "helm", code=2)


def test_printed_conventions_are_a_file(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "printed.yaml").write_text(sidelane("check", "--print-conventions").stdout)
    sidelane("check", "zookeeper", "--lane", "coco-1", "--conventions", "printed.yaml")
    rules = {rule for _, rule in rules_and_places(sidelane, shop, "--lane", "coco-1", "--conventions", "printed.yaml")}
    assert rules == {rule for _, rule in rules_and_places(sidelane, shop, "--lane", "coco-1", "--preset", "sidelane")}
    assert "extends" not in sidelane("check", "--print-conventions", "--preset", "helm").stdout


def test_init_is_clean_now_and_not_after_the_next_deviation(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    (shop / "templates" / "settings.yaml").write_text(HARD_CODED + "data: {a: 1}\n")
    done = sidelane("check", shop, "--init")
    assert "which extends the preset helm: 2 exceptions" in done.stdout
    assert rules_and_places(sidelane, shop, code=0) == []
    assert "--force" in sidelane("check", shop, "--init", code=2).stderr
    sidelane("check", shop, "--init", "--force")
    (shop / "templates" / "other.yaml").write_text(HARD_CODED.replace("shop-settings", "shop-other"))
    (shop / "templates" / "settings.yaml").write_text(HARD_CODED)
    assert rules_and_places(sidelane, shop) == [("sidelane.yaml", "exceptions-hit"), ("shop-other", "name-pattern")]


def test_init_requires_the_labels_that_all_objects_have(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    sidelane("check", shop, "--init", "--conventions", "own.yaml")
    assert rules_and_places(sidelane, shop, "--conventions", "own.yaml", code=0) == []
    template = shop / "templates" / "shop.yaml"
    template.write_text(template.read_text().replace("labels: {app.kubernetes.io/name: shop,", "labels: {"))
    rules = {rule for _, rule in rules_and_places(sidelane, shop, "--conventions", "own.yaml")}
    assert rules == {"label-pattern"}


def test_init_of_a_chart_with_lanes_holds_in_another_lane(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    sidelane("check", "zookeeper", "--init", "--lane", "coco-1")
    assert "extends: sidelane" in (tmp_path / "sidelane.yaml").read_text()
    sidelane("check", "zookeeper", "--lane", "2-coco-3", "--conventions", "sidelane.yaml")
    (shop / "templates" / "bad.yaml").write_text(HARD_CODED)
    sidelane("check", shop, "--init", "--lane", "coco-1")
    assert rules_and_places(sidelane, shop, "--lane", "2-coco-3", code=0) == []


def test_a_chart_sees_the_apis_that_every_cluster_serves(sidelane: CommandLine, shop: Path) -> None:
    (shop / "templates" / "api.yaml").write_text(
        "apiVersion: apiregistration.k8s.io/v1"
        '{{ if not (.Capabilities.APIVersions.Has "apiregistration.k8s.io/v1") }}beta1{{ end }}\n'
        "kind: APIService\nmetadata: {name: v1.shop.example.com}\n"
        "spec: {group: shop.example.com, version: v1, groupPriorityMinimum: 100, versionPriority: 100}\n"
    )
    assert rules_and_places(sidelane, shop, "--preset", "helm", code=0) == []


def test_a_duplicate_key_is_a_finding_beside_the_others(sidelane: CommandLine, shop: Path) -> None:
    (shop / "templates" / "settings.yaml").write_text(HARD_CODED + "data: {a: x, a: 1}\n")
    expected = [("shop-settings", "duplicate-keys"), ("shop-settings", "text-fields")]
    assert rules_and_places(sidelane, shop) == expected
    refused = sidelane("install", shop, "--lane", "coco-1", "--directory", "root", code=1)
    assert "the key 'a' is duplicated at line" in refused.stderr


def test_an_installation_knows_no_file_that_lies_around(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    target = ("--lane", "coco-1", "--directory", "root", "--namespace", "streams")
    off = HEAD + "extends: helm\n"
    for folder in (tmp_path, shop.parents[1], shop.parent):
        (folder / "sidelane.yaml").write_text(off)
    sidelane("check", shop)
    for more in ((), ("--dry-run",)):
        assert "lane-labels" in sidelane("install", shop, *target, *more, code=1).stderr
    (shop / "sidelane.yaml").write_text(off)
    sidelane("install", shop, *target, "--dry-run")
    assert "shop-coco-1" in sidelane("install", shop, *target).stdout


def test_an_installation_knows_the_repositorys_file_and_given_ones(
    sidelane: CommandLine, shop: Path, tmp_path: Path
) -> None:
    target = ("--directory", "root", "--namespace", "streams")
    own = shop.parents[1] / "sidelane.yaml"
    own.write_text(HEAD + "extends: helm\nvalues: {version: image.tag}\n")
    for option, given in (("--preset", "helm"), ("--conventions", own)):
        refused = sidelane("install", "zookeeper", "--lane", "coco-1", option, given, *target, code=2).stderr
        assert f"leave out {option}" in refused
    tags = [
        sidelane("render", shop, "--lane", "coco-1", *more).stdout.count("shop:coco")
        for more in (("--preset", "helm"), ("--conventions", own), ("--preset", "helm", "--version-key", "image.tag"))
    ]
    assert tags == [0, 1, 1]
    sidelane("install", shop, "--lane", "coco-1", *target, code=1)
    (tmp_path / ".git").mkdir()
    sidelane("install", shop, "--lane", "coco-1", *target)
    record = sidelane.json("record", "shop-coco-1", *target)
    held = record["predicate"]["buildDefinition"]["internalParameters"]["conventions"]
    assert held == {"name": "sidelane.yaml", "text": own.read_text(), "version": "image.tag"}
    assert record["predicate"]["buildDefinition"]["externalParameters"]["values"] == {"image": {"tag": "coco"}}
    twice = sidelane("install", shop, "--lane", "coco-1", "--set", "image.tag=2", *target, code=1).stderr
    assert "image.tag: 2 is given, but the lane is coco-1" in twice
    # Another process, without the file, upgrades and replays by the record.
    sidelane("bundle", "lane.tar.gz", "--lane", "coco-1", "--chart", shop, *target)
    own.unlink()
    assert "unchanged" in sidelane("upgrade", shop, "--lane", "coco-1", *target).stdout
    assert "created" in sidelane("replay", "lane.tar.gz", "--directory", "other").stdout


def test_a_deployment_file_names_conventions(sidelane: CommandLine, shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "lane.yaml"
    head = "apiVersion: sidelane.dev/v1alpha1\nkind: LaneDeployment\nlane: {Version: coco, Build: '1'}\n"
    for conventions, code in (("helm", 0), ("./own.yaml", 2), ("sidelane", 1)):
        file.write_text(head + f"releases: [{{chart: {shop}, conventions: {conventions}}}]\n")
        sidelane("apply", file, "--directory", f"root{code}", "--namespace", "streams", code=code)

"""Texts that the charts' schemas take and YAML would read otherwise are taken by the API server, names among them."""

import json
import os
import secrets
import subprocess
from pathlib import Path

import pykube
import pytest
import yaml
from sidelane import Client
from sidelane.kubeyaml import read_all
from user_texts import WORDS, fullest, with_words

pytestmark = pytest.mark.either_helm

#: How many words each text is; `make soak` has all. tests/charts/test_texts.py holds that each stays text.
TURNS = int(os.environ.get("SIDELANE_SOAK_WORDS", "3"))
CHARTS = Path(__file__).parents[2] / "charts"
#: Not the pods of `helm test`: a server looks up their account and their priority.
PATHS = {
    "ConfigMap": "api/v1", "Service": "api/v1", "ServiceAccount": "api/v1",
    "StatefulSet": "apis/apps/v1", "Deployment": "apis/apps/v1", "Ingress": "apis/networking.k8s.io/v1",
    "NetworkPolicy": "apis/networking.k8s.io/v1", "PodDisruptionBudget": "apis/policy/v1",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2",
}  # fmt: skip
PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


@pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session")  # both render alike
@pytest.mark.parametrize("chart", ["zookeeper", "nimbus", "supervisor", "ui", "service"])
def test_the_api_server_takes_what_yaml_would_read_otherwise(helm, cluster, namespace, tmp_path, chart):
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    values = fullest(chart, yaml.safe_load((CHARTS / chart / "ci" / "full-values.yaml").read_text()))
    refused = set()
    for turn in range(0, len(WORDS), -(-len(WORDS) // TURNS)):
        (tmp_path / "values.json").write_text(json.dumps(with_words(schema, values, turn)[0]))
        command = [helm, "template", "release", CHARTS / chart, "-n", namespace, "-f", tmp_path / "values.json"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for item in read_all(text):
            if item["kind"] in PATHS:
                plural = PLURALS.get(item["kind"], f"{item['kind'].lower()}s")
                path = f"/{PATHS[item['kind']]}/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict"
                try:
                    cluster.create(path, item)
                except pykube.exceptions.HTTPError as error:
                    refused.add((WORDS[turn], item["kind"], str(error)))
    assert refused == set()


@pytest.mark.parametrize("helm", ["helm3"], indirect=True)
@pytest.mark.parametrize("name", ["2024{}", "3240286e-{}"], ids=["digits", "exponent"])
def test_names_that_yaml_would_read_otherwise_are_installed(helm, cluster, name):
    """A namespace of digits (bitnami/charts#7934), a service `no` (helm/helm#9650), a class and a Secret of digits."""
    namespace = name.format(secrets.randbelow(10**6))
    cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    client = Client(namespace=namespace, kubeconfig=cluster.kubeconfig, helm=helm)
    values = {
        "image": {"repository": "acme/x", "tag": "1"},
        "priorityClassName": "1e3",
        "config": {"existing": [{"secret": "2024", "mountPath": "/t"}]},
    }
    _, report = client.check("zookeeper", "coco-1")
    assert report.clean
    assert client.install("service", "coco-1", name="no", values=values).change == "created"
    (result,) = client.verify(lane="coco-1")
    assert (result.release, result.changed, result.missing, result.drift) == ("no-v1-coco-1", (), (), ())
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/no-v1-coco-1"
    pods = cluster.get(path)["spec"]["template"]["spec"]
    assert pods["priorityClassName"] == "1e3"
    assert [volume["secret"]["secretName"] for volume in pods["volumes"] if "secret" in volume] == ["2024"]
    cluster.done_with(namespace)

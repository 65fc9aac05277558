"""Edits of many kinds of objects, as somebody makes them who should not, and what is told of each."""

from pathlib import Path

import pytest
from clusters import locked
from requests.exceptions import HTTPError

KINDS = Path(__file__).parent / "cluster" / "kinds"

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"


def container(**fields):
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", **fields}]}}}}


WEB = "spec.template.spec.containers[web]"
# What somebody does to an object, and what is told of it: the field, what is expected, what is found.
EDITS = {
    "image": ("apps/v1/deployments", "web", container(image="other:1"),
              (f"{WEB}.image", "registry.example/web@sha256:" + "0123456789abcdef" * 4, "other:1")),
    "variable": ("apps/v1/deployments", "web", container(env=[{"name": "DEBUG", "value": "1"}]),
                 (f"{WEB}.env[DEBUG]", None, {"name": "DEBUG", "value": "1"})),
    "variable-emptied": ("apps/v1/deployments", "web", container(env=[{"name": "EMPTY", "value": "x"}]),
                         (f"{WEB}.env[EMPTY].value", "", "x")),
    "quantity": ("apps/v1/deployments", "web", container(resources={"limits": {"cpu": "2"}}),
                 (f"{WEB}.resources.limits.cpu", "1000m", "2")),
    "limit-more": ("apps/v1/deployments", "web", container(resources={"limits": {"ephemeral-storage": "1Gi"}}),
                   (f"{WEB}.resources.limits.ephemeral-storage", None, "1Gi")),
    "arguments": ("apps/v1/deployments", "web", container(args=["--fast", "--quiet", "--debug"]),
                  (f"{WEB}.args[2]", None, "--debug")),
    "probe": ("apps/v1/deployments", "web", container(readinessProbe={"failureThreshold": 30}),
              (f"{WEB}.readinessProbe.failureThreshold", None, 30)),
    "sidecar": ("apps/v1/deployments", "web",
                {"spec": {"template": {"spec": {"containers": [{"name": "spy", "image": "spy:1"}]}}}},
                ("spec.template.spec.containers[spy]", None, "spy:1")),
    "node": ("apps/v1/deployments", "web", {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}},
             ("spec.template.spec.nodeSelector.disk", None, "ssd")),
    "annotated": ("apps/v1/deployments", "web",
                  {"spec": {"template": {"metadata": {"annotations": {"mine": "now"}}}}},
                  ("spec.template.metadata.annotations.mine", None, "now")),
    "label": ("apps/v1/deployments", "web", {"metadata": {"labels": {"sidelane.dev/lane": "coco-2"}}},
              ("metadata.labels[sidelane.dev/lane]", "coco-1", "coco-2")),
    "label-gone": ("services", "web", {"metadata": {"labels": {"sidelane.dev/build": None}}},
                   ("metadata.labels[sidelane.dev/build]", "1", None)),
    "selector": ("services", "web", {"spec": {"selector": {"app": "web-coco-2"}}},
                 ("spec.selector.app", "web-coco-1", "web-coco-2")),
    "port": ("services", "web", {"spec": {"ports": [{"port": 80, "name": "http", "targetPort": 9090}]}},
             ("spec.ports[http].targetPort", 8080, 9090)),
    "type": ("services", "web", {"spec": {"externalTrafficPolicy": "Local", "type": "NodePort"}},
             ("spec.externalTrafficPolicy", None, "Local")),
    "settings": ("configmaps", "web", {"data": {"web.conf": "listen 8080\nworkers 8\n"}},
                 ("data[web.conf]", "listen 8080\nworkers 4\n", "listen 8080\nworkers 8\n")),
    "settings-number": ("configmaps", "web", {"data": {"number": "1"}}, ("data.number", "1000m", "1")),
    "settings-more": ("configmaps", "web", {"data": {"extra": "x"}}, ("data.extra", None, "x")),
    "settings-gone": ("configmaps", "web", {"data": {"number": None}}, ("data.number", "1000m", None)),
    "secret": ("secrets", "web", {"stringData": {"password": "letmein"}}, ("data.password", "(hidden)", "(hidden)")),
    "token": ("secrets", "web", {"stringData": {"token": "letmein"}}, ("data.token", "(hidden)", "(hidden)")),
    "account": ("serviceaccounts", "web", {"automountServiceAccountToken": True},
                ("automountServiceAccountToken", "(hidden)", "(hidden)")),
    "suspended": ("batch/v1/cronjobs", "sweep", {"spec": {"suspend": True}}, ("spec.suspend", False, True)),
    "daemon": ("apps/v1/daemonsets", "agent", {"spec": {"minReadySeconds": 5}}, ("spec.minReadySeconds", None, 5)),
    "claim": ("persistentvolumeclaims", "disk", {"metadata": {"labels": {"team": "x"}}},
              ("metadata.labels.team", None, "x")),
    "policy": ("networking.k8s.io/v1/networkpolicies", "web", {"spec": {"ingress": []}},
               ("spec.ingress", [{"from": [{"podSelector": {}}], "ports": [{"port": 8080}]}], None)),
    "host": ("networking.k8s.io/v1/ingresses", "web",
             [{"op": "replace", "path": "/spec/rules/0/host", "value": "evil.example"}],
             ("spec.rules[0].host", "web.example", "evil.example")),
    "budget": ("policy/v1/poddisruptionbudgets", "web", {"spec": {"maxUnavailable": "50%"}},
               ("spec.maxUnavailable", 1, "50%")),
    "rights": ("rbac.authorization.k8s.io/v1/roles", "web",
               [{"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}], ("rules[0].verbs[2]", None, "delete")),
    "quota": ("resourcequotas", "room", {"spec": {"hard": {"pods": "7"}}}, ("spec.hard.pods", 100, "7")),
    "range": ("limitranges", "sizes", [{"op": "replace", "path": "/spec/limits/0/default/cpu", "value": "3"}],
              ("spec.limits[Container].default.cpu", "2000m", "3")),
    "priority": ("scheduling.k8s.io/v1/priorityclasses", "web", {"description": "mine"}, ("description", None, "mine")),
}  # fmt: skip


@pytest.fixture
def priority(client):
    """Values of the chart that turn its PriorityClass on. Its name is the whole cluster's: one test at a time has it,
    and removes the release at its end.
    """
    with locked(KINDS / "Chart.yaml"):
        yield {"web": {"password": "hunter2"}, "priority": True}
        client.uninstall("kinds", "coco-1", delete_cluster_objects=True)


def define(cluster, group, version, kind):
    """Makes the cluster serve a kind of somebody else's, whatever its fields are."""
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"

    def served():
        try:
            return any(resource["kind"] == kind for resource in cluster.get(path)["resources"])
        except HTTPError:
            return False

    with locked(cluster.kubeconfig):
        if served():
            return
        plural = f"{kind.lower()}s"
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            "metadata": {
                "name": f"{plural}.{group}",
                "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
            },
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                "versions": [
                    {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}},
                ],
            },
        })  # fmt: skip
        cluster.until(f"{kind} is served", served)

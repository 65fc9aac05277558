"""The default namespace, as Sidelane reads it from a kubeconfig and as Helm reports it."""

import json
import subprocess

import pytest
from sidelane.helm import kubeconfig

pytestmark = pytest.mark.both_helms

CONTEXTS = {
    "named": {"cluster": "c", "user": "u", "namespace": "team-a"},
    "unnamed": {"cluster": "c", "user": "u"},
    "empty": {"cluster": "c", "user": "u", "namespace": ""},
    "nobody": {"cluster": "c", "user": "nobody", "namespace": "team-z"},
}
IN_A_POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def environment(tmp_path):
    """Makes the environment variables for a kubeconfig with these changes."""

    def make(variables, **changes):
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "named",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"token": "x"}}],
            "contexts": [{"name": name, "context": context} for name, context in CONTEXTS.items()],
            **changes,
        }
        (tmp_path / ".kube").mkdir()
        (tmp_path / ".kube" / "config").write_text(json.dumps(config))
        (tmp_path / "broken").write_text("contexts: [")
        return {"HOME": str(tmp_path), **{key: text.format(tmp_path) for key, text in variables.items()}}

    return make


def as_helm_says(helm, environment):
    return subprocess.check_output([helm, "env", "HELM_NAMESPACE"], env=environment, text=True).strip()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"KUBECONFIG": "{}/.kube/config"},
        {"HELM_NAMESPACE": "given"},
        {"HELM_NAMESPACE": "given", **IN_A_POD},
        *({"HELM_KUBECONTEXT": name} for name in CONTEXTS),
        {"HELM_KUBECONTEXT": "named", **IN_A_POD},
    ],
)
def test_the_usual_namespace_is_read_as_helm_reads_it(helm, environment, variables):
    variables = environment(variables)
    assert kubeconfig.namespace(variables) == as_helm_says(helm, variables)


@pytest.mark.parametrize(
    ("variables", "changes"),
    [
        ({"HELM_KUBECONTEXT": "missing"}, {}),
        ({"HELM_KUBECONTEXT": "unnamed", **IN_A_POD}, {}),
        ({"KUBECONFIG": "{0}/missing"}, {}),
        ({"KUBECONFIG": "{0}/broken"}, {}),
        ({"KUBECONFIG": "{0}/missing:{0}/.kube/config"}, {}),
        ({}, {"current-context": ""}),
        ({}, {"contexts": [{"name": name, "context": CONTEXTS["named"]} for name in ("named", "twice", "twice")]}),
        ({}, {"users": [{"name": "u", "user": {}}] * 2}),
        ({}, {"contexts": [{"name": "named", "context": {**CONTEXTS["named"], "namespace": 7}}]}),
    ],
)
def test_what_only_helm_can_tell_is_left_to_helm(environment, variables, changes):
    assert kubeconfig.namespace(environment(variables, **changes)) is None

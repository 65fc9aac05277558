"""The check accepts the text that the API server accepts, and refuses the text that it refuses: JSON and YAML."""

import json

import pytest
from sidelane import kubeyaml
from sidelane.errors import InvalidManifest

MAP = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"%s}, "data": {%s}}'
YAML = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  %s\n"
LONG = "k" * 1100
TEXTS = [
    ("application/json", MAP % ("", r'"a": "\ud83d\ude00"'), True),
    ("application/json", MAP % ("", r'"a": "\/"'), True),
    (
        "application/json",
        MAP % (f', "annotations": {{"{LONG}": "b"}}', ""),
        True,
    ),  # as text; such an annotation is too long
    ("application/yaml", YAML % 'a: "b"', True),
    ("application/yaml", YAML % r'a: "\/"', False),
    ("application/yaml", YAML % r'a: "\ud83d\ude00"', False),
    ("application/yaml", YAML % f"{LONG}: b", False),
]


@pytest.mark.parametrize(("kind", "text", "taken"), TEXTS)
def test_the_same_texts_are_taken(cluster, namespace, kind, text, taken):
    url = f"{cluster.api.url}/api/v1/namespaces/{namespace}/configmaps?dryRun=All"
    answer = cluster.api.session.post(url, data=text.encode(), headers={"Content-Type": kind}, timeout=10)
    # 422: the API server has read the object, and does not like it.
    assert (answer.status_code in (201, 422)) is taken, answer.text
    if not taken:
        with pytest.raises(InvalidManifest):
            kubeyaml.read(text)
    elif kind.endswith("json"):
        assert kubeyaml.read(text) == json.loads(text)
    else:
        assert kubeyaml.read(text)

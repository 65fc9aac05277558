"""An object as it was asked for, held against one as an API server has it: what counts, and what does not."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidelane.manifest import Manifest
from sidelane.manifest.as_found import as_found
from sidelane.manifest.drift import drift
from sidelane.manifest.objects import parse_object


def asked(body, kind="Thing", version="example.org/v1"):
    whole = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **body}
    return parse_object(whole, "here", namespace="n", source="s", line=1)


def live(body, *managers, kind="Thing", version="example.org/v1"):
    """An object, with the managers that set fields of it: pairs of a name and what it set."""
    fields = [{"manager": name, "operation": "Update", "fieldsV1": tree} for name, tree in managers]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "managedFields": fields}, **body}


def differences(want, have, *managers, kind="Thing"):
    return [
        (drifted.path, *(drifted.to_json().get(side) for side in ("expected", "actual")), drifted.by)
        for drifted in drift(asked(want, kind), live(have, *managers, kind=kind))
    ]


SAME = {
    "a default": ({"spec": {"a": 1}}, {"spec": {"a": 1, "b": 2}}),
    "a part of defaults": ({"spec": {}}, {"spec": {"a": 1}, "more": {"x": 1}}),
    "null": ({"spec": {"a": None}}, {"spec": {"a": 5}}),
    "null in the place of nothing": ({"spec": {"a": None}}, {"spec": {}}),
    "empty mapping": ({"spec": {"a": {}, "b": [], "c": "", "d": 0, "e": False}}, {"spec": {}}),
    "mapping of nothing": ({"spec": {"a": {"b": {"c": None}}}}, {"spec": {}}),
    "all of it": ({"spec": {"a": {}}}, {}),
    "a float that is whole": ({"spec": {"a": 1.0}}, {"spec": {"a": 1}}),
    "cpu": ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}),
    "cpu as a number": ({"limits": {"cpu": 0.5}}, {"limits": {"cpu": "500m"}}),
    "memory": ({"requests": {"memory": "1024Mi"}}, {"requests": {"memory": "1Gi"}}),
    "memory in bytes": ({"requests": {"memory": 1073741824}}, {"requests": {"memory": "1Gi"}}),
    "exponent": ({"hard": {"pods": "1e3"}}, {"hard": {"pods": "1k"}}),
    "an empty protocol": ({"ports": [{"port": 1, "protocol": ""}]}, {"ports": [{"port": 1, "protocol": "TCP"}]}),
    "a probe of 0 seconds": ({"probe": {"timeoutSeconds": 0}}, {"probe": {"timeoutSeconds": 1}}),
    "names in another order": ({"l": [{"name": "a"}, {"name": "b"}]}, {"l": [{"name": "b"}, {"name": "a", "x": 1}]}),
    "status": ({"status": {"replicas": 1}}, {"status": {"replicas": 3}}),
    "metadata of the server": ({}, {}),
}


@pytest.mark.parametrize(("want", "have"), SAME.values(), ids=SAME)
def test_what_is_no_drift(want, have):
    assert differences(want, have) == []


DIFFERENT = {
    "a value": ({"spec": {"a": 1}}, {"spec": {"a": 2}}, [("spec.a", 1, 2, ())]),
    "gone": ({"spec": {"a": 1}}, {"spec": {}}, [("spec.a", 1, None, ())]),
    "a part gone": ({"spec": {"a": 1}}, {}, [("spec", {"a": 1}, None, ())]),
    "true for 1": ({"spec": {"a": 1}}, {"spec": {"a": True}}, [("spec.a", 1, True, ())]),
    "false for true": ({"spec": {"a": True}}, {"spec": {"a": False}}, [("spec.a", True, False, ())]),
    "text for a number": ({"spec": {"a": 1}}, {"spec": {"a": "1"}}, [("spec.a", 1, "1", ())]),
    "cpu": ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1001m"}}, [("limits.cpu", "1000m", "1001m", ())]),
    "a quantity's look-alike": ({"spec": {"a": "1000m"}}, {"spec": {"a": "1"}}, [("spec.a", "1000m", "1", ())]),
    "empty text filled": ({"spec": {"a": ""}}, {"spec": {"a": "x"}}, [("spec.a", "", "x", ())]),
    "one more": ({"l": ["a"]}, {"l": ["a", "b"]}, [("l[1]", None, "b", ())]),
    "one less": ({"l": ["a", "b"]}, {"l": ["a"]}, [("l[1]", "b", None, ())]),
    "a mapping for text": ({"a": {"b": 1}}, {"a": "b"}, [("a", {"b": 1}, "b", ())]),
    "the first of two of one name": (
        {"l": [{"name": "a", "v": 1}, {"name": "a", "v": 2}]},
        {"l": [{"name": "a", "v": 3}, {"name": "a", "v": 2}]},
        [("l[0].v", 1, 3, ())],
    ),
    "a named one gone": ({"l": [{"name": "a"}]}, {"l": []}, [("l[a]", {"name": "a"}, None, ())]),
}


@pytest.mark.parametrize(("want", "have", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_is_drift(want, have, expected):
    assert differences(want, have) == expected


EDITOR = "kubectl-edit"


def test_what_nobody_asked_for_counts_when_somebody_set_it():
    have = {"spec": {"a": 1, "b": 2, "c": {"d": 3}, "l": [{"name": "x"}, {"name": "y"}]}}
    want = {"spec": {"a": 1, "l": [{"name": "x"}]}}
    assert differences(want, have) == []
    assert differences(want, have, (EDITOR, {"f:spec": {"f:b": {}}})) == [("spec.b", None, 2, (EDITOR,))]
    assert differences(want, have, (EDITOR, {"f:spec": {"f:c": {"f:d": {}}}})) == [
        ("spec.c", None, {"d": 3}, (EDITOR,))
    ]
    item = {"f:spec": {"f:l": {'k:{"name":"y"}': {".": {}, "f:name": {}}}}}
    assert differences(want, have, (EDITOR, item)) == [("spec.l[y]", None, {"name": "y"}, (EDITOR,))]
    assert differences({}, {"data": {"a": "b"}}, (EDITOR, {"f:data": {"f:a": {}}})) == [
        ("data", None, {"a": "b"}, (EDITOR,))
    ]


@pytest.mark.parametrize(
    "manager", ["helm", "kube-controller-manager", "kube-scheduler", "kubelet", "before-first-apply"]
)
def test_what_helm_and_kubernetes_themselves_set_does_not_count(manager):
    assert differences({"spec": {}}, {"spec": {"b": 2}}, (manager, {"f:spec": {"f:b": {}}})) == []


def test_helm_is_known_by_its_mark_whatever_it_is_called():
    tree = {"f:metadata": {"f:annotations": {"f:meta.helm.sh/release-name": {}}}, "f:spec": {"f:b": {}}}
    assert differences({"spec": {}}, {"spec": {"b": 2}}, ("helm3.17", tree)) == []


def test_annotations_and_finalizers_that_are_added_do_not_count_and_labels_do():
    tree = {"f:metadata": {"f:annotations": {"f:a": {}}, "f:labels": {"f:l": {}}, "f:finalizers": {'v:"x"': {}}}}
    body = live({}, (EDITOR, tree))
    body["metadata"] |= {"annotations": {"a": "1"}, "labels": {"k": "1", "l": "1"}, "finalizers": ["x"]}
    thing = asked({"metadata": {"name": "x", "labels": {"k": "1"}, "annotations": {"mine": "1"}}})
    assert [(drifted.path, drifted.by) for drifted in drift(thing, body)] == [
        ("metadata.labels.l", (EDITOR,)), ("metadata.annotations.mine", ()),
    ]  # fmt: skip


def test_who_set_a_field_last_is_told():
    tree = {"f:spec": {"f:l": {'k:{"name":"y"}': {"f:image": {}}}}}
    want = {"spec": {"l": [{"name": "y", "image": "1"}]}}
    have = {"spec": {"l": [{"name": "y", "image": "2"}]}}
    (drifted,) = drift(asked(want), live(have, (EDITOR, tree)))
    assert str(drifted) == 'Thing x: spec.l[y].image: "1" → "2" (by kubectl-edit)'
    # A list or a mapping that is set as a whole: whoever set it set each item.
    assert differences({"l": ["a"]}, {"l": ["b"]}, (EDITOR, {"f:l": {}})) == [("l[0]", "a", "b", (EDITOR,))]
    assert differences({"m": {}}, {"m": {"a": 1}}, (EDITOR, {"f:m": {}})) == [("m.a", None, 1, (EDITOR,))]


def test_secrets_are_compared_and_never_told():
    secret = {"stringData": {"password": "hunter2"}, "data": {"token": "aHVu\ndGVyMg==\n"}}
    have = {"data": {"password": "aHVudGVyMg==", "token": "aHVudGVyMg=="}}
    thing = asked(secret, "Secret", "v1")
    assert list(drift(thing, live(have, kind="Secret", version="v1"))) == []
    have["data"]["password"] = "bGV0bWVpbg=="
    (drifted,) = drift(thing, live(have, kind="Secret", version="v1"))
    assert str(drifted) == "Secret x: data.password: (hidden) → (hidden)"
    assert "hunter2" not in str(drifted.to_json())


def test_what_admission_adds_to_a_bare_pod_does_not_count():
    container = {"name": "c", "volumeMounts": [{"mountPath": "/m"}]}
    want = {"spec": {"tolerations": [{"key": "a"}], "containers": [container]}}
    have = copy.deepcopy(want)
    have["spec"]["tolerations"].append({"key": "not-ready"})
    have["spec"]["containers"][0]["volumeMounts"].append({"mountPath": "/var/run/secrets"})
    assert differences(want, have, kind="Pod") == []
    assert differences(want, have, kind="Other") == [("spec.tolerations[1]", None, {"key": "not-ready"}, ())]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_an_object_is_no_drift_from_itself(spec):
    assert differences({"spec": spec}, {"spec": spec}, (EDITOR, {"f:spec": {}})) == []


@given(JSON, JSON)
def test_a_scalar_that_is_asked_for_is_there_or_it_is_drift(want, have):
    same = not differences({"spec": want}, {"spec": have})
    if not isinstance(want, dict | list) and want:
        assert same == (want == have and isinstance(want, bool) == isinstance(have, bool))


def test_a_manifest_is_told_object_by_object():
    (obj,) = Manifest.read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}").objects
    assert [drifted.path for drifted in drift(obj, {"metadata": {}, "data": {"k": "w"}})] == ["data.k"]


# -- an object as it is found -----------------------------------------------------------------------------------------


def made(want, have, kind="Thing", tree=None):
    obj, body = asked(want, kind), live(have, (EDITOR, tree or {"f:spec": {}, "f:data": {}}), kind=kind)
    return as_found(obj, body, {drifted.path for drifted in drift(obj, body)})


def test_what_drifted_is_as_it_is_found_and_the_rest_as_it_was_asked_for():
    want = {"spec": {"a": 1, "gone": 2, "same": {"x": 1}, "limits": {"cpu": "1000m"}}}
    have = {"spec": {"a": 5, "same": {"x": 1}, "limits": {"cpu": "1"}, "more": {"y": 1}}, "status": {"ready": 1}}
    assert made(want, have)["spec"] == {
        "a": 5, "same": {"x": 1}, "limits": {"cpu": "1000m"}, "more": {"y": 1},
    }  # fmt: skip


def test_items_of_lists_are_told_apart_by_their_names():
    want = {"spec": {"l": [{"name": "a", "image": "1"}, {"name": "gone"}]}}
    have = {"spec": {"l": [{"name": "spy", "image": "9"}, {"name": "a", "image": "2", "default": True}]}}
    tree = {"f:spec": {"f:l": {
        'k:{"name":"a"}': {"f:image": {}}, 'k:{"name":"spy"}': {"f:image": {}, "f:name": {}},
    }}}  # fmt: skip
    assert made(want, have, tree=tree)["spec"]["l"] == [{"name": "a", "image": "2"}, {"name": "spy", "image": "9"}]


def test_a_path_that_is_not_named_stays():
    obj, body = asked({"spec": {"a": 1, "b": 1}}), live({"spec": {"a": 2, "b": 2}})
    assert as_found(obj, body, {"spec.a"})["spec"] == {"a": 2, "b": 1}


def test_a_secret_has_its_data_in_one_place():
    body = made(
        {"stringData": {"password": "x", "user": "me"}}, {"data": {"password": "eQ==", "user": "bWU="}}, "Secret"
    )
    assert body["data"] == {"password": "eQ==", "user": "bWU="}
    assert "stringData" not in body


@given(JSON, JSON)
def test_it_does_not_drift_from_what_is_found(want, have):
    body = made({"spec": want}, {"spec": have})
    again = asked({key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")})
    assert list(drift(again, live({"spec": have}, (EDITOR, {"f:spec": {}})))) == []

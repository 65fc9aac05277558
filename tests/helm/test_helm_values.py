"""Values reach Helm unchanged, or are refused with their place; and Helm's answer is compared with them."""

import asyncio
import base64
import datetime
import decimal
import json
import math
import pathlib
import types

import pytest
from sidelane import Client, Lane
from sidelane.charts.chart import Chart
from sidelane.charts.rendering import Renderer
from sidelane.errors import InvalidManifest, InvalidValues, NotWhatWasChecked
from sidelane.helm import values
from sidelane.helm.client import Helm
from sidelane.helm.lookup import ClusterReader
from sidelane.helm.queries import Query

pytestmark = pytest.mark.both_helms

#: Lengths of documents around those that Helm 4 drops a last line of (helm/helm#32506), and some others.
LENGTHS = sorted({9, 33, *(4096 * n + d for n in (1, 2, 5) for d in range(-1, 2)), 20_000})


def of_length(length):
    """Values whose document has exactly this many bytes, with its line break or without: both are tried."""
    for name in ("", "a", "pad"):
        base = len(json.dumps({name: ""} if name else {}))
        if name and length >= base:
            sized = {name: "x" * (length - base)}
    return sized


@pytest.fixture
def counting(tmp_path):
    """A chart that prints what length the texts of its values have."""
    folder = tmp_path / "counting"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: counting\nversion: 0.1.0\n")
    (folder / "templates" / "l.yaml").write_text("{{ range $k, $v := .Values }}{{ $k }}: {{ len $v }}\n{{ end }}")
    return Chart.load(folder)


@pytest.mark.parametrize("length", LENGTHS)
def test_values_of_every_length_arrive(helm, counting, length):
    values = of_length(length)
    for given in (values, {name: text[1:] for name, text in values.items()}):  # without and with the line break
        text = asyncio.run(Helm(executable=helm).template_text("x", counting.path, given))
        assert [line for line in text.splitlines() if line.startswith(("a:", "pad:"))] == [
            f"{name}: {len(text)}" for name, text in given.items()
        ]


def test_a_document_ends_with_a_line_break_whatever_its_length():
    for length in (*range(9, 1000), *LENGTHS):
        document = values.document(of_length(length))
        assert document.endswith(b"}\n")
        assert document.count(b"\n") == 1


@pytest.fixture
def answering(tmp_path):
    """A Helm that takes any values and says that it used these."""

    def make(used):
        path = tmp_path / "helm"
        path.write_text(
            "#!/bin/sh\n[ $1 = version ] && echo v4.2.4 && exit\ncat > /dev/null\n"
            f"echo '{json.dumps({'name': 'x', 'config': used})}'\n"
        )
        path.chmod(0o755)
        return Helm(executable=path)

    return make


async def installed(helm, values):
    async with helm.installing("x", "chart") as install:
        return await install(values)


@pytest.mark.parametrize(
    ("given", "used", "where"),
    [
        ({"image": {"tag": "9"}}, None, "image"),
        ({"image": {"tag": "9"}}, {"image": {"tag": "1"}}, "image.tag"),
        ({"a": [1, 2]}, {"a": [1]}, "a"),
        ({"a": [{"b": "1"}]}, {"a": [{"b": 1}]}, "a[0].b"),
        ({"a": 1}, {"a": True}, "a"),
        ({}, {"extra": 1}, "extra"),
        ({"password": "hunter2"}, {"password": "hunter3"}, "password"),
    ],
)
def test_values_that_helm_used_and_was_not_given_are_an_error(answering, given, used, where):
    helm = answering(used)
    for call in (installed(helm, given), helm.upgrade("x", "chart", given)):
        with pytest.raises(NotWhatWasChecked) as error:
            asyncio.run(call)
        assert error.value.problem == f"Helm used other values for x than it was given: {where}"
        assert "hunter" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "used"),
    [({"a": 1.0, "b": None, "c": 5e-324, "d": {}}, {"a": 1, "c": 5e-324, "d": {}}), ({}, None), ({"a": []}, {"a": []})],
)
def test_the_same_values_written_otherwise_are_the_same(answering, given, used):
    helm = answering(used)
    asyncio.run(installed(helm, given))
    asyncio.run(helm.upgrade("x", "chart", given))


def test_a_reader_whose_queries_were_lost_does_not_answer_that_nothing_is_there(tmp_path):
    path = tmp_path / "helm"
    path.write_text("#!/bin/sh\n[ $1 = version ] && echo v4.2.4 && exit\ncat > /dev/null\necho '# answers: []'\n")
    path.chmod(0o755)
    with pytest.raises(NotWhatWasChecked, match="answered 0 queries of 1"):
        asyncio.run(ClusterReader(Helm(executable=path)).read(Query("v1", "ConfigMap")))


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


CYCLE = {}
CYCLE["again"] = CYCLE


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"a": {"b": math.inf}}, "a.b: inf is not a number in JSON"),
        ({"a": [1, -math.inf]}, "a[1]: -inf is not a number in JSON"),
        ({"a": math.nan}, "a: nan is not a number in JSON"),
        ({"a": 2**53}, "a: 9007199254740992 has digits that Helm would change: numbers must be below 2^53"),
        ({"a": -(2**64)}, "a: -18446744073709551616 has digits that Helm would change: numbers must be below 2^53"),
        ({"a": 10**5000}, "a: a whole number has digits that Helm would change: numbers must be below 2^53"),
        ({"a": 1e300}, "a: 1e+300 has digits that Helm would change: numbers must be below 2^53"),
        ({"token": 2**60}, "token: (hidden) has digits that Helm would change: numbers must be below 2^53"),
        ({"day": datetime.date(2026, 1, 2)}, "day: a date is not JSON data"),
        ({"day": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)}, "day: a datetime is not JSON data"),
        ({"a": decimal.Decimal("1.5")}, "a: a Decimal is not JSON data"),
        ({"a": pathlib.PurePosixPath("/x")}, "a: a PurePosixPath is not JSON data"),
        ({"a": {1, 2}}, "a: a set is not JSON data"),
        ({"a": (1, 2)}, "a: a tuple is not JSON data"),
        ({"a": b"x"}, "a: a bytes is not JSON data"),
        ({"a": object}, "a: a type is not JSON data"),
        ({"a": types.MappingProxyType({})}, "a: a mappingproxy is not JSON data"),
        ({"a": Lane("coco", 1)}, "a: a Lane is not JSON data"),
        ({"a": {8080: "x"}}, "a: the key 8080 is an int, not text"),
        ({"a": {None: "x"}}, "a: the key None is null, not text"),
        ({True: "x"}, "the values: the key True is a bool, not text"),
        ({"a": "\ud800"}, "a: the text is not Unicode (it has a lone surrogate)"),
        ({"\udfff": "x"}, "the values: a key is not Unicode (it has a lone surrogate)"),
        (nested(200), "a.a.a…: is nested more than 100 levels deep"),
        (CYCLE, "again.again.again…: is nested more than 100 levels deep"),
        (["a"], "the values: a list is not a mapping"),
        (
            {"\x1b[2J" + "k" * 1_000_000: math.nan},
            r"\x1b[2J" + "k" * 56 + "… (1000004 characters): the key has more than 1000",
        ),
    ],
)
def test_what_would_not_arrive_as_it_is_given_is_refused_with_its_place(tmp_path, counting, given, problem):
    client_values = given
    with pytest.raises(InvalidValues) as error:
        values.document(client_values)
    assert error.value.errors[0].startswith(problem)
    assert len(str(error.value)) < 1000


def test_every_problem_is_told_and_of_a_million_the_first():
    with pytest.raises(InvalidValues) as error:
        values.require({"a": [math.nan] * 1_000_000, "b": {1}})
    assert len(error.value.errors) == values.REPORTED


def test_numbers_that_helm_keeps_arrive_to_the_digit(helm, tmp_path):
    folder = tmp_path / "numbers"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: numbers\nversion: 0.1.0\n")
    (folder / "templates" / "n.yaml").write_text("numbers: {{ .Values.numbers | toJson }}\n")
    numbers = [0, -1, 2**53 - 1, 1 - 2**53, 2**31, 0.1, 1 / 3, -2.5e-300, 123456789012345, 4503599627370496.5]
    chart = Chart.load(folder)
    rendered = asyncio.run(Renderer(Helm(executable=helm)).render(chart, Lane("coco", 1), {"numbers": numbers}))
    assert json.loads(rendered.text.rpartition("numbers: ")[2]) == numbers


@pytest.mark.parametrize("length", [4095, 4096, 4097, 8192, 20480])
@pytest.mark.parametrize("place", ["", "charts/inner/"])
def test_a_chart_s_own_values_arrive_or_the_chart_is_refused(helm, tmp_path, place, length):
    chart = tmp_path / "outer"
    for folder, name in ((chart, "outer"), (chart / "charts/inner", "inner")):
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n")
        (folder / "templates" / "v.yaml").write_text(f'{name}: {{{{ .Values.note | default "lost" | len }}}}\n')
        (folder / "values.yaml").write_text("note: short\n")
    (chart / place / "values.yaml").write_text("# a line\nnote: " + "x" * (length - 6))
    name = "inner" if place else "outer"
    client = Client(helm=helm)
    if length % 4096 == 0:
        with pytest.raises(InvalidManifest, match=f"the last line of {place}values.yaml .* {length} bytes"):
            client.render(chart, "coco-1")
    else:
        assert f"{name}: {length - 6}\n" in client.render(chart, "coco-1")


def test_keys_arrive_up_to_a_limit(helm, counting):
    """YAML ends at 1,024 characters, and Helm's own words for that say neither which key nor why."""
    keys = ["k", "k" * 998, 'é"\\: ' * 70, "\u2028" * 166, "? a: b # c"]
    given = {key: {"a" * 998: [{key: "x" * 7}]} for key in keys}
    (counting.path / "templates" / "l.yaml").write_text("values: {{ .Values | toJson | b64enc }}\n")
    text = asyncio.run(Helm(executable=helm).template_text("x", counting.path, given))
    assert json.loads(base64.b64decode(text.rpartition("values: ")[2])) == given
    for key in ("k" * 999, "é" * 167, "k" * 5_000_000):
        with pytest.raises(InvalidValues, match=r"a: .*: the key has more than 1000 bytes") as error:
            values.document({"a: ": {key: 1}})
        assert len(str(error.value)) < 500

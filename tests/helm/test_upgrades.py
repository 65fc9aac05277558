"""Generated attempts to change a deployed release by the SDK: operational values pass, all else is refused.

The same by plain Helm, which the charts refuse by themselves, is tests/cluster/test_guard.py. The guard is one for both
targets; a directory is the one on which a change that slips through shows in any file. `make soak` asks for more.
"""

import os
import random

import pytest
import yaml
from sidelane import Client
from sidelane.charts import sources
from sidelane.errors import SidelaneError

#: Attempts on each chart: Sidelane refuses them, and Helm, of either version, only renders.
ATTEMPTS = int(os.environ.get("SIDELANE_SOAK_UPGRADES", "8"))
OTHERS = [None, True, False, 0, 1, 7, 2.5, "", "other", "1", [], ["other"], {}, {"other": "value"}]


def leaves(node, path=()):
    """Every value that is no mapping with something in it, by its path."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, node


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}


def installable():
    return [chart for chart in sources.bundled() if (chart.path / "ci" / "default-values.yaml").is_file()]


@pytest.mark.parametrize("chart", installable(), ids=lambda chart: chart.name)
def test_generated_changes_are_refused_and_change_nothing(chart, helm, tmp_path):
    client = Client(directory=tmp_path / "root", helm=helm, allow_secrets=True)
    given = yaml.safe_load((chart.path / "ci" / "default-values.yaml").read_text())
    lane = given.get("global", given)
    lane = f"{lane['Version']}-{lane['Build']}"
    deployed = client.install(chart.path, lane, values=given)
    before, draw = content(tmp_path / "root"), random.Random(f"{chart.name} 20261124")
    may = [tuple(name.split(".")) for name in chart.operational_values]
    guarded = [
        (path, value)
        for path, value in leaves({**chart.defaults, **given})
        if not any(path[: len(free)] == free for free in may) and path[-1] not in {"Version", "Build"}
    ]
    named = {key: given[key] for key in ("name", "serviceVersion") if key in given}  # of which release
    answers, refusals = set(), {"InvalidValues", "InvalidName", "ReleaseConflict", "ReleaseNotFound"}
    for path, value in draw.choices(guarded, k=ATTEMPTS):
        others = [candidate for candidate in OTHERS if (type(candidate), candidate) != (type(value), value)]
        alike = [candidate for candidate in others if type(candidate) is type(value)]  # which the schema may take
        other = draw.choice(alike if alike and draw.random() < 0.7 else others)
        change = named | nested(path, other)
        try:
            did = client.upgrade(chart.path, lane, values=change, reuse_values=True).change
        except SidelaneError as error:
            did = type(error).__name__
        # What is taken changes nothing: a null where there is no default. Another name is another release's, or none.
        assert did in {"unchanged", *refusals}, (path, value, other, did)
        answers.add(did)
        assert content(tmp_path / "root") == before, (path, value, other)
    # The values of a route are operational but for its name.
    assert answers & ({"ReleaseConflict"} if chart.name != "route" else refusals), "the schema alone has refused"
    assert client.status(deployed.name).revision == 1

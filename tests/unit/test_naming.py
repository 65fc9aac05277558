import pytest
from generated import COMPONENTS, SHORT_LANES
from hypothesis import given
from sidelane import Lane
from sidelane.errors import InvalidName
from sidelane.naming import contract
from sidelane.naming.chart_ref import ChartRef


@pytest.fixture
def lane():
    return Lane("2-coco", 1)


def test_the_contract_as_the_readme_tells_it(lane):
    assert contract.component_name("zk", lane, kind="StatefulSet") == "zk-2-coco-1"
    assert contract.component_name("zk-cs", lane) == "zk-cs-2-coco-1"
    assert contract.service_name("svc1", lane) == "svc1-2-coco-1"
    assert contract.service_version_name("svc1", "v1", lane) == "svc1-v1-2-coco-1"
    assert contract.release_name("zookeeper", lane) == "zookeeper-2-coco-1"
    assert contract.release_name("svc1-v1", lane) == "svc1-v1-2-coco-1"


@given(COMPONENTS, SHORT_LANES)
def test_a_release_name_reads_back(component, lane):
    try:
        name = contract.release_name(component, lane)
    except InvalidName:
        return  # it ends in what reads as a service version
    assert contract.parse_name(name) == (component, lane)


@pytest.mark.parametrize(
    "name", ["zk", "", "zk-coco", "2-coco-1", "coco-1", "Zk-coco-1", "zk--coco-1", "zk-coco-01", "-1"]
)
def test_a_name_outside_the_contract_does_not_read(name):
    assert contract.parse_name(name) is None


def test_what_would_make_two_names_one_is_refused(lane):
    for component in ("zk-2", "svc1-v1", "2zk", "zk_cs", "Zk", "", "zk-", None):
        with pytest.raises(InvalidName):
            contract.component_name(component, lane)
    for subject in ("svc1-v1-v2", "v1-v2-", "zk-2", "-v1", "Svc1-v1", ""):
        with pytest.raises(InvalidName):
            contract.release_name(subject, lane)
    for service_version in ("1", "v", "V1", "v1-2", "v1.0", "", None):
        with pytest.raises(InvalidName):
            contract.service_version_name("svc1", service_version, lane)


@pytest.mark.parametrize(
    ("kind", "limit"), [("StatefulSet", 52), ("Deployment", 46), ("Service", 63), ("ConfigMap", 63)]
)
def test_a_name_is_refused_at_the_limit_and_never_cut(kind, limit, lane):
    fits = "a" * (limit - len("-2-coco-1"))
    assert len(contract.component_name(fits, lane, kind=kind)) == limit
    with pytest.raises(InvalidName, match=f"{limit + 1} characters, and a {kind} may have at most {limit}"):
        contract.component_name(fits + "a", lane, kind=kind)


@pytest.mark.parametrize(
    ("text", "name", "version", "is_route"),
    [
        ("zookeeper-0.1.0", "zookeeper", "0.1.0", False),
        ("route-0.1.0", "route", "0.1.0", True),
        ("route-1.0.0-rc.1", "route", "1.0.0-rc.1", True),
        ("route-controller-1.0.0", "route-controller", "1.0.0", False),
        ("my-route-1.0.0", "my-route", "1.0.0", False),
        ("route", "route", "", False),
        ("route-1", "route-1", "", False),
        ("", "", "", False),
    ],
)
def test_a_chart_is_known_by_its_name_and_version(text, name, version, is_route):
    assert ChartRef.parse(text) == (name, version)
    assert (str(ChartRef.parse(text)), ChartRef.parse(text).is_route) == (text, is_route)

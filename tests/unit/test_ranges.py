"""Ranges of chart versions, as Helm's own library documents them."""

import pytest
from sidelane.charts.ranges import satisfies


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4", "1.2.2"]),
        ("=1.2", ["1.2.0", "1.2.9"], ["1.3.0", "1.1.9"]),
        ("1.2.x", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("*", ["0.0.1", "9.9.9"], []),
        (">= 1.2, < 3.0.0", ["1.2.0", "2.9.9"], ["3.0.0", "1.1.0"]),
        (">=1.2 <2", ["1.2.0", "1.9.0"], ["2.0.0"]),
        ("<1 || >=2.3.4", ["0.9.9", "2.3.4"], ["1.0.0", "2.3.3"]),
        ("1.2 - 1.4.5", ["1.2.0", "1.4.5"], ["1.4.6", "1.1.9"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0.0", ["0.0.9"], ["0.1.0"]),
        ("^0", ["0.9.9"], ["1.0.0"]),
        (">1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9"], ["1.3.0"]),
        ("!=1.2", ["1.3.0"], ["1.2.5"]),
        ("!=1.2.3", ["1.2.4"], ["1.2.3"]),
        (">=1.0.0-0", ["1.0.0-rc.1", "1.0.0"], ["0.9.0"]),
        (">=1.0.0", ["1.0.0"], ["1.1.0-rc.1"]),
    ],
)
def test_versions_in_a_range_and_outside(wanted, inside, outside):
    assert [version for version in inside if not satisfies(version, wanted)] == []
    assert [version for version in outside if satisfies(version, wanted)] == []


@pytest.mark.parametrize("wanted", ["", "newest", ">=newest", "1.2.3.4", "1.2 ||", "1 || newest", "=> =>1"])
def test_what_is_no_range_is_told(wanted):
    with pytest.raises(ValueError, match=r"range|valid SemVer"):
        satisfies("1.2.3", wanted)

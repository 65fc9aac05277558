"""Each kind of clash by its own examples, and the proof over two renderings."""

from __future__ import annotations

import pytest
from sidelane.checks.side_by_side import CLASHES, Clash
from sidelane.checks.side_by_side.proving import prove
from sidelane.manifest import Manifest

each_clash = pytest.mark.parametrize("clash", CLASHES, ids=lambda clash: clash.id)


def found(first: str, second: str, clash: Clash) -> list[str]:
    findings = prove(Manifest.read(first), Manifest.read(second))
    return [finding.message for finding in findings if finding.rule == clash.id]


@each_clash
def test_pairs_that_clash_are_found_whichever_comes_first(clash: Clash) -> None:
    for first, second in clash.wrong:
        assert found(first, second, clash), first
        assert found(second, first, clash), second


@each_clash
def test_pairs_that_do_not_clash_are_clean_whichever_comes_first(clash: Clash) -> None:
    for first, second in clash.right:
        assert found(first, second, clash) == []
        assert found(second, first, clash) == []

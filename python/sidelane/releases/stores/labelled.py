"""Find releases by the labels that Sidelane sets on them: their inputs, levels and needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from sidelane.helm.client import Helm
from sidelane.naming.labels import INPUTS, LANE, LEVEL, NEEDS
from sidelane.naming.lane import Lane

#: The most digests in one selector: an argument of a command line has at most 128 KiB.
_DIGESTS: Final = 1000


async def names(helm: Helm, namespace: str | None, *selectors: str) -> frozenset[str]:
    """Returns the names of the releases that any of the selectors matches."""
    calls = (helm.list_all(namespace=namespace, selector=selector) for selector in selectors)
    return frozenset(row["name"] for rows in await asyncio.gather(*calls) for row in rows)


async def made_from(helm: Helm, namespace: str | None, inputs: Mapping[str, str]) -> frozenset[str]:
    """Returns the names of those of these releases that have one of these digests of inputs."""
    digests = list(inputs.values())
    parts = [digests[begin : begin + _DIGESTS] for begin in range(0, len(digests), _DIGESTS)]
    selectors = (f"{INPUTS} in ({','.join(part)})" for part in parts)
    return (await names(helm, namespace, *selectors)).intersection(inputs)


async def levels(helm: Helm, namespace: str | None, lane: Lane) -> dict[str, int]:
    """Returns the lane's releases by name, each with its level (see Basis)."""
    levels: dict[str, int] = {}
    level, selector = 0, f"{LANE}={lane}"
    while above := await names(helm, namespace, selector):
        levels.update(dict.fromkeys(above, level))
        selector = f"{LANE}={lane},{LEVEL}>{level}"
        level += 1
    return levels


async def needing(helm: Helm, namespace: str | None, name: str) -> tuple[str, ...]:
    """Returns the names of the releases that need this one."""
    return tuple(sorted(await names(helm, namespace, f"{NEEDS}{name}")))

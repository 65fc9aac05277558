"""The order of releases by their needs."""

from __future__ import annotations

from collections.abc import Mapping

from sidelane.errors import InvalidDeployment


def levels(needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Returns the level of each name: the length of its longest chain of needs, 0 for a name without needs.

    Raises InvalidDeployment for an unknown need and for a circle of needs.
    """
    unknown = [
        f"{name} needs {need!r}, which is not in the file"
        for name, all_ in needs.items()
        for need in all_
        if need not in needs
    ]
    if unknown:
        raise InvalidDeployment(
            "; ".join(unknown), errors=tuple(unknown), remedy=f"the releases of the file are: {', '.join(needs)}"
        )
    level_of: dict[str, int] = {}
    while len(level_of) < len(needs):
        ready = {
            name: 1 + max((level_of[need] for need in all_), default=-1)
            for name, all_ in needs.items()
            if name not in level_of and all(need in level_of for need in all_)
        }
        if not ready:
            circle = ", ".join(sorted(needs.keys() - level_of.keys()))
            problem = f"these releases need one another: {circle}"
            raise InvalidDeployment(problem, errors=(problem,), remedy="remove one of these needs")
        level_of |= ready
    return level_of

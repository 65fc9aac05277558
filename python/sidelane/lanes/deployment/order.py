"""Which release needs which: no circles, and a level for each."""

from __future__ import annotations

from collections.abc import Mapping

from sidelane.errors import InvalidDeployment


def levels(needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """For each name how many others, each needing the next, lie below it: 0 for what needs nothing.

    Raises InvalidDeployment for a need that is not there, and for names that need one another.
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
    found: dict[str, int] = {}
    while len(found) < len(needs):
        ready = {
            name: 1 + max((found[need] for need in all_), default=-1)
            for name, all_ in needs.items()
            if name not in found and all(need in found for need in all_)
        }
        if not ready:
            circle = ", ".join(sorted(needs.keys() - found.keys()))
            problem = f"these releases need one another: {circle}"
            raise InvalidDeployment(problem, errors=(problem,), remedy="take one need out")
        found |= ready
    return found

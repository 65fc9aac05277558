"""Ranges of chart versions, as Helm reads them (Masterminds/semver): ``^1.2``, ``~1.2.0``, ``>=1.2, <2 || 3.x``."""

from __future__ import annotations

import re

import semver

_TERM = re.compile(
    r"(?P<op>[<>]=?|=[<>]?|!=|~>?|\^|)\s*v?(?P<parts>(?:\d+|[xX*])(?:\.(?:\d+|[xX*])){0,2})"
    r"(?P<pre>-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
)
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")


def satisfies(version: str, wanted: str) -> bool:
    """Return whether a version is in a range. A pre-release is only in ranges that name a pre-release, as in Helm.

    >>> satisfies("1.4.2", "^1.2"), satisfies("2.0.0-rc.1", ">=1.2")
    (True, False)

    Raises ValueError for an invalid version or range.
    """
    parsed = semver.Version.parse(version.removeprefix("v"))
    # Every alternative is evaluated, so that a mistake in any of them is reported.
    return any([_in_all(parsed, part) for part in wanted.split("||")])  # noqa: C419


def _in_all(version: semver.Version, wanted: str) -> bool:
    text = _HYPHEN.sub(r">=\1, <=\2", wanted.strip())
    terms = list(_TERM.finditer(text))
    if not terms or re.sub(r"[\s,]", "", _TERM.sub("", text)):
        raise ValueError(f"{wanted.strip()!r} is not a range of versions")
    if version.prerelease and not any(term["pre"] for term in terms):
        return False
    return all([_holds(version, term) for term in terms])  # noqa: C419


def _holds(version: semver.Version, term: re.Match[str]) -> bool:
    numbers = [int(part) for part in re.split(r"\.", term["parts"]) if part.isdigit()]
    low = semver.Version.parse(".".join(map(str, [*numbers, 0, 0, 0][:3])) + (term["pre"] or ""))
    if not numbers:
        return term["op"] not in ("!=", "<", ">")
    # The end of a partial version: 1.2 is everything from 1.2.0 to before 1.3.0.
    end = _next(low, len(numbers))
    match term["op"]:
        case "^":
            # The leftmost part that is not 0 is fixed; in 0.0 and 0 the last one is.
            fixed = next((at for at, number in enumerate(numbers, 1) if number), len(numbers))
            return low <= version < _next(low, fixed)
        case "~" | "~>":
            return low <= version < _next(low, min(len(numbers), 2))
        case ">":
            return version > low if len(numbers) == 3 else version >= end
        case ">=" | "=>":
            return version >= low
        case "<":
            return version < low
        case "<=" | "=<":
            return version <= low if len(numbers) == 3 else version < end
        case "!=":
            return version != low if len(numbers) == 3 else not low <= version < end
        case _:
            return version == low if len(numbers) == 3 else low <= version < end


def _next(version: semver.Version, part: int) -> semver.Version:
    """Return the first version in which this part, counted from 1, is greater."""
    return {1: version.bump_major, 2: version.bump_minor, 3: version.bump_patch}[part]()

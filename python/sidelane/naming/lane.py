"""A lane: one Version and one Build that run beside others.

The constructor parses and validates, so every Lane is valid. `charts/common` holds the same grammar in templates, and
a test compares the two over generated inputs.

A name ``<component>-<Version>-<Build>`` must have exactly one reading, so the start of the Version must be clear:

- a Version is one word (``coco``), or begins with a digit and then may have several parts (``2-coco``, ``1-4-0``);
- no part of a component's or service's name begins with a digit, and its last part is not a service version (``v1``);
- a Build is decimal digits in their shortest form, so it is always the last part, and each number has one spelling.

If ``cs-coco`` were a Version, ``zk`` in ``cs-coco`` and ``zk-cs`` in ``coco`` would have the same name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sidelane.errors import InvalidLane

VERSION = re.compile(r"[a-z][a-z0-9]*|[0-9][a-z0-9]*(-[a-z0-9]+)*")
BUILD = re.compile(r"0|[1-9][0-9]*")

# A lane is a label's value, and the end of a Service's name: both have at most 63 characters (RFC 1123).
# contract.py checks the length of each whole name.
VERSION_LIMIT = 40
BUILD_LIMIT = 18


@dataclass(frozen=True, init=False)
class Lane:
    """One Version and one Build, written ``2-coco-1``.

    >>> Lane("2-coco", 1)
    Lane(version='2-coco', build='1')
    >>> str(Lane.parse("2-coco-1"))
    '2-coco-1'

    Raises InvalidLane for a Version or a Build that the naming contract does not allow.
    """

    version: str
    build: str

    def __init__(self, version: str, build: str | int) -> None:
        object.__setattr__(self, "version", _version(version))
        object.__setattr__(self, "build", _build(build))

    @classmethod
    def parse(cls, text: str) -> Lane:
        """Parse ``<Version>-<Build>``. The Build follows the last dash. Raises InvalidLane."""
        if not isinstance(text, str):
            raise InvalidLane(f"a lane must be text such as '2-coco-1', not {_kind(text)}", remedy="put it in quotes")
        version, dash, build = text.rpartition("-")
        if not dash:
            raise InvalidLane(
                f"a lane is a Version and a Build joined by a dash, and {text!r} has no dash",
                remedy=f"write it such as '{text or 'coco'}-1'",
            )
        return cls(version, build)

    def __str__(self) -> str:
        return f"{self.version}-{self.build}"


def _version(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidLane(
            f"a Version must be text, not {_kind(value)}",
            remedy="put it in quotes; otherwise YAML turns 2.10 into 2.1 and n into false",
        )
    if VERSION.fullmatch(value) and len(value) <= VERSION_LIMIT:
        return value
    raise InvalidLane(f"the Version {_shown(value)} {_version_problem(value)}", remedy=_version_remedy(value))


def _version_problem(value: str) -> str:
    if not value:
        return "is empty"
    if len(value) > VERSION_LIMIT:
        return f"has {len(value)} characters, and at most {VERSION_LIMIT} leave room for the names that contain it"
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        return "begins with a letter and has a dash, so its first part would read as part of a component's name"
    return "must consist of lower-case letters and digits, joined by single dashes"


def _version_remedy(value: str) -> str:
    if not value:
        return "write it such as 'coco' or '2-coco'"
    if len(value) > VERSION_LIMIT:
        return "choose a shorter one; names are never cut"
    plain = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
    suggestion = plain if VERSION.fullmatch(plain) else plain.replace("-", "")
    return f"write it such as '{suggestion}'" if suggestion else "write it such as 'coco' or '2-coco'"


def _build(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**BUILD_LIMIT else "9" * (BUILD_LIMIT + 1)
    if not isinstance(value, str):
        raise InvalidLane(
            f"a Build must be decimal digits, not {_kind(value)}", remedy="give one such as '1' or '20261122'"
        )
    if BUILD.fullmatch(value) and len(value) <= BUILD_LIMIT:
        return value
    if len(value) > BUILD_LIMIT:
        raise InvalidLane(
            f"the Build {_shown(value)} has more than {BUILD_LIMIT} digits", remedy="choose a shorter number"
        )
    if re.fullmatch(r"0[0-9]+", value):
        raise InvalidLane(
            f"the Build {value!r} must not begin with 0, so that each number has one spelling",
            remedy=f"write it {value.lstrip('0') or '0'!r}",
        )
    raise InvalidLane(
        f"the Build {_shown(value)} must consist of decimal digits only", remedy="give one such as '1' or '20261122'"
    )


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else f"{value[:57]}...")


def _kind(value: object) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)

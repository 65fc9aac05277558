"""The reader of conventions files and of the presets, which have the same format (schemas/conventions.schema.json)."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from sidelane import kubeyaml
from sidelane.checks.conventions.patterns import PLACEHOLDERS, placeholders
from sidelane.checks.conventions.value import Conventions, Exemption, Setting
from sidelane.errors import InvalidConventions, InvalidInput
from sidelane.support import carried, files

#: The name of the file that is found upwards from a chart, and in a chart.
NAME: Final = "sidelane.yaml"
PRESETS: Final = ("sidelane", "helm")
#: The most bytes of a file.
SIZE_LIMIT: Final = 1024 * 1024


@functools.cache
def preset(name: str) -> Conventions:
    """Return a preset: ``sidelane``, the naming contract, or ``helm``. Raises InvalidInput for another name."""
    return _made(Conventions(name), cast("dict[str, Any]", kubeyaml.read(preset_text(name), source=f"{name}.yaml")), "")


def preset_text(name: str) -> str:
    """Return the text of a preset, with its comments. Raises InvalidInput for another name."""
    if name not in PRESETS:
        raise InvalidInput(f"{name!r} is not a preset", remedy=f"choose one of {', '.join(PRESETS)}")
    return (Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")


def find(path: str | os.PathLike[str]) -> Conventions:
    """Return the conventions of a chart or file: the nearest ``sidelane.yaml`` in its folder or one above, up to the
    root of the git repository. Without such a file they are the preset ``sidelane``. Raises as read does.
    """
    file = nearest(path)
    return preset("sidelane") if file is None else read_file(file)


def nearest(path: str | os.PathLike[str], *, in_repository: bool = False) -> Path | None:
    """Return the nearest ``sidelane.yaml`` of a chart or file, in its folder or one above, or None.

    in_repository: only one in the same git repository counts; outside of repositories, none does.
    """
    start, file = Path(path).absolute(), None
    for folder in (start, *start.parents):
        if file is None and (folder / NAME).is_file():
            file = folder / NAME
        is_root = (folder / ".git").exists()
        if is_root or (file is not None and not in_repository):
            return file
    return None if in_repository else file


def read_file(path: str | os.PathLike[str]) -> Conventions:
    """Read a conventions file. Raises as read does, and InvalidInput for an unreadable file."""
    return read(content_of(path), os.fspath(path))


def named(given: str | os.PathLike[str]) -> Conventions:
    """Return the conventions of a file, or a preset by its name. Raises as read does."""
    text = os.fspath(given)
    return preset(text)._replace(demanded=True) if text in PRESETS else read_file(text)


def chosen(given: str | os.PathLike[str] | None, folder: str | os.PathLike[str]) -> Conventions:
    """Return the given conventions (see named), or else those of a folder (see find)."""
    return find(folder) if given is None else named(given)


def content_of(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a conventions file, for read. Raises InvalidInput for an unreadable file."""
    try:
        return files.bounded(Path(path), SIZE_LIMIT)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(os.fspath(path), error) from None


def read(content: bytes, source: str) -> Conventions:
    """Read the content of a conventions file. source: its path, for messages. Raises InvalidConventions with every
    mistake at once, InvalidManifest for invalid YAML.
    """
    if len(content) > SIZE_LIMIT:
        raise InvalidConventions(f"{source} is larger than {SIZE_LIMIT >> 10} KiB", remedy="split it by chart")
    data = kubeyaml.read(content, source=source)
    if not isinstance(data, dict):
        raise InvalidConventions(
            f"{source} is not a conventions file: it holds no mapping",
            remedy="begin it with apiVersion: sidelane.dev/v1alpha1 and kind: Conventions",
        )
    if errors := _mistakes(data):
        raise InvalidConventions(
            f"{source} is not a conventions file:\n  " + "\n  ".join(errors),
            errors=errors,
            remedy="see schemas/conventions.schema.json",
        )
    base = preset(data.get("extends") or "sidelane")
    own = _made(base._replace(source=source, demanded=True), data, source)
    schemas = data.get("kubernetes") or {}
    folders = [Path(source).parent / folder for folder in schemas.get("schemas") or ()]
    return own.with_schemas(schemas.get("versions"), folders)


@functools.cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    text = (carried.folder("schemas") / "conventions.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _mistakes(data: dict[str, Any]) -> tuple[str, ...]:
    from sidelane.support.schemas import problems  # noqa: PLC0415 - most checks have no file

    return problems(schema(), data) or (*_misplaced(data), *_unknown(data))


def _unknown(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each id that is neither a rule's nor a clash's."""
    places = [(f"rules[{rule}]", rule) for rule in data.get("rules") or ()]
    places += [(f"exceptions[{at}].rule", item["rule"]) for at, item in enumerate(data.get("exceptions") or ())]
    if not places:
        return ()
    from sidelane.checks import explain  # noqa: PLC0415 - the rules import the conventions

    return tuple(f"{place}: {problem}" for place, rule in places if (problem := explain.unknown(rule)))


def _misplaced(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each placeholder that does not exist."""
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    return tuple(
        f"{part}[{key}]: {{{name}}} is not a placeholder; choose from {known}"
        for part in ("names", "labels", "selectors")
        for key, patterns in (data.get(part) or {}).items()
        for pattern in _listed(patterns)
        for name in sorted(placeholders(pattern) - PLACEHOLDERS.keys())
    )


def _made(base: Conventions, data: Mapping[str, Any], source: str) -> Conventions:
    """Return the conventions of a valid file over those that it extends. null removes an inherited entry."""
    left, values = data.get("leaveOut") or {}, data.get("values") or {}
    return base._replace(
        names=_over(base.names, {kind: _listed(more) for kind, more in (data.get("names") or {}).items()}),
        labels=_over(base.labels, data.get("labels") or {}),
        selectors=_over(base.selectors, {key: _listed(more) for key, more in (data.get("selectors") or {}).items()}),
        components=tuple(data.get("components") or base.components),
        rules={**base.rules, **{rule: _setting(value) for rule, value in (data.get("rules") or {}).items()}},
        subcharts=tuple(left.get("subcharts") or ()),
        templates=tuple(left.get("templates") or ()),
        hooks=tuple(left.get("hooks") or ()),
        exceptions=tuple(
            Exemption(**item, where=f"{source}: exceptions[{at}]")
            for at, item in enumerate(data.get("exceptions") or ())
        ),
        version_key=values.get("version") or "",
        build_key=values.get("build") or "",
    )


def _over(base: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in {**base, **given}.items() if value is not None and value != ()}


def _listed(patterns: object) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else tuple(cast("list[str] | None", patterns) or ())


def _setting(value: object) -> Setting:
    # YAML reads `off` as false.
    return "off" if value is False else cast("Setting", value)

"""The files that changed since a git revision, and what of a check they concern."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from sidelane.charts.folders import with_dependencies
from sidelane.checks import conventions
from sidelane.errors import InvalidInput
from sidelane.support import git


class Changed(NamedTuple):
    """The changed files of a working tree: since the commit where its branch left the revision, also new ones.

    files: absolute paths, without links.
    """

    tree: Path
    files: frozenset[Path]

    def concerns(self, subject: str | os.PathLike[str]) -> bool:
        """Returns whether a chart or a manifest changed: its files, those of its dependencies in other folders, or the
        conventions file above it. True for anything outside the working tree, of which nothing is known.
        """
        path = Path(subject)
        if not path.exists() or not path.resolve().is_relative_to(self.tree):
            return True
        held = conventions.nearest(path if path.is_dir() else path.parent)
        if held is not None and held.resolve() in self.files:
            return True
        return any(
            file.is_relative_to(folder)
            for folder in (with_dependencies(path) if path.is_dir() else (path.resolve(),))
            for file in self.files
        )


async def since(revision: str) -> Changed:
    """Returns what changed in the working tree of the working folder. Raises InvalidInput for an unknown revision."""
    tree = git.top(Path())
    if tree is None:
        raise InvalidInput("--since needs a git repository, and this folder is in none", remedy="leave out --since")
    tree = tree.resolve()
    names = await _names(tree, revision)
    return Changed(tree, frozenset(Path(os.path.realpath(tree / os.fsdecode(name))) for name in names))


async def _names(tree: Path, revision: str) -> list[bytes]:
    compared = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--merge-base", "--end-of-options")
    try:
        changed = await git.run(tree, *compared, revision, "--")
        new = await git.run(tree, "ls-files", "-z", "--others", "--exclude-standard")
    except OSError:
        raise InvalidInput("--since needs git, which can't be run", remedy="install git") from None
    for answer in (changed, new):
        if answer.code:
            why = answer.errors.strip().partition("\n")[0] or f"its exit code is {answer.code}"
            raise InvalidInput(
                f"git can't compare with {revision!r}: {why}",
                remedy="name a commit, branch or tag of this repository; in CI, fetch it and the history up to it",
            )
    return [name for answer in (changed, new) for name in answer.output.split(b"\0") if name]

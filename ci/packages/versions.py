"""A chart's version rises when its content changes: held against an earlier state of the checkout, by git.

The earlier state is the last tag before what is packaged; where there is no tag, what is not committed yet is held
against the last commit. A chart's content is what its package would hold, with all that its links bring: a change of
`common` changes every chart.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import semver
from archive import Package
from sidelane.errors import Refused

#: How many changed files of a chart are named.
SHOWN = 10


@dataclass(frozen=True)
class Base:
    """The earlier state: a commit or tag as git knows it, and as a sentence calls it."""

    revision: str
    title: str


class Checkout:
    """A git checkout, asked through git."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, root: Path) -> Checkout | None:
        """The checkout whose top is this folder; None in a source distribution, and where there is no git."""
        # A folder inside another project's checkout has no .git, and is not what that project's tags are about.
        return cls(root) if (root / ".git").exists() and shutil.which("git") else None

    @property
    def time(self) -> int:
        """When the last commit was made, in seconds since 1970."""
        return int(self._git("log", "-1", "--format=%ct"))

    @property
    def uncommitted(self) -> list[str]:
        """The uncommitted changes of the charts, as `git status` writes them, with ignored files."""
        status = self._git("status", "--porcelain", "--untracked-files=all", "--ignored", "--", "charts")
        return status.splitlines()

    def base(self, since: str = "") -> Base | None:
        """The commit to compare with: ``since`` where it is given, else the last tag, else the last commit.

        Where the charts are what the last commit holds, its own tags don't count, and without another tag there is
        None: to compare a commit with itself would be no check. Raises Refused in a shallow clone, where a tag may be
        out of sight.
        """
        if since:
            try:
                self._git("rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
                return Base(since, since)
            except Refused:
                raise Refused(
                    f"{since!r} is not a commit here", remedy="set SINCE to a tag, branch or commit"
                ) from None
        committed = not self.uncommitted
        here = self._git("tag", "--points-at", "HEAD").splitlines() if committed else []
        try:
            tag = self._git("describe", "--tags", "--abbrev=0", *(f"--exclude={each}" for each in here))
            return Base(f"refs/tags/{tag}", f"the tag {tag}")
        except Refused:  # there is no such tag
            if self._git("rev-parse", "--is-shallow-repository") == "true":
                raise Refused(
                    "this clone is shallow: the tag that versions must be compared with may be out of sight",
                    remedy="fetch it, `git fetch --unshallow --tags`, or name a commit, `make package SINCE=HEAD`",
                ) from None
        return None if committed else Base("HEAD", "the last commit, for want of a tag")

    def extract(self, base: Base, folder: Path) -> None:
        """Lays the charts of an earlier state into a folder, links as links."""
        if not self._git("ls-tree", base.revision, "charts"):
            return
        done = subprocess.run(
            ["git", "-C", self.root, "archive", base.revision, "charts"], capture_output=True, check=True
        )
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            # As Python's documentation has it for versions with and without filters.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            archive.extractall(folder)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", self.root, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = done.stderr.strip() or f"exit code {done.returncode}"
            raise Refused(f"git {' '.join(arguments)}: {words}", remedy="fix the checkout")
        return done.stdout.strip()


def check(packages: Iterable[Package], earlier: Mapping[str, Package], base: Base) -> None:
    """Raises Refused naming every chart that differs from its earlier package and has no higher version."""
    refusals = [
        refusal
        for now in packages
        if (before := earlier.get(now.name)) and (refusal := "\n".join(_refusal(now, before)))
    ]
    if refusals:
        raise Refused(
            f"a chart's version rises when its content changes; compared with {base.title}:\n" + "\n".join(refusals),
            remedy="raise `version` in each Chart.yaml, and in the `dependencies` of the charts that it is linked into",
        )


def _refusal(now: Package, before: Package) -> Iterator[str]:
    changes = [path for path in sorted({*now.files, *before.files}) if now.files.get(path) != before.files.get(path)]
    was = semver.Version.parse(before.version)
    if not changes or semver.Version.parse(now.version) > was:
        return
    free = was.bump_prerelease() if was.prerelease else was.bump_patch()
    yield f"  {now.name} is {now.version} and was {before.version}; the next free version is {free}:"
    for path in changes[:SHOWN]:
        what = "added" if path not in before.files else "removed" if path not in now.files else "changed"
        yield f"    {what} {path}"
    if len(changes) > SHOWN:
        yield f"    and {len(changes) - SHOWN} more files"

"""Where a release comes from: the git commits that it was made at, and the run of a pipeline that made it."""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sidelane.support.concurrency import Shared

#: Who made a release that no known pipeline made.
BY_HAND: Final = "https://sidelane.dev/by-hand"
#: Seconds that git may take: a record of a commit is not worth more, and says nothing then.
PATIENCE: Final = 5.0
#: A commit's name: SHA-1, or SHA-256 in repositories that are made with it.
COMMIT: Final = "[0-9a-f]{40}|[0-9a-f]{64}"


class Commit(NamedTuple):
    """A commit of a repository. clean: whether the tree was as committed, None where that is not known."""

    repository: str
    commit: str
    clean: bool | None = None

    def to_json(self) -> dict[str, object]:
        """It as a resource descriptor of in-toto."""
        known = {} if self.clean is None else {"annotations": {"clean": self.clean}}
        algorithm = "gitCommit" if len(self.commit) == 40 else "gitCommitSha256"
        return {"name": "git", "uri": f"git+{self.repository}", "digest": {algorithm: self.commit}, **known}


class Origin(NamedTuple):
    """builder: the pipeline that ran, as a URI; run: this very run of it, where people find its log."""

    builder: str = BY_HAND
    run: str = ""
    commits: tuple[Commit, ...] = ()


async def of(folders: Iterable[Path], environment: Mapping[str, str] | None = None) -> Origin:
    """The origin of what is made now, by this process, with files of these folders.

    Git is asked for each folder's repository; where there is none, the pipeline's own variables name the commit.
    """
    environment = os.environ if environment is None else environment
    tops = dict.fromkeys(filter(None, map(_top, folders)))
    found = await asyncio.gather(*(_COMMITS_OF.get(top, functools.partial(_commit, top)) for top in tops))
    named = _named_commit(environment)
    commits = tuple(dict.fromkeys(filter(None, found))) or ((named,) if named else ())
    return _pipeline(environment)._replace(commits=commits)


#: Commits of repositories, which are not asked for again for each release of a lane.
_COMMITS_OF: Final[Shared[Commit | None]] = Shared(10.0)


class _Service(NamedTuple):
    """How a CI service tells what runs: the variable that it alone sets, then its URIs, made of its variables."""

    sign: str
    builder: str
    run: str


# Each as the service's own documentation of its predefined variables has it. The first whose sign is set is meant.
_SERVICES: Final = (
    # For what sets none of the others' variables: Argo Workflows, Tekton, a cron job.
    _Service("SIDELANE_BUILDER", "{SIDELANE_BUILDER}", "{SIDELANE_RUN}"),
    _Service(
        "GITHUB_ACTIONS",
        "https://github.com/actions/runner/{RUNNER_ENVIRONMENT}",
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
    ),
    _Service("GITLAB_CI", "{CI_PROJECT_URL}/-/runners/{CI_RUNNER_ID}", "{CI_JOB_URL}"),
    _Service("JENKINS_URL", "{JENKINS_URL}", "{BUILD_URL}"),
    _Service("BUILDKITE", "https://buildkite.com/{BUILDKITE_ORGANIZATION_SLUG}", "{BUILDKITE_BUILD_URL}"),
    _Service("CIRCLECI", "https://circleci.com", "{CIRCLE_BUILD_URL}"),
    _Service(
        "TF_BUILD",
        "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}",
        "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    _Service(
        "BITBUCKET_BUILD_NUMBER",
        "https://bitbucket.org/{BITBUCKET_WORKSPACE}",
        "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    ),
    _Service("CI_PIPELINE_FORGE_URL", "{CI_SYSTEM_URL}", "{CI_PIPELINE_URL}"),  # Woodpecker
    _Service("DRONE", "{DRONE_SYSTEM_PROTO}://{DRONE_SYSTEM_HOST}", "{DRONE_BUILD_LINK}"),
    _Service("TRAVIS", "https://travis-ci.com", "{TRAVIS_BUILD_WEB_URL}"),
    _Service("TEAMCITY_VERSION", "{TEAMCITY_SERVER_URL}", "{BUILD_URL}"),
    _Service("CODEBUILD_BUILD_ARN", "https://aws.amazon.com/codebuild", "{CODEBUILD_BUILD_ARN}"),
)
# Where each keeps the commit and its repository, for a checkout that has no .git.
_COMMITS: Final = (
    ("GITHUB_SHA", "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}"),
    ("CI_COMMIT_SHA", "{CI_PROJECT_URL}"),
    ("GIT_COMMIT", "{GIT_URL}"),
    ("BUILDKITE_COMMIT", "{BUILDKITE_REPO}"),
    ("CIRCLE_SHA1", "{CIRCLE_REPOSITORY_URL}"),
    ("BUILD_SOURCEVERSION", "{BUILD_REPOSITORY_URI}"),
    ("BITBUCKET_COMMIT", "{BITBUCKET_GIT_HTTP_ORIGIN}"),
    ("DRONE_COMMIT_SHA", "{DRONE_GIT_HTTP_URL}"),
    ("CODEBUILD_RESOLVED_SOURCE_VERSION", "{CODEBUILD_SOURCE_REPO_URL}"),
)


def _pipeline(environment: Mapping[str, str]) -> Origin:
    for service in _SERVICES:
        if environment.get(service.sign):
            return Origin(_filled(service.builder, environment), _filled(service.run, environment))
    return Origin()


def _named_commit(environment: Mapping[str, str]) -> Commit | None:
    for variable, repository in _COMMITS:
        commit = environment.get(variable, "")
        if re.fullmatch(COMMIT, commit):
            return Commit(_public(_filled(repository, environment)), commit)
    return None


def _filled(pattern: str, environment: Mapping[str, str]) -> str:
    return _public(re.sub(r"\{(\w+)\}", lambda match: environment.get(match[1], ""), pattern))


def _public(url: str) -> str:
    """An address without the user and the token that may stand in it: https://oauth2:token@host/…"""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _top(folder: Path) -> Path | None:
    """The repository that a folder lies in, None where it lies in none."""
    try:
        folder = folder.resolve()
    except OSError:  # the folder that this process works in is gone
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


async def _commit(top: Path) -> Commit | None:
    """The commit that a repository is at, None where git is not there, or does not trust it."""
    try:
        async with asyncio.timeout(PATIENCE):
            # A file that is not committed may have been used, unless it is ignored.
            status, remote = await asyncio.gather(
                _git(top, "status", "--porcelain=v2", "--branch", "--untracked-files=normal"),
                _git(top, "remote", "get-url", "origin"),
            )
    except (OSError, TimeoutError):
        return None
    told = dict(line[2:].split(" ", 1) for line in status if line.startswith("# "))
    commit = told.get("branch.oid", "")
    if not re.fullmatch(COMMIT, commit):
        return None
    clean = all(line.startswith("# ") for line in status)
    return Commit(_public(remote[0]) if remote else top.as_uri(), commit, clean)


async def _git(top: Path, *arguments: str) -> list[str]:
    """What git prints, as lines; nothing where it fails."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    process = await asyncio.create_subprocess_exec(
        "git",
        "-C",
        str(top),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    try:
        stdout, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return stdout.decode(errors="replace").splitlines() if process.returncode == 0 else []

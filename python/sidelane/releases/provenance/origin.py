"""The origin of a release: the git commits, and the run of the pipeline."""

from __future__ import annotations

import asyncio
import functools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sidelane.support import git
from sidelane.support.concurrency import Shared

#: The builder of a release without a known pipeline.
BY_HAND: Final = "https://sidelane.dev/by-hand"
#: The time limit for git in seconds; after that the record has no commit.
PATIENCE: Final = 5.0
#: A commit's name: SHA-1, or SHA-256 in repositories that use it.
COMMIT: Final = "[0-9a-f]{40}|[0-9a-f]{64}"


class Commit(NamedTuple):
    """A commit of a repository. clean: True if the tree had no changes, None if unknown."""

    repository: str
    commit: str
    clean: bool | None = None

    def to_json(self) -> dict[str, object]:
        """Returns the commit as an in-toto resource descriptor."""
        known = {} if self.clean is None else {"annotations": {"clean": self.clean}}
        algorithm = "gitCommit" if len(self.commit) == 40 else "gitCommitSha256"
        return {"name": "git", "uri": f"git+{self.repository}", "digest": {algorithm: self.commit}, **known}


class Origin(NamedTuple):
    """The origin of a release. builder: the URI of the pipeline; run: the URI of its run, with the log."""

    builder: str = BY_HAND
    run: str = ""
    commits: tuple[Commit, ...] = ()


async def of(folders: Iterable[Path], environment: Mapping[str, str] | None = None) -> Origin:
    """Returns the origin of a release by this process, with files of these folders.

    The commit of each folder comes from git; without a repository, from the pipeline's variables.
    """
    environment = os.environ if environment is None else environment
    tops = dict.fromkeys(filter(None, map(git.top, folders)))
    of_each = await asyncio.gather(*(_COMMITS_OF.get(top, functools.partial(_commit, top)) for top in tops))
    named = _named_commit(environment)
    commits = tuple(dict.fromkeys(filter(None, of_each))) or ((named,) if named else ())
    return _pipeline(environment)._replace(commits=commits)


#: A cache of commits, so that git runs once for all releases of a lane.
_COMMITS_OF: Final[Shared[Commit | None]] = Shared(10.0)


class _Service(NamedTuple):
    """A CI service: the variable that only this service sets, and patterns of its URIs with its variables."""

    sign: str
    builder: str
    run: str


# Source: each service's documentation of its predefined variables. The first service whose variable is set is used.
_SERVICES: Final = (
    # For tools without their own variables: Argo Workflows, Tekton, a cron job.
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
# Each service's variables for the commit and the repository, for a checkout without .git.
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
    """Returns an address without a user and token, as in https://oauth2:token@host/…"""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


async def _commit(top: Path) -> Commit | None:
    """Returns the current commit of a repository, None if git is missing or does not trust the repository."""
    try:
        async with asyncio.timeout(PATIENCE):
            # The release may have used an uncommitted file, unless it is ignored.
            status, remote = await asyncio.gather(
                _git(top, "status", "--porcelain=v2", "--branch", "--untracked-files=normal"),
                _git(top, "remote", "get-url", "origin"),
            )
    except (OSError, TimeoutError):
        return None
    headers = dict(line[2:].split(" ", 1) for line in status if line.startswith("# "))
    commit = headers.get("branch.oid", "")
    if not re.fullmatch(COMMIT, commit):
        return None
    clean = all(line.startswith("# ") for line in status)
    return Commit(_public(remote[0]) if remote else top.as_uri(), commit, clean)


async def _git(top: Path, *arguments: str) -> list[str]:
    """Returns git's output as lines; none if it fails."""
    answer = await git.run(top, *arguments)
    return answer.output.decode(errors="replace").splitlines() if answer.code == 0 else []

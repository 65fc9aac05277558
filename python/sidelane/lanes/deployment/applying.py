"""Apply a plan: independent releases in parallel, needed releases first, and optionally all or nothing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from dataclasses import dataclass

from sidelane.errors import ApplyFailed, ClusterUnreachable, NotReady, ReleaseConflict, SidelaneError, TargetBusy
from sidelane.lanes.deployment.file import Deployment
from sidelane.lanes.deployment.parts import RouteStep, charts_of
from sidelane.lanes.deployment.planning import PARALLEL, Plan, Step, planned
from sidelane.naming.lane import Lane
from sidelane.releases import installing
from sidelane.releases.basis import Basis
from sidelane.releases.context import Context
from sidelane.releases.stores import Options, Release
from sidelane.routes.changes import Router
from sidelane.routes.routed import Routed
from sidelane.support.concurrency import all_of


@dataclass(frozen=True)
class Applied:
    """The result of a run: each release with its ``change``, in the order of the file, and the created routes."""

    lane: Lane
    releases: tuple[Release, ...]
    routes: tuple[Routed, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns the JSON form of the result."""
        return {
            "lane": str(self.lane),
            "releases": [release.to_json() for release in self.releases],
            "routes": [route.to_json() for route in self.routes],
        }


async def apply(
    context: Context,
    deployment: Deployment,
    *,
    options: Options,
    parallel: int | None = None,
    atomic: bool = False,
    reset: bool = False,
    require_guard: bool = False,
) -> Applied:
    """Applies a file to its lane and namespace. Raises as planning and ``done`` do.

    parallel: the number of releases at a time. reset: see Plan. atomic: see ``done``. require_guard: raise Refused,
    without any change, unless the namespace is guarded.
    """
    at = context.in_namespace(deployment.namespace)
    with at.advising():
        if require_guard:
            from sidelane.releases import guarding  # noqa: PLC0415 - few need it

            await guarding.require(at)
        async with charts_of(at, deployment) as charts:
            plan = await planned(at, deployment, charts, parallel=parallel, reset=reset)
            applied = await done(at, plan, options=options, parallel=parallel, atomic=atomic)
        if not any(release.change == "unchanged" for release in applied.releases):
            return applied
        from sidelane.releases import verify  # noqa: PLC0415 - a new lane does not need it

        return dataclasses.replace(applied, releases=await verify.with_drift(at, applied.releases))


async def done(
    context: Context, plan: Plan, *, options: Options, parallel: int | None = None, atomic: bool = False
) -> Applied:
    """Makes the planned changes. A release starts when those that it needs are ready, also without ``options.wait``.

    atomic: after a failure, remove the releases that this run created, and no others. Raises ReleaseConflict, without
    any change, when a step is refused; ApplyFailed when a release fails: running steps end, and no others start. The
    next run continues this one, however it ended.
    """
    if plan.refused:
        raise _refusal(plan)
    routes = [step for step in plan.routes if step.action == "create"]
    # The targets of a route must be ready.
    options = options._replace(wait=options.wait or bool(routes))
    run = _Run(context, plan, options, parallel=parallel or PARALLEL)
    routed: list[Routed] = []
    try:
        releases = await run.releases()
        for step in routes:
            routed.append(await _route(context, plan.lane, step))  # noqa: PERF401 - keeps the results before a failure
    except BaseException as error:  # also a signal
        # After a route has been created, its targets must not be removed.
        undone = await run.undo() if atomic and not routed else ()
        if isinstance(error, SidelaneError):
            raise run.failure(error, undone) from None
        raise
    return Applied(plan.lane, tuple(releases), tuple(routed))


async def _route(context: Context, lane: Lane, step: RouteStep) -> Routed:
    return await Router.of(context).set(step.service, lane, step.split, values=step.values)


def _refusal(plan: Plan) -> ReleaseConflict:
    lines = [f"{step.release}: {line}" for step in plan.refused for line in step.why]
    return ReleaseConflict(
        f"nothing was changed in {plan.lane}, because these releases are refused:\n  " + "\n  ".join(lines),
        differences=tuple(lines),
        remedy=plan.remedy,
    )


def _named(release: str, problem: str) -> str:
    """Returns a release's problem, which may begin with its name and have further lines."""
    text = problem if problem.startswith(release) else f"{release}: {problem}"
    return text.replace("\n", "\n  ")


def _by_level(plan: Plan) -> list[Step]:
    return sorted(plan.steps, key=lambda step: (step.part.level, step.release))


class _Run:
    """One run of a plan, and its results at a failure."""

    def __init__(self, context: Context, plan: Plan, options: Options, *, parallel: int) -> None:
        self._context, self._target, self._plan, self._options = context, context.target, plan, options
        self._first = next((step.release for step in _by_level(plan) if step.action == "create"), None)
        self._needed = {need for step in plan.steps for need in step.part.needs}
        self._ready = {step.release: asyncio.Event() for step in plan.steps}
        self._at_once = asyncio.Semaphore(parallel)
        self._tell = context.progress
        self._running: list[str] = []
        self._details: dict[str, str] = {}
        self._begun: set[str] = set()
        self._done: dict[str, Release] = {}
        self._errors: dict[str, SidelaneError] = {}

    async def releases(self) -> list[Release]:
        """Applies every release. Raises the first error, when all running steps have ended."""
        claimed = asyncio.ensure_future(self._claimed())
        try:
            await all_of(self._when_needs_are_ready(step, claimed) for step in self._plan.steps)
        finally:
            claimed.cancel()
        if self._errors:
            raise next(iter(self._errors.values()))
        return [self._done[step.release] for step in self._plan.steps]

    async def _when_needs_are_ready(self, step: Step, claimed: asyncio.Future[None]) -> None:
        for need in step.part.needs:
            await self._ready[need].wait()
        try:
            # Only creations wait: the first one may need some of the others, which no other run can claim any more.
            if step.action == "create" and step.release != self._first:
                await asyncio.shield(claimed)
            async with self._at_once:
                if not self._errors:
                    await self._one(step)
        except SidelaneError as error:
            self._errors[step.release] = error
        self._ready[step.release].set()

    async def _claimed(self) -> None:
        """Returns when the first new release exists. It is created before all others: of two runs for the same lane,
        one fails here, and has changed nothing.
        """
        while self._first is not None and not self._ready[self._first].is_set():
            try:
                await asyncio.wait_for(self._ready[self._first].wait(), 1.0)
            except TimeoutError:
                # The API server may be unavailable for a moment; if it stays so, the first release fails by itself.
                with contextlib.suppress(ClusterUnreachable):
                    if self._first in await self._target.mine(self._plan.lane):
                        return  # this run owns it; the others need not wait until it is ready

    async def _one(self, step: Step) -> None:
        self._running.append(step.release)
        self._progress()
        if step.action == "create":
            self._begun.add(step.release)
        release = await self._bring(step)
        if step.release == self._first and release.change == "unchanged":
            raise TargetBusy(
                f"another process is applying to {self._plan.lane}", remedy="run it again when that has ended"
            )
        self._done[step.release] = release
        self._running.remove(step.release)
        self._progress()

    async def _bring(self, step: Step) -> Release:
        part, lane = step.part, self._plan.lane
        tell = functools.partial(self._detail, step.release)
        options = self._options._replace(wait=self._options.wait or step.release in self._needed, progress=tell)
        if step.there is not None:
            if options.wait:
                await installing.ready(self._target, await self._target.stored(step.release), options)
            return dataclasses.replace(step.there, chart=step.chart, change="unchanged", kept_values=step.kept_values)
        context, keep = self._context.telling(tell), not self._plan.reset
        basis = Basis(needs=part.needs, level=part.level)
        if step.action == "scale":
            return await installing.upgrade(
                context, part.chart, lane, part.values, keep=keep, options=options, basis=basis
            )
        return await installing.install(
            context, part.chart, lane, part.values, options=options, basis=basis, rendered=step.rendering, keep=keep
        )

    def _detail(self, release: str, text: str) -> None:
        """Stores the progress of one release."""
        self._details[release] = text.removeprefix(f"{release}: ") if text.startswith(f"{release}: ") else ""
        self._progress()

    def _progress(self) -> None:
        # One release is shown in full, the others by name.
        telling = next((name for name in self._running if self._details.get(name)), None)
        names = sorted(self._running, key=lambda name: name != telling)
        running = f": {', '.join(names[:3])}{' …' if names[3:] else ''}" if names else ""
        detail = f"; {telling}: {self._details[telling]}" if telling else ""
        self._tell(f"{len(self._done)} of {len(self._plan.steps)} releases of {self._plan.lane}{running}{detail}")

    async def undo(self) -> tuple[str, ...]:
        """Removes the releases that this run created, dependent ones first. Returns the names."""
        mine = await self._target.mine(self._plan.lane)
        created = {name for name, release in self._done.items() if release.change == "created"}
        gone = [step for step in self._plan.steps if step.release in created | (self._begun & mine)]
        for level in sorted({step.part.level for step in gone}, reverse=True):
            names = [step.release for step in gone if step.part.level == level]
            self._tell(f"removing {', '.join(names)}")
            options = Options(wait=True, timeout=self._options.timeout, progress=self._tell)
            await all_of(self._target.uninstall(name, options) for name in names)
        return tuple(step.release for step in gone)

    def failure(self, error: SidelaneError, undone: tuple[str, ...]) -> ApplyFailed:
        errors = self._errors or {"routes": error}
        for name, failed in errors.items():
            if isinstance(failed, NotReady) and name in undone:
                failed.remedy = "fix the causes above"  # the release is gone
        lines = [_named(name, error.problem) for name, error in errors.items()]
        left = [name for name, release in self._done.items() if release.change != "unchanged" and name not in undone]
        open_ = [step.release for step in self._plan.steps if step.release not in {*self._done, *errors}]
        said = {"removed again": undone, "done": left, "not begun": open_}
        lines += [f"{words}: {', '.join(names)}" for words, names in said.items() if names]
        return ApplyFailed(
            f"{self._plan.lane} was not deployed:\n  " + "\n  ".join(lines),
            errors=errors,
            undone=undone,
            done=tuple(left),
        )

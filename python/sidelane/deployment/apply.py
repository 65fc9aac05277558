"""A plan, done: independent releases side by side, what is needed first, and of one run all or nothing when asked."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sidelane import releases
from sidelane.charts import Chart
from sidelane.deployment.plan import Plan, Step, all_of
from sidelane.errors import ApplyFailed, ReleaseConflict, SidelaneError
from sidelane.lane import Lane
from sidelane.releases import Progress, quiet
from sidelane.rendering import Renderer
from sidelane.targets import Options, Release, Target

#: Applies one route of the file, and tells what it did.
Route = Callable[[Mapping[str, Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Applied:
    """What a run did to a lane: each release with its ``change``, in the order of the file, and what routes said."""

    lane: Lane
    releases: tuple[Release, ...]
    routes: tuple[Any, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The result as programs read it."""
        return {
            "lane": str(self.lane),
            "releases": [release.to_json() for release in self.releases],
            "routes": [route.to_json() for route in self.routes],
        }


async def apply(
    target: Target,
    renderer: Callable[[Chart], Renderer],
    plan: Plan,
    *,
    options: Options,
    parallel: int,
    atomic: bool = False,
    route: Route | None = None,
    progress: Progress = quiet,
) -> Applied:
    """Does what is planned. What others need is ready before these are begun, whatever ``options.wait`` says.

    atomic: when anything fails, what this run created is removed again, and nothing else. Raises ReleaseConflict, and
    has changed nothing, when any step is refused; ApplyFailed when a release fails: what has begun ends, and nothing
    more begins. The next run takes up what this one leaves, however it ends.
    """
    if plan.refused:
        raise _refusal(plan)
    run = _Run(target, renderer, plan, options, parallel=parallel, progress=progress)
    try:
        done = await run.releases()
        told = tuple([await route(item) for item in plan.routes] if route else ())
    except BaseException as error:  # a signal, too
        failed = isinstance(error, Exception)
        undone = await run.undo() if atomic else ()
        if failed and isinstance(error, SidelaneError):
            raise run.failure(error, undone) from None
        raise
    return Applied(plan.lane, tuple(done), told)


def _refusal(plan: Plan) -> ReleaseConflict:
    lines = [f"{step.release}: {line}" for step in plan.refused for line in step.why]
    return ReleaseConflict(
        f"nothing was changed in {plan.lane}, because this is refused:\n  " + "\n  ".join(lines),
        differences=tuple(lines),
        remedy=plan.remedy,
    )


class _Run:
    """One run of a plan, and what is known of it when it fails."""

    def __init__(
        self,
        target: Target,
        renderer: Callable[[Chart], Renderer],
        plan: Plan,
        options: Options,
        *,
        parallel: int,
        progress: Progress,
    ) -> None:
        self._target, self._renderer, self._plan, self._options = target, renderer, plan, options
        self._needed = {need for step in plan.steps for need in step.part.needs}
        self._ready = {step.release: asyncio.Event() for step in plan.steps}
        self._at_once = asyncio.Semaphore(parallel)
        self._tell = progress
        self._running: list[str] = []
        self._begun: set[str] = set()
        self._done: dict[str, Release] = {}
        self._errors: dict[str, SidelaneError] = {}

    async def releases(self) -> list[Release]:
        """Every release, done. Raises the first error, when all that had begun has ended."""
        await all_of(self._when_needs_are_ready(step) for step in self._plan.steps)
        if self._errors:
            raise next(iter(self._errors.values()))
        return [self._done[step.release] for step in self._plan.steps]

    async def _when_needs_are_ready(self, step: Step) -> None:
        for need in step.part.needs:
            await self._ready[need].wait()
        async with self._at_once:
            if not self._errors:
                try:
                    await self._one(step)
                except SidelaneError as error:
                    self._errors[step.release] = error
        self._ready[step.release].set()

    async def _one(self, step: Step) -> None:
        self._running.append(step.release)
        self._progress()
        if step.action == "create":
            self._begun.add(step.release)
        self._done[step.release] = await self._bring(step)
        self._running.remove(step.release)
        self._progress()

    async def _bring(self, step: Step) -> Release:
        part, lane = step.part, self._plan.lane
        if step.there is not None:
            return dataclasses.replace(step.there, chart=step.chart, change="unchanged")
        options = self._options._replace(
            wait=self._options.wait or step.release in self._needed, needs=part.needs, level=part.level
        )
        renderer = self._renderer(part.chart)
        if step.action == "scale":
            return await releases.upgrade(self._target, renderer, part.chart, lane, part.values, options=options)
        return await releases.install(
            self._target, renderer, part.chart, lane, part.values, options=options, rendered=step.rendering, retry=True
        )

    def _progress(self) -> None:
        running = f": {', '.join(self._running[:3])}{' …' if self._running[3:] else ''}" if self._running else ""
        self._tell(f"{len(self._done)} of {len(self._plan.steps)} releases of {self._plan.lane}{running}")

    async def undo(self) -> tuple[str, ...]:
        """Removes what this run created, what needs something before it. Returns the names."""
        mine = await self._target.mine(self._plan.lane)
        created = {name for name, release in self._done.items() if release.change == "created"}
        gone = [step for step in self._plan.steps if step.release in created | (self._begun & mine)]
        for level in sorted({step.part.level for step in gone}, reverse=True):
            names = [step.release for step in gone if step.part.level == level]
            self._tell(f"removing again {', '.join(names)}")
            options = Options(wait=True, timeout=self._options.timeout)
            await all_of(self._target.uninstall(name, options) for name in names)
        return tuple(step.release for step in gone)

    def failure(self, error: SidelaneError, undone: tuple[str, ...]) -> ApplyFailed:
        errors = self._errors or {"routes": error}
        lines = [f"{name}: {error.problem}" for name, error in errors.items()]
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

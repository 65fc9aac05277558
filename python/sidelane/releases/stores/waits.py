"""The link from a cluster's releases to sidelane.releases.waiting. Imported only when something waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from sidelane.helm.client import Helm
from sidelane.helm.running import Halt
from sidelane.manifest import Object
from sidelane.releases.readiness import Readiness, Subject
from sidelane.releases.stores import Options, Stored
from sidelane.releases.waiting import during
from sidelane.releases.waiting.reading import Asked, Reader
from sidelane.releases.waiting.watch import Watch

T = TypeVar("T")

#: Kinds whose pods end after them.
_OWNERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


class Waits:
    """Waiting for the releases of one target."""

    def __init__(self, helm: Helm, namespace: str | None) -> None:
        self._helm = helm
        self._watch = Watch(Reader(helm, namespace))

    async def over_helm(
        self,
        release: str,
        objects: Sequence[Object],
        values: Mapping[str, Any],
        options: Options,
        work: Callable[[Halt], Awaitable[T]],
        *,
        hooks: str,
    ) -> T:
        """Runs the work, a call of Helm that waits for these objects and for the hooks of this verb."""
        waits = during.HelmWaits(
            watch=self._watch,
            subject=await self._subject(release, objects, values, hooks=hooks, alone=not options.waits),
            all=tuple(obj for obj in objects if not obj.is_hook),
            tell=options.progress,
            timeout=options.timeout,
        )
        return await waits.over(work)

    async def readiness(self, stored: Sequence[Stored]) -> tuple[Readiness, ...]:
        """Returns the present readiness of each release. Raises as sidelane.helm.lookup does."""
        return tuple(await self._watch.now(*await self._subjects(stored)))

    async def require_hope(self, stored: Stored, options: Options) -> None:
        """Raises NotReady for a release that cannot become ready, because a started rollback cannot be stopped."""
        (subject,) = await self._subjects([stored])
        await during.require_hope(self._watch, subject, stored.manifest.objects, options.timeout)

    async def ready(self, stored: Sequence[Stored], what: str, options: Options) -> Readiness:
        """Waits until these releases are ready. Raises TimedOut, NotReady."""
        subjects = await self._subjects(stored)
        return await during.ready(self._watch, subjects, what, timeout=options.timeout, tell=options.progress)

    async def while_pods_end(self, stored: Stored, options: Options, work: Awaitable[T]) -> T:
        """Runs the work, which removes a release, and reports its pods that are still terminating."""
        owners = (obj for obj in stored.manifest.objects if obj.kind in _OWNERS and not obj.is_hook)
        asked = Asked(leaving=tuple(f"{obj.kind}/{obj.name}" for obj in owners))
        return await during.going(self._watch, asked, f"removing {stored.release.name}", options.progress, work)

    async def while_claims_go(self, names: Iterable[str], options: Options, work: Awaitable[T]) -> T:
        """Runs the work, which deletes claims, and reports the remaining claims and the pods that use them."""
        asked = Asked(claims=tuple(names))
        return await during.going(self._watch, asked, "deleting claims", options.progress, work)

    async def _subjects(self, stored: Sequence[Stored]) -> list[Subject]:
        return list(
            await asyncio.gather(
                *(self._subject(each.release.name, each.manifest.objects, each.values) for each in stored)
            )
        )

    async def _subject(
        self,
        release: str,
        objects: Sequence[Object],
        values: Mapping[str, Any],
        *,
        hooks: str = "",
        alone: bool = False,
    ) -> Subject:
        """Returns the part of a release that Helm waits for. alone: only its hooks."""
        token = self._helm.settings.get("HELM_KUBETOKEN")
        helm = (await self._helm.version()).major
        subject = Subject.of(release, objects, values, helm=helm, hooks=hooks, secrets=[token] if token else [])
        return replace(subject, objects=tuple(obj for obj in subject.objects if obj.is_hook)) if alone else subject

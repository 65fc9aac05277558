"""Create a release on a cluster together with its record.

Helm reads the record's facts about the cluster while it makes the release. Without the permission, or if the record is
too large, Helm has written nothing, and is started again with a smaller record.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

from sidelane.errors import ClusterDenied, TooLarge
from sidelane.releases.provenance import carried
from sidelane.releases.provenance.cluster import Facts, Unread
from sidelane.releases.stores import MakeRecord

#: A started Helm that waits for its values.
Install = Callable[..., Awaitable[dict[str, Any]]]


class Recording:
    """The creation of records for the releases of one cluster.

    read: reads the facts of the cluster with a separate Helm, as far as permitted. is_there: tells whether a release of
    that name exists.
    """

    def __init__(self, read: Callable[[], Awaitable[Facts]], is_there: Callable[[str], Awaitable[bool]]) -> None:
        self._read = read
        self._is_there = is_there
        self._may_read_all = True  # until a read fails; remembered for further releases

    async def made(
        self,
        name: str,
        record: MakeRecord | None,
        *,
        write: Write,
        make: Callable[[Install], Awaitable[Mapping[str, Any]]],
        install: Install,
        begun: Callable[[], AbstractAsyncContextManager[Install]],
    ) -> Mapping[str, Any]:
        """Creates a release and returns Helm's answer.

        write: puts a record into the chart. make: runs a Helm that creates the release. install: the Helm that is
        already started; begun: starts another one.
        """
        if record is None:
            return await make(install)
        text, mark = await self._first(record)
        thin = False
        async with AsyncExitStack() as stack:
            while True:
                try:
                    write(text, mark=mark)
                    return await make(install)
                except ClusterDenied:
                    if not mark or await self._is_there(name):
                        raise
                    self._may_read_all = False
                    text, mark = record(await self._read()), ""
                except TooLarge:
                    # The release may fit without the second copy of the values in the record.
                    if thin:
                        raise
                    thin = True
                if thin:
                    from sidelane.releases.provenance.statement import without_values  # noqa: PLC0415 - few need it

                    text = without_values(text)
                install = await stack.enter_async_context(begun())

    async def _first(self, record: MakeRecord) -> tuple[str, str]:
        """Returns the first record to try, and the mark of the facts that Helm reads; empty if already read."""
        if self._may_read_all:
            unread = Unread(secrets.token_hex(16))
            if not carried.is_large(text := record(unread)):
                return text, unread.mark
        return record(await self._read()), ""


class Write(Protocol):
    """A function that puts a record into the chart."""

    def __call__(self, statement: str, *, mark: str) -> None: ...

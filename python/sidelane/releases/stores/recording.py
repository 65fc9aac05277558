"""A release is made on a cluster together with its record.

Helm reads what a record says of the cluster while it makes the release. Where it may not read that, or where the record
is too large, it has written nothing, and is begun again with a record of less.
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

#: A Helm that has begun and waits for its values.
Install = Callable[..., Awaitable[dict[str, Any]]]


class Recording:
    """How releases of one cluster get their records.

    read: reads the facts of the cluster by a Helm of its own, as far as they may be read. is_there: whether a release
    of that name is there.
    """

    def __init__(self, read: Callable[[], Awaitable[Facts]], is_there: Callable[[str], Awaitable[bool]]) -> None:
        self._read = read
        self._is_there = is_there
        self._may_read_all = True  # until it is known better: many releases may go in after one another

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
        """Makes a release and returns Helm's answer.

        write: puts a record into the chart. make: has a Helm make the release. install: the Helm that has begun
        already; begun: begins another one.
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
                    # What Helm keeps by itself may fit without a second copy of the values, in the record.
                    if thin:
                        raise
                    thin = True
                if thin:
                    from sidelane.releases.provenance.statement import without_values  # noqa: PLC0415 - few need it

                    text = without_values(text)
                install = await stack.enter_async_context(begun())

    async def _first(self, record: MakeRecord) -> tuple[str, str]:
        """The record to begin with, and the mark of the facts that Helm is to read; empty where they are read."""
        if self._may_read_all:
            unread = Unread(secrets.token_hex(16))
            if not carried.is_large(text := record(unread)):
                return text, unread.mark
        return record(await self._read()), ""


class Write(Protocol):
    """Puts a record into the chart that Helm gets."""

    def __call__(self, statement: str, *, mark: str) -> None: ...

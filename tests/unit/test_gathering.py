"""Queries of several callers that are answered by one lookup."""

import asyncio

import pytest
from sidelane.errors import KindNotServed
from sidelane.helm.gathering import GatheringReader
from sidelane.helm.queries import Query


class Reader:
    """Answers each query with its name, and refuses kinds that are not served."""

    def __init__(self):
        self.calls = []

    async def read(self, *queries):
        self.calls.append([query.name for query in queries])
        await asyncio.sleep(0)
        if any(query.kind == "HTTPRoute" for query in queries):
            raise KindNotServed("HTTPRoute is not served")
        return tuple(({"name": query.name},) for query in queries)


def queries(*names, kind="Service"):
    return [Query("v1", kind, name) for name in names]


def names(answers):
    return [answer["name"] for (answer,) in answers]


def test_callers_of_one_moment_share_a_lookup_and_get_their_own_answers():
    async def main():
        reader = Reader()
        gathering = GatheringReader(reader)
        first, second, nothing = await asyncio.gather(
            gathering.read(*queries("a", "b")), gathering.read(*queries("c")), gathering.read()
        )
        assert (names(first), names(second), nothing) == (["a", "b"], ["c"], ())
        assert names(await gathering.read(*queries("d"))) == ["d"]
        assert reader.calls == [["a", "b", "c"], ["d"]]

    asyncio.run(main())


def test_an_error_is_only_its_own_callers():
    async def main():
        reader = Reader()
        gathering = GatheringReader(reader)
        first, second = await asyncio.gather(
            gathering.read(*queries("a")), gathering.read(*queries("b", kind="HTTPRoute")), return_exceptions=True
        )
        assert names(first) == ["a"]
        assert isinstance(second, KindNotServed)
        assert reader.calls == [["a", "b"], ["a"], ["b"]]
        with pytest.raises(KindNotServed):
            await gathering.read(*queries("e", kind="HTTPRoute"))
        assert reader.calls[3:] == [["e"]]

    asyncio.run(main())


def test_a_caller_that_is_cancelled_does_not_disturb_the_others():
    async def main():
        gathering = GatheringReader(Reader())
        cancelled = asyncio.ensure_future(gathering.read(*queries("a")))
        other = asyncio.ensure_future(gathering.read(*queries("b")))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert names(await other) == ["b"]

    asyncio.run(main())

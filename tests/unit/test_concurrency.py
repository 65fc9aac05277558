"""Work done side by side, and answers that serve all who ask within some seconds."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest
from sidelane.support import concurrency
from sidelane.support.concurrency import Shared


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(concurrency, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


@pytest.fixture
def counted():
    numbers = itertools.count(1)

    async def work():
        return next(numbers)

    return work


def test_an_answer_is_asked_for_again_when_it_is_old(clock, counted):
    async def answers():
        shared = Shared(10.0)
        for later in (0.0, 9.9, 0.2, 5.0):
            clock.seconds += later
            yield await shared.get("facts", counted)

    async def collected():
        return [answer async for answer in answers()]

    assert asyncio.run(collected()) == [1, 1, 2, 2]


def test_each_question_has_its_own_answer_and_old_ones_are_forgotten(clock, counted):
    async def asked():
        shared = Shared(10.0)
        assert [await shared.get(key, counted) for key in ("a", "b", "a")] == [1, 2, 1]
        clock.seconds += 11
        await shared.get("c", counted)
        return len(shared._tasks)

    assert asyncio.run(asked()) == 1


def test_an_error_is_no_answer(clock):
    calls = []

    async def fails():
        calls.append(1)
        raise ValueError

    async def asked():
        shared = Shared(10.0)
        for _ in range(2):
            with pytest.raises(ValueError):
                await shared.get("facts", fails)

    asyncio.run(asked())
    assert len(calls) == 2


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_some_at_a_time_are_never_more_and_give_their_results_in_order(limit):
    running, most = 0, 0

    async def work(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running -= 1
        return number

    assert asyncio.run(concurrency.some_at_a_time(map(work, range(10)), limit)) == list(range(10))
    assert most == min(limit, 10)


@pytest.mark.parametrize("run", [concurrency.all_of, lambda work: concurrency.some_at_a_time(work, 2)])
def test_the_first_that_fails_ends_the_others(run):
    begun, ended = [], []

    async def fails():
        await asyncio.sleep(0)
        raise ValueError("the first")

    async def lasts(number):
        begun.append(number)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def work():
        with pytest.raises(ValueError, match="the first"):
            await run([fails(), *map(lasts, range(5))])
        assert begun
        assert sorted(ended) == sorted(begun)  # and not only when this loop ends what is left

    asyncio.run(work())


def test_what_has_to_be_done_to_its_end_is_done_although_one_fails():
    done = []

    async def work(number):
        await asyncio.sleep(0)
        if number == 1:
            raise ValueError("the second")
        done.append(number)

    with pytest.raises(ValueError, match="the second"):
        asyncio.run(concurrency.each_to_its_end(map(work, range(6)), 2))
    assert sorted(done) == [0, 2, 3, 4, 5]

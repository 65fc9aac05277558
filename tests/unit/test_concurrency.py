"""Answers that serve all who ask within some seconds."""

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
        return [one async for one in answers()]

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

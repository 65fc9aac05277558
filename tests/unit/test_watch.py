"""The readings of what is waited for: one series for all, with what a failed one does. No cluster is asked."""

import asyncio
import itertools
import time

import pytest
from live_objects import pod, stateful_set
from sidelane.errors import ClusterDenied, ClusterUnreachable, HelmError, NotReady, TimedOut
from sidelane.manifest.objects import parse_object
from sidelane.releases.readiness import Live, Subject
from sidelane.releases.waiting import during, reading, watch
from sidelane.releases.waiting.reading import Answer, Asked, Reader


class Played(Reader):
    """A reader whose readings are the test's: objects, or an error; the last one stays."""

    def __init__(self, *readings):
        super().__init__(None, None)
        self.readings = list(readings)
        self.asked = []

    async def read(self, asked, *, events):
        self.asked.append((time.monotonic(), len(asked), events))
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)  # a Helm takes a moment to end
            raise
        now = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(now, Exception):
            raise now
        body, *pods = now
        return [Answer(Live((body,) * len(question.objects), pods=tuple(pods))) for question in asked]


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(reading, "INTERVAL", 0.05)
    monkeypatch.setattr(watch, "INTERVAL", 0.05)


SET = stateful_set("zk", 1, 0)
READY = (stateful_set("zk", 1, 1), pod("zk-0", SET, ready=True))
UNREADY = (SET, pod("zk-0", SET, {"name": "c", "ready": False, "state": {"waiting": {"reason": "ErrImagePull"}}}))
HOPELESS = (SET, pod("zk-0", SET, {"name": "c", "ready": False, "state": {"waiting": {"reason": "InvalidImageName"}}}))


def subject(name="zookeeper-coco-1"):
    return Subject(name, 4, (parse_object(SET, "test", namespace="streams", source="test", line=1),))


def wait(reader, *, timeout="5s", tell=lambda _: None):
    watching = watch.Watch(reader)
    return asyncio.run(during.ready(watching, [subject()], "zookeeper-coco-1", timeout=timeout, tell=tell))


def test_it_returns_when_all_is_ready_and_tells_until_then():
    steps = []
    assert wait(Played(UNREADY, UNREADY, READY), tell=steps.append).complete
    assert steps == ["zookeeper-coco-1: 0 of 1 ready; zk-0: container c is waiting: ErrImagePull"] * 2


def test_it_ends_with_what_is_not_ready_when_its_time_is_over():
    with pytest.raises(TimedOut, match=r"was not ready within 200ms: 0 of 1 ready\n  zk-0:"):
        wait(Played(UNREADY), timeout="200ms")


def test_it_ends_at_once_when_it_can_not_succeed():
    with pytest.raises(NotReady, match="cannot become ready") as failed:
        wait(Played(UNREADY, HOPELESS))
    assert not isinstance(failed.value, TimedOut)
    assert "another Build" in failed.value.remedy


def test_an_api_server_that_is_away_for_a_moment_is_waited_for_and_one_that_refuses_is_not():
    steps = []
    assert wait(Played(ClusterUnreachable("no answer"), READY), tell=steps.append).complete
    assert steps == ["zookeeper-coco-1: its pods can't be read: no answer"]
    with pytest.raises(ClusterUnreachable):
        wait(Played(ClusterUnreachable("no answer")), timeout="200ms")
    with pytest.raises(ClusterDenied):
        wait(Played(ClusterDenied("not allowed"), READY))


def test_a_reading_that_fails_unexpectedly_ends_who_waits():
    with pytest.raises(ZeroDivisionError):
        wait(Played(ZeroDivisionError()))


def test_all_who_wait_share_one_series_of_readings():
    reader = Played(*[UNREADY] * 6, READY)

    async def many():
        watching = watch.Watch(reader)
        names = [f"svc{number}-coco-1" for number in range(10)]
        await asyncio.gather(
            *(during.ready(watching, [subject(n)], n, timeout="5s", tell=lambda _: None) for n in names)
        )
        assert asyncio.all_tasks() == {asyncio.current_task()}, "the reading that went on has ended, too"
        await asyncio.sleep(0.2)

    asyncio.run(many())
    times, together, _ = zip(*reader.asked, strict=True)
    assert len(times) == 7, "and none when nobody waits"
    assert set(together) == {10}
    assert min(b - a for a, b in itertools.pairwise(times)) > 0.045


def test_events_are_read_now_and_then():
    reader = Played(*[UNREADY] * 11, READY)
    wait(reader)
    assert [events for _, _, events in reader.asked] == [number % 5 == 0 for number in range(1, 13)]


def helm_waits(reader, work):
    steps = []
    waits = during.HelmWaits(watch.Watch(reader), subject(), (), steps.append, "5s")
    return asyncio.run(waits.over(work)), steps


def test_what_is_ready_within_a_moment_is_not_read():
    reader = Played(READY)

    async def work(_):
        return "done"

    assert helm_waits(reader, work) == ("done", [])
    assert reader.asked == []


def test_an_error_of_helms_that_is_none_of_waiting_stays_what_it_is():
    async def work(_):
        raise HelmError("something else")

    with pytest.raises(HelmError, match=r"^something else$"):
        helm_waits(Played(UNREADY), work)


@pytest.mark.parametrize(("now", "words"), [(UNREADY, "Helm has stopped waiting"), (HOPELESS, "cannot become ready")])
def test_a_helm_that_gives_up_is_described_by_a_reading_after_it(now, words):
    reader = Played(READY, now)

    async def work(_):
        while not reader.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        raise TimedOut("Helm's own words")

    with pytest.raises(NotReady) as failed:
        helm_waits(reader, work)
    assert words in failed.value.problem
    assert not isinstance(failed.value, TimedOut), "its time is not over"
    assert failed.value.readiness.unready[0].name == "zk-0"


def test_what_was_ready_a_moment_too_late_is_not_described_as_unready():
    async def work(_):
        raise TimedOut("Helm's own words")

    with pytest.raises(TimedOut, match=r"^zookeeper-coco-1: Helm's own words$") as failed:
        helm_waits(Played(READY), work)
    assert failed.value.readiness.complete


def test_a_helm_that_gives_up_on_a_cluster_that_can_not_be_read_keeps_its_own_words():
    async def work(_):
        raise TimedOut("Helm's own words", remedy="Helm's own remedy")

    with pytest.raises(TimedOut) as failed:
        helm_waits(Played(ClusterDenied("not allowed")), work)
    assert str(failed.value) == "zookeeper-coco-1: Helm's own words; Helm's own remedy"


def test_questions_count_the_objects_of_all_their_subjects():
    question = Asked((subject("a-coco-1"), subject("b-coco-1")))
    live = Live(UNREADY[:1] * 2, pods=UNREADY[1:])
    assert [part.unready[0].release for part in watch.parts(question, Answer(live))] == ["a-coco-1", "b-coco-1"]

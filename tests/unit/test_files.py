"""Files: read within a limit, packed alike, and locked by one at a time."""

import asyncio
import io
import tarfile

import pytest
from sidelane.support import files, locks


def test_no_more_than_a_byte_past_the_limit_is_read(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"12345678")
    assert [files.bounded(file, limit) for limit in (3, 7, 8, 20)] == [b"1234", b"12345678", b"12345678", b"12345678"]


def test_an_archive_says_nothing_but_its_files():
    content = {"b/two": b"2" * 3000, "a": b""}
    packed = files.packed(content)
    assert packed == files.packed(dict(content))
    assert packed != files.packed(content, mtime=1)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = archive.getmembers()
        assert {member.name: archive.extractfile(member).read() for member in members} == content
    assert [member.name for member in members] == ["b/two", "a"]
    assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in members} == {
        (0, 0, 0, "", 0o644)
    }


def test_a_lock_is_held_by_one_and_waited_for(tmp_path):
    file = tmp_path / "lock"
    with file.open("wb") as first, file.open("rb") as second:
        locks.lock(first.fileno())
        for shared in (False, True):
            with pytest.raises(BlockingIOError):
                locks.lock(second.fileno(), shared=shared)
        with pytest.raises(BlockingIOError):
            asyncio.run(locks.lock_within(second.fileno(), 0.0))

        async def both():
            waiting = asyncio.ensure_future(locks.lock_within(second.fileno(), 60.0))
            await asyncio.sleep(0)
            assert not waiting.done()
            first.close()
            await waiting

        asyncio.run(both())
        with file.open("rb") as third, pytest.raises(BlockingIOError):
            locks.lock(third.fileno())


def test_readers_share_a_lock(tmp_path):
    file = tmp_path / "lock"
    file.touch()
    with file.open("rb") as one, file.open("rb") as other:
        locks.lock(one.fileno(), shared=True)
        locks.lock(other.fileno(), shared=True)

"""The journal: durable before delivered, in order, and readable after any cut."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from telephony import journal as module
from telephony.journal import Journal, Record, prune, read_segment, replay


def test_frames_are_delivered_in_order_and_can_be_replayed(tmp_path: Path) -> None:
    delivered: list[Record] = []
    journal = Journal(tmp_path, delivered.extend)
    frames = [f"Event: {n}".encode() for n in range(5000)]
    for frame in frames:
        journal.append(frame)
    journal.close()
    assert [one.frame for one in delivered] == frames
    assert [one.frame for one in replay(tmp_path)] == frames
    assert list(replay(tmp_path, since=delivered[-1].received_at + 1)) == []


def test_what_was_delivered_is_on_disk_already(tmp_path: Path) -> None:
    seen: list[bool] = []

    def deliver(group: object) -> None:
        seen.append(sum(1 for _ in replay(tmp_path)) >= sum(1 for _ in group))  # type: ignore[call-overload]  # only the length is asked

    journal = Journal(tmp_path, deliver)
    for n in range(50):
        journal.append(b"%d" % n)
    journal.close()
    assert seen
    assert all(seen)


@pytest.mark.parametrize("cut", [1, 5, 16, 19])
def test_a_cut_record_ends_the_segment_and_nothing_before_it_is_lost(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path, lambda _: None)
    for n in range(10):
        journal.append(b"frame %d" % n)
    journal.close()
    path = next(tmp_path.glob("*.journal"))
    os.truncate(path, path.stat().st_size - cut)
    assert [one.frame for one in read_segment(path)] == [b"frame %d" % n for n in range(9)]
    again = Journal(tmp_path, lambda _: None)
    again.append(b"after")
    again.close()
    assert [one.frame for one in replay(tmp_path)][-2:] == [b"frame 8", b"after"]


def test_a_damaged_record_is_not_believed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda _: None)
    for n in range(3):
        journal.append(b"frame %d" % n)
    journal.close()
    path = next(tmp_path.glob("*.journal"))
    content = bytearray(path.read_bytes())
    content[-3] ^= 0xFF
    path.write_bytes(content)
    assert len(list(read_segment(path))) == 2


def test_segments_rotate_and_old_ones_are_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 200)
    done = threading.Event()
    journal = Journal(tmp_path, lambda _: done.set(), most=2)
    for _ in range(20):
        journal.append(b"x" * 100)
    journal.close()
    segments = sorted(tmp_path.glob("*.journal"))
    assert len(segments) > 3
    assert len(list(replay(tmp_path))) == 20
    for path in segments[:2]:
        os.utime(path, (1, 1))
    assert prune(tmp_path, before=1000) == 2


_CHILD = """
import sys
from pathlib import Path
from telephony.journal import Journal
def deliver(group):
    for one in group:
        print(one.frame.decode(), flush=True)
journal = Journal(Path(sys.argv[1]), deliver)
n = 0
while True:
    journal.append(b"%d" % n)
    n += 1
"""


def test_after_a_kill_everything_that_was_delivered_is_there(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    last = -1
    for line in child.stdout:
        last = int(line)
        if last >= 20000:
            child.send_signal(signal.SIGKILL)
            break
    child.wait(10)
    kept = [int(one.frame) for one in replay(tmp_path)]
    assert kept == list(range(len(kept)))
    assert len(kept) > last

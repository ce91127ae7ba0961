"""The last-signed file only moves forward, also when two workers write it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from deedlog.anchor.log import last_signed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from deedlog.anchor.tlog.checkpoint import Checkpoint

ROOT = b"\1" * 32


def test_a_worker_paused_after_reading_does_not_move_the_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a lock, the paused worker would write its smaller head over the larger one."""
    path = tmp_path / "log.key.last-signed"
    last_signed.remember(path, 1, ROOT)
    has_read, may_write = threading.Event(), threading.Event()
    read = last_signed._read

    def read_and_pause(path: Path) -> Checkpoint | None:
        head = read(path)
        if threading.current_thread().name == "paused":
            has_read.set()
            assert may_write.wait(60)
        return head

    monkeypatch.setattr(last_signed, "_read", read_and_pause)
    paused = threading.Thread(target=last_signed.remember, args=(path, 5, ROOT), name="paused")
    other = threading.Thread(target=last_signed.remember, args=(path, 9, ROOT))
    paused.start()
    assert has_read.wait(60)
    other.start()
    other.join(1)  # long enough to finish if nothing held it back
    may_write.set()
    paused.join(60)
    other.join(60)
    assert json.loads(path.read_text())["size"] == 9

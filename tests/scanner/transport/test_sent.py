from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from scanner.transport.sent import ProbeKind, Sent, log_to, pass_on


def probe(number: int) -> Sent:
    return Sent(float(number), "10.0.0.1", "10.0.0.2", number, ProbeKind.SYN, 58)


def lines(path: Path) -> list[Sent]:
    return [msgspec.json.decode(line, type=Sent) for line in path.read_bytes().splitlines()]


def test_what_is_logged_is_in_the_file_at_once_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = log_to(path)
    log(probe(1))
    assert lines(path) == [probe(1)]
    pass_on(log, [probe(2), probe(3)])
    assert lines(path) == [probe(1), probe(2), probe(3)]
    log_to(path)(probe(4))
    assert lines(path)[-1] == probe(4)
    assert path.stat().st_mode & 0o777 == 0o600


def test_batches_of_several_threads_stay_whole(tmp_path: Path) -> None:
    log = log_to(tmp_path / "log")
    batches = [[probe(start + n) for n in range(200)] for start in range(0, 4000, 1000)]

    def write(batch: list[Sent]) -> None:
        for _ in range(20):
            pass_on(log, batch)

    threads = [threading.Thread(target=write, args=(batch,)) for batch in batches]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = lines(tmp_path / "log")
    assert len(found) == 4 * 20 * 200
    for start in range(0, len(found), 200):
        assert found[start : start + 200] in batches


def test_a_log_without_batches_hears_of_each_probe() -> None:
    heard: list[Sent] = []
    pass_on(heard.append, [probe(1), probe(2)])
    assert heard == [probe(1), probe(2)]


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        log_to(tmp_path / "missing" / "log")

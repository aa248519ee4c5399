from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from scanner.transport.packets_board import ANSWERED, LOST, Board, Cookie
from scanner.transport.packets_loss import WINDOW, Watch
from scanner.transport.packets_swept import CLOSED

HOSTS = [IPv4Address(f"10.99.0.{n}").packed for n in range(1, 21)]
PORTS = tuple(range(1, 400))
LATE = 0.3


class Sweep:
    """Asks one port of all hosts every hundredth of a second; some of the hosts answer."""

    def __init__(self, board: Board, alive: int) -> None:
        self.board, self.alive = board, alive
        board.begin(HOSTS, PORTS, Cookie(b"key"))
        board.counts[LOST] = 0
        for host in range(alive):
            board.alive[host] = ANSWERED
        self.watch = Watch(board, LATE)
        self.place, self.now = 0, 100.0

    def ask(self, rows: int, answering: int) -> list[bool | None]:
        """What the watch says after each of these rows, of which that many of the alive hosts answer."""
        said = []
        for _ in range(rows):
            self.board.ask(self.place, range(len(HOSTS)))
            self.watch.asked(self.place, 0, len(HOSTS), self.now)
            for host in range(answering):
                self.board.states[self.place * len(HOSTS) + host] = ord(CLOSED)
            self.place += 1
            self.now += 0.01
            said.append(self.watch.judge(self.now))
        return said


@pytest.fixture(scope="module")
def board() -> Board:
    return Board()


def test_all_answers_and_a_steady_filter_are_as_usual(board: Board) -> None:
    for answering in (10, 4, 0):
        assert True not in Sweep(board, 10).ask(200, answering)


def test_hosts_that_never_answered_do_not_count(board: Board) -> None:
    sweep = Sweep(board, 0)
    assert set(sweep.ask(200, 0)) == {None}


def test_a_jump_is_loss_and_is_told_once_where_half_the_rate_does_not_help(board: Board) -> None:
    sweep = Sweep(board, 10)
    assert False in sweep.ask(100, 10)
    said = sweep.ask(290, 3)
    assert said.count(True) == 1
    assert said.index(True) < (LATE + 3 * WINDOW) * 100


def test_answers_that_came_too_fast_for_us_are_loss(board: Board) -> None:
    sweep = Sweep(board, 10)
    sweep.ask(10, 10)
    board.counts[LOST] += 5
    assert sweep.ask(2, 10) == [True, None]

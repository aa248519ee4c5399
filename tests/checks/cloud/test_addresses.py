"""How much of the internet a set of networks is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.cloud.addresses import ALL, opened, spans, together, within, without

CIDR4 = st.builds(
    lambda address, prefix: str(ip_network((address, prefix), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@pytest.mark.parametrize(
    ("cidrs", "four", "six"),
    [
        (["0.0.0.0/0"], "0.0.0.0/0", ""),
        (["::/0"], "", "::/0"),
        (["0.0.0.0/0", "::/0"], "0.0.0.0/0", "::/0"),
        (["0.0.0.0/1", "128.0.0.0/1"], "0.0.0.0/0", ""),
        (["0.0.0.0/1"], "0.0.0.0/1", ""),
        (["2000::/3"], "", "::/0"),
        (["8000::/1", "::/1"], "", "::/0"),
        ([f"{n}.0.0.0/8" for n in range(256)], "0.0.0.0/0", ""),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], "", ""),
        (["198.51.100.7/32"], "", ""),
        (["52.0.0.0/8"], "", ""),
        (["52.0.0.0/7"], "52.0.0.0/7", ""),
        (["fc00::/7", "fe80::/10"], "", ""),
        (["2001:db8::/32"], "", ""),
        (["2600::/16"], "", "2600::/16"),
        (["0.0.0.0/8"], "", ""),
        ([], "", ""),
    ],
)
def test_open_to_the_internet(cidrs: list[str], four: str, six: str) -> None:
    found = opened(cidrs)
    assert (found.four, found.six) == (four, six)


def test_many_pieces_are_counted_not_listed() -> None:
    found = opened([f"{n}.0.0.0/8" for n in range(1, 120, 2)])
    assert found.four.startswith("27.2 %")
    assert "networks" in found.four


@given(st.lists(CIDR4, max_size=6), st.lists(CIDR4, max_size=6), st.integers(0, 2**32 - 1))
def test_sets_of_addresses(some: list[str], other: list[str], address: int) -> None:
    def holds(cidrs: list[str]) -> bool:
        return any(
            int(ip_network(c).network_address) <= address <= int(ip_network(c).broadcast_address)
            for c in cidrs
        )

    def inside(held: tuple[tuple[int, int], ...]) -> bool:
        assert list(held) == sorted(held)
        return any(a <= address <= b for a, b in held)

    a, b = spans(some, 4), spans(other, 4)
    assert inside(a) == holds(some)
    assert inside(within(a, b)) == (holds(some) and holds(other))
    assert inside(without(a, b)) == (holds(some) and not holds(other))
    assert inside(together(a, b)) == (holds(some) or holds(other))
    assert without(ALL[4], ALL[4]) == ()


@given(st.lists(CIDR4, max_size=5), CIDR4)
def test_more_networks_are_never_less_open(cidrs: list[str], more: str) -> None:
    if opened(cidrs):
        assert opened([*cidrs, more])

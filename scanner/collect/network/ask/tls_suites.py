"""The cipher suites of TLS 1.2 and older by name: those that are sound enough to be no finding. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from scanner.collect.network.hello import WEAK_CIPHERS

_AUTHENTICATED = ("AES256 GCM", "AES128 GCM", "CHACHA20", "AES256 CCM", "AES128 CCM", "AES256 CCM8",
                  "AES128 CCM8", "ARIA256 GCM", "ARIA128 GCM", "CAMELLIA256 GCM",
                  "CAMELLIA128 GCM")  # fmt: skip
_CHAINED = ("AES256 SHA384", "AES256 SHA256", "AES128 SHA256", "AES256 SHA", "AES128 SHA",
            "CAMELLIA256 SHA384", "CAMELLIA256 SHA256", "CAMELLIA128 SHA256", "CAMELLIA256 SHA",
            "CAMELLIA128 SHA", "SEED SHA", "IDEA SHA")  # fmt: skip
ORDER = (*_AUTHENTICATED, *_CHAINED)
"""Best first, as a client that knows what it does would offer them."""

_NUMBERS: Mapping[str, Mapping[str, int]] = {
    "ECDHE-ECDSA": {
        "AES256 GCM": 0xC02C, "AES128 GCM": 0xC02B, "CHACHA20": 0xCCA9, "AES256 CCM": 0xC0AD,
        "AES128 CCM": 0xC0AC, "AES256 CCM8": 0xC0AF, "AES128 CCM8": 0xC0AE, "ARIA256 GCM": 0xC05D,
        "ARIA128 GCM": 0xC05C, "CAMELLIA256 GCM": 0xC087, "CAMELLIA128 GCM": 0xC086,
        "AES256 SHA384": 0xC024, "AES128 SHA256": 0xC023, "AES256 SHA": 0xC00A, "AES128 SHA": 0xC009,
        "CAMELLIA256 SHA384": 0xC073, "CAMELLIA128 SHA256": 0xC072,
    },
    "ECDHE-RSA": {
        "AES256 GCM": 0xC030, "AES128 GCM": 0xC02F, "CHACHA20": 0xCCA8, "ARIA256 GCM": 0xC061,
        "ARIA128 GCM": 0xC060, "CAMELLIA256 GCM": 0xC08B, "CAMELLIA128 GCM": 0xC08A,
        "AES256 SHA384": 0xC028, "AES128 SHA256": 0xC027, "AES256 SHA": 0xC014, "AES128 SHA": 0xC013,
        "CAMELLIA256 SHA384": 0xC077, "CAMELLIA128 SHA256": 0xC076,
    },
    "DHE-RSA": {
        "AES256 GCM": 0x009F, "AES128 GCM": 0x009E, "CHACHA20": 0xCCAA, "AES256 CCM": 0xC09F,
        "AES128 CCM": 0xC09E, "AES256 CCM8": 0xC0A3, "AES128 CCM8": 0xC0A2, "ARIA256 GCM": 0xC053,
        "ARIA128 GCM": 0xC052, "CAMELLIA256 GCM": 0xC07D, "CAMELLIA128 GCM": 0xC07C,
        "AES256 SHA256": 0x006B, "AES128 SHA256": 0x0067, "AES256 SHA": 0x0039, "AES128 SHA": 0x0033,
        "CAMELLIA256 SHA256": 0x00C4, "CAMELLIA128 SHA256": 0x00BE, "CAMELLIA256 SHA": 0x0088,
        "CAMELLIA128 SHA": 0x0045, "SEED SHA": 0x009A,
    },
    "DHE-DSS": {
        "AES256 GCM": 0x00A3, "AES128 GCM": 0x00A2, "AES256 SHA256": 0x006A, "AES128 SHA256": 0x0040,
        "AES256 SHA": 0x0038, "AES128 SHA": 0x0032,
    },
    "RSA": {
        "AES256 GCM": 0x009D, "AES128 GCM": 0x009C, "AES256 CCM": 0xC09D, "AES128 CCM": 0xC09C,
        "AES256 CCM8": 0xC0A1, "AES128 CCM8": 0xC0A0, "ARIA256 GCM": 0xC051, "ARIA128 GCM": 0xC050,
        "CAMELLIA256 GCM": 0xC07B, "CAMELLIA128 GCM": 0xC07A, "AES256 SHA256": 0x003D,
        "AES128 SHA256": 0x003C, "AES256 SHA": 0x0035, "AES128 SHA": 0x002F, "CAMELLIA256 SHA256": 0x00C0,
        "CAMELLIA128 SHA256": 0x00BA, "CAMELLIA256 SHA": 0x0084, "CAMELLIA128 SHA": 0x0041,
        "SEED SHA": 0x0096, "IDEA SHA": 0x0007,
    },
    "ECDH-ECDSA": {
        "AES256 GCM": 0xC02E, "AES128 GCM": 0xC02D, "AES256 SHA384": 0xC026, "AES128 SHA256": 0xC025,
        "AES256 SHA": 0xC005, "AES128 SHA": 0xC004,
    },
    "ECDH-RSA": {
        "AES256 GCM": 0xC032, "AES128 GCM": 0xC031, "AES256 SHA384": 0xC02A, "AES128 SHA256": 0xC029,
        "AES256 SHA": 0xC00F, "AES128 SHA": 0xC00E,
    },
}  # fmt: skip

_FRESH = ("ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA", "DHE-DSS")
_NEWEST: Mapping[int, str] = {0x1301: "AES128 GCM", 0x1302: "AES256 GCM", 0x1303: "CHACHA20"}


def _of(exchanges: Iterable[str]) -> Mapping[int, str]:
    chosen = tuple(exchanges)
    return MappingProxyType(
        {
            _NUMBERS[exchange][cipher]: f"{exchange} {cipher}"
            for cipher in ORDER
            for exchange in chosen
            if cipher in _NUMBERS[exchange]
        }
    )


FRESH: Mapping[int, str] = _of(_FRESH)
"""Number → name of the suites whose keys are made anew for each connection: recordings stay closed."""
SOUND: Mapping[int, str] = MappingProxyType({**FRESH, **_of(_NUMBERS)})
"""Number → name of all suites that are not weak, best first."""
FINITE_FIELD: Mapping[int, str] = _of(("DHE-RSA", "DHE-DSS"))
"""Those that make their keys in a group modulo a prime, of whose size the server decides."""
BY_RSA: Mapping[int, str] = _of(("ECDHE-RSA", "DHE-RSA", "RSA"))
BY_CURVE: Mapping[int, str] = _of(("ECDHE-ECDSA",))
"""Those in which the server proves itself by an RSA key, and by a key on a curve."""
_RARE = re.compile(r"ARIA|CCM8|CAMELLIA\d+ GCM|-56|export DES$")
ALL = tuple(number for number, name in (*SOUND.items(), *WEAK_CIPHERS.items()) if not _RARE.search(name))
"""Numbers that are offered to find out whether a version is spoken at all.

Some servers give up on more than 127 suites at once, which would look like a refusal. What is left out are
suites that no server has without others, and of the sound ones only such as exist in TLS 1.2 alone.
"""


def suite_name(number: int) -> str:
    """The name of a suite of any version, or its number."""
    known = SOUND.get(number) or WEAK_CIPHERS.get(number) or _NEWEST.get(number)
    return known or f"suite {number:#06x}"

"""Devices that a byte can disturb, known by who made them and by how they greet. Pure.

Such a device gets connections and nothing else: printers print what they are sent, and controllers stop.
"""

from __future__ import annotations

import re

WORDS_LIMIT = 400

_MAKERS = re.compile(
    r"\b(?:lexmark|kyocera|ricoh|brother industries|seiko epson|epson|xerox|konica|minolta|oki electric|"
    r"okidata|zebra tech|printronix|sato|toshiba tec|riso kagaku|sharp corporation|canon|pantum|dymo|"
    r"siemens|simatic|schneider|telemecanique|square d|rockwell|allen-bradley|omron|mitsubishi electric|"
    r"beckhoff|wago|phoenix contact|b&r industrial|bernecker|yokogawa|emerson|fanuc|keyence|pilz|turck|"
    r"hms industrial|prosoft|red lion|opto ?22|delta electronics|ls electric|unitronics|moxa|hirschmann|"
    r"honeywell|johnson controls|tridium|trane|carrier|daikin|distech|delta controls|saia|sauter|"
    r"loytec|kieback|alerton|automated logic|andover controls|reliable controls|belimo)\b",
    re.IGNORECASE,
)
_OUIS = frozenset(
    {
        "00:00:48", "00:00:74", "00:00:aa", "00:04:00", "00:20:00", "00:21:b7", "00:c0:ee", "00:80:77",
        "00:00:bc", "00:0e:8c", "00:1b:1b", "00:01:05", "00:30:de", "00:80:f4", "00:a0:45", "00:60:65",
        "00:00:64", "00:0a:dc", "00:50:c2:4a",
    }
)  # fmt: skip
"""Printers and controllers by the first half of their MAC, for machines without a list of makers."""

_WORDS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (
        re.compile(
            rb"(?i)\b(?:jetdirect|jd ftp server|laserjet|officejet|deskjet|pagewide|designjet|imagerunner|"
            rb"bizhub|ecosys|aficio|workcentre|phaser|versalink|altalink|lexmark|kyocera|"
            rb"epson[_ -]http|epson[_ -]linux|hp http server|canon http server|debut/|km-mfp|ricoh|"
            rb"zebranet|printronix|print server|printer)\b"
        ),
        "a printer, by its own words",
    ),
    (
        re.compile(
            rb"(?i)\b(?:simatic|s7-1[25]00|s7-[34]00|modicon|bmx ?noe|schneider[- ]web|allen-bradley|"
            rb"micrologix|controllogix|compactlogix|1756-e|wago|beckhoff|twincat|codesys|saia pcd|melsec|"
            rb"bacnet|niagara web server|tridium|deltav|centum|plc)\b"
        ),
        "an industrial or building controller, by its own words",
    ),
)
_HEADER = re.compile(rb"(?im)^(?:server|www-authenticate):[ \t]*([^\r\n]{0,200})")


def fragile_words(heard: bytes) -> str:
    """What a greeting says that it is, if that is a device which a byte can disturb; else empty.

    Of an answer in HTTP only the headers about the server count: a page may write about printers.
    """
    first = heard[:4096]
    if first.startswith(b"HTTP/"):
        head = first.partition(b"\r\n\r\n")[0]
        said = b"\n".join(_HEADER.findall(head))[:WORDS_LIMIT]
    else:
        said = first[:WORDS_LIMIT]
    return next((what for pattern, what in _WORDS if pattern.search(said)), "")


def fragile_maker(mac: str, vendor: str) -> str:
    """Why a device of that maker gets no bytes; empty for other makers. `mac` is lower case, with colons."""
    if _MAKERS.search(vendor):
        return f"made by {vendor}, whose printers or controllers a byte can disturb"
    if mac[:8] in _OUIS or mac[:10] in _OUIS:
        return "made by a maker of printers or controllers, which a byte can disturb"
    return ""

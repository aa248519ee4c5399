"""Versions: held against dpkg and rpm themselves, and against the written rules of apk."""

from __future__ import annotations

import random
import subprocess
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.versions import KEYS, LONGEST, VersionError, compare

DPKG_TEXT = """
0 1 1.0 1.0-1 1.0-0 1.0~rc1-1 1.0~rc1~a-1 1.0~~ 1.0~ 1.0a 1.0+b1 1.0+really0.9-1 0:1.0 1:0.1 2:0
1.0-1+b1 1.0-1+deb12u1 1.0-1+deb12u2 1.0-1+deb12u10 1.0-1~deb11u1 1.0-1~bpo12+1 1.0-1~bpo11+1
1.0-1ubuntu1 1.0-1ubuntu1.1 1.0-1ubuntu1~22.04.1 1.0-1build1 1.0-1.1 1.0.0-1 1.00-1 1.01-1 1.10-1 1.9-1
1.0-rc1-1 1.0.-1 1.0.a-1 1.0-1+esm1 1.0+dfsg-1 1.0+dfsg1-1 1.0+git20240101-1 1.0~git20240101-1
1.0-1+rpi1 2.36-9+deb12u4 2.36-9+deb12u13 1:9.2p1-2+deb12u3 1:9.2p1-2+deb12u7 6.1.106-3 6.1.112-1
3.0.15-1~deb12u1 3.0.9-1 1.1.1w-0+deb11u1 1.1.1n-0+deb11u5 20230311 20230311+deb12u1 5.36.0-7+deb12u1
1.2.3-4-5 A a Z z 1.a 1.Z 1.+ 1.~ 1-~ 09 9 009-01 1.0-0ubuntu0.22.04.1 1.0-00 0-0 1.0-a 1.0-+
"""
RPM_TEXT = """
0 1 1.0 1.0-1 1.0~rc1-1 1.0^git1-1 1.0^-1 1.0~-1 1.0^~-1 1.0~^-1 1.0.1-1 1.0a-1 1.0.a-1 1a-1 a1-1 a-1
B-1 b-1 1:0.1-1 0:1.0-1 2.0-1.el8 2.0-1.el8_10 2.0-1.el8_4.2 2.0-10.el8 2.0-9.el8 2.0-1.el9
1.1.1k-9.el8_7 1.1.1k-12.el8_9 4.18.0-553.5.1.el8_10 4.18.0-513.24.1.el8_9 5.14.0-427.13.1.el9_4
18.20.4-1.module_el8.10.0+3735+1e5a3d2c 18.9.1-1.module_el8.7.0+3359+5a0b7e0b 1.0_1-1 1.0.-1 1.0..1-1
1.0001-1 1.010-1 1.10-1 1.9-1 20240101-1 20240101git-1 2.34-100.el9_4.2 2.34-60.el9 1.0-1~beta
1.0-1^post 1.0-1.fc40
"""
# Each older than the next, after the rules for versions of Alpine packages.
APK_TEXT = """
0.1_alpha 0.1_alpha2_pre1 0.1_alpha2 0.1_beta 0.1_beta1 0.1_pre 0.1_pre1 0.1_rc1 0.1_rc2 0.1_rc2-r1 0.1
0.1-r0 0.1-r1 0.1-r10 0.1_git20240101 0.1_git20240102-r0 0.1_p1 0.1_p1-r1 0.1_p2 0.1_p10 0.1a 0.1a_p1
0.1b 0.1b-r1 0.1.0 0.1.01 0.1.1_rc1 0.1.1 0.1.1.1 0.1.2 0.1.10 0.2 1.0_pre1 1.0 1.2.5_git20230717-r4
1.2.5_git20230717-r5 1.36.1-r15 1.36.1-r29 3.1.4-r5 3.1.4-r6 3.1.5-r0 9.7_p1-r4 9.9_p2-r0 20240226-r0
20240315-r0
"""
DPKG, RPM, APK = DPKG_TEXT.split(), RPM_TEXT.split(), APK_TEXT.split()


def dpkg_says_all(pairs: list[tuple[str, str]]) -> list[int]:
    """One shell for many questions; each costs dpkg a process of its own."""
    script = (
        "while read -r a b; do if dpkg --compare-versions $a eq $b; then echo 0; "
        "elif dpkg --compare-versions $a lt $b; then echo -1; else echo 1; fi; done"
    )
    asked = "".join(f"{a} {b}\n" for a, b in pairs)
    run = subprocess.run(
        ["sh", "-f", "-c", script], input=asked, capture_output=True, text=True, timeout=600, check=True
    )
    return [int(line) for line in run.stdout.split()]


def rpm_says_all(pairs: list[tuple[str, str]]) -> list[int]:
    """One rpm for many questions: its own Lua compares whole versions with epoch and release."""
    lines = []
    for start in range(0, len(pairs), 200):
        lua = "".join(f'print(rpm.vercmp("{a}","{b}"),";");' for a, b in pairs[start : start + 200])
        run = subprocess.run(
            ["rpm", "--eval", "%{lua:" + lua + "}"], capture_output=True, text=True, timeout=60, check=True
        )
        lines += [int(text) for text in run.stdout.replace("\t", "").split(";") if text.strip()]
    return lines


@pytest.mark.real
def test_dpkg_agrees_on_the_tricky_ones() -> None:
    good = [version for version in DPKG if version[0].isdigit()]
    pairs = list(combinations(good, 2))
    sample = pairs if len(pairs) < 900 else random.Random(1).sample(pairs, 900)
    answers = dpkg_says_all(sample)
    assert len(answers) == len(sample)
    wrong = [
        (a, b, said) for (a, b), said in zip(sample, answers, strict=True) if compare("dpkg", a, b) != said
    ]
    assert wrong == []


def generated(seed: int, count: int, alphabet: str) -> list[tuple[str, str]]:
    """Pairs that differ in few places: two random texts differ at once, and prove little."""
    dice = random.Random(seed)
    pairs = []
    for _ in range(count):
        one = "1" + "".join(dice.choices(alphabet, k=dice.randint(0, 8)))
        other = list(one)
        for _ in range(dice.randint(0, 2)):
            at = dice.randint(1, len(other))
            other[at : at + dice.randint(0, 1)] = dice.choices(alphabet, k=dice.randint(0, 2))
        pairs.append((one, "".join(other)))
    return pairs


@pytest.mark.real
def test_dpkg_agrees_on_generated_ones() -> None:
    pairs = generated(2, 2_500, "001129.~+ab") + generated(3, 500, "01.~+aZ-")
    pairs = [(a.rstrip("-") + "-1", b.rstrip("-") + "-1~") for a, b in pairs[:400]] + pairs[400:]
    pairs = [(a, b) for a, b in pairs if not a.endswith("-") and not b.endswith("-")]
    answers = dpkg_says_all(pairs)
    assert len(answers) == len(pairs) > 2_500
    wrong = [
        (a, b, said) for (a, b), said in zip(pairs, answers, strict=True) if compare("dpkg", a, b) != said
    ]
    assert wrong == []
    assert {-1, 0, 1} <= set(answers)


@pytest.mark.real
def test_rpm_agrees() -> None:
    tricky = [(a, b) for a, b in combinations(RPM, 2) if ("-" in a) == ("-" in b)]
    pairs = tricky + generated(4, 4_000, "0012.~^_abZ")
    answers = rpm_says_all(pairs)
    assert len(answers) == len(pairs) > 4_500
    wrong = [
        (a, b, said) for (a, b), said in zip(pairs, answers, strict=True) if compare("rpm", a, b) != said
    ]
    assert wrong == []
    assert {-1, 0, 1} <= set(answers)


@pytest.mark.parametrize(("older", "newer"), list(pairwise(APK)))
def test_apk_as_its_rules_say(older: str, newer: str) -> None:
    assert compare("apk", older, newer) == -1
    assert compare("apk", newer, older) == 1
    assert compare("apk", older, older) == 0


@pytest.mark.parametrize(
    ("manager", "version"),
    [
        ("dpkg", ""),
        ("dpkg", "a:1"),
        ("dpkg", "1:"),
        ("dpkg", "1 2"),
        ("dpkg", "1\n2"),
        ("dpkg", "9" * (LONGEST + 1)),
        ("rpm", ""),
        ("rpm", "x:1-1"),
        ("rpm", "-1:1"),
        ("apk", ""),
        ("apk", "1.2_zeta1"),
        ("apk", "v1.2"),
        ("apk", "1.2-1"),
        ("apk", "1:2"),
        ("apk", "٣.1"),
    ],
)
def test_what_is_no_version_is_said_to_be_none(manager: str, version: str) -> None:
    with pytest.raises(VersionError):
        compare(manager, version, "1")


@given(
    st.sampled_from(sorted(KEYS)),
    st.lists(st.text("0129.~^+ab_-:", min_size=1, max_size=10), min_size=3, max_size=3),
)
def test_an_order_is_an_order(manager: str, texts: list[str]) -> None:
    try:
        first, second, third = sorted(texts, key=KEYS[manager])
    except VersionError:
        return
    assert compare(manager, first, second) <= 0
    assert compare(manager, second, third) <= 0
    assert compare(manager, first, third) <= 0
    assert compare(manager, third, first) >= 0

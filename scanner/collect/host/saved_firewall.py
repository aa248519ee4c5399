"""The rules of the packet filter that stand ready for the next boot."""

from __future__ import annotations

import re

from checks.facts.host.firewall import SavedFirewall, SavedRules
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.filter_tables import iptables_chains
from scanner.collect.host.probe import ParseError, Probe

_FILES = (
    "/etc/nftables.conf",
    "/etc/sysconfig/nftables.conf",
    "/etc/nftables.nft",
    "/etc/iptables/rules.v4",
    "/etc/iptables/rules.v6",
    "/etc/sysconfig/iptables",
    "/etc/sysconfig/ip6tables",
    "/etc/iptables/rules-save",
    "/etc/iptables/rules6-save",
)
_SCRIPT = r"""
# What is said in comments stays here.
[ -r /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf && printf 'ufw\tenabled\n'
for file in @FILES@; do
  [ -f "$file" ] || continue
  if [ -r "$file" ]; then lines=$(head -c 131072 "$file"); else lines=$(as_root cat "$file"); fi
  [ $? = 126 ] && { printf 'unread\t%s\n' "$file"; continue; }
  printf 'file\t%s\n' "$file"
  printf '%s\n' "$lines" | sed '/^[[:space:]]*#/d; s/^/saved: /'
done
printf 'end\n'
exit 0
""".replace("@FILES@", " ".join(_FILES))
_HEAD = re.compile(r"\btype filter hook input\b[^;{}]*;?(?:[^{}]*?\bpolicy (\w+))?")
_BLOCK = re.compile(r"\btable\s+(?:(\w+)\s+)?([\w-]+)\s*\{|\bchain\s+([\w-]+)\s*\{")


def parse(text: str) -> Collected:
    """The `SavedFirewall` in an answer; a file that may not be read is a gap."""
    files: dict[str, list[str]] = {}
    gaps: list[Gap] = []
    file, ufw, whole = "", False, False
    for line in text.splitlines():
        word, _, value = line.partition("\t")
        if line.startswith("saved:") and file:
            files[file].append(line.removeprefix("saved:"))
        elif word == "file" and value.startswith("/"):
            file = value
            files[file] = []
        elif word == "unread" and value.startswith("/"):
            needs = f"sudo: /usr/bin/cat {value}"
            gaps.append(Gap(SavedFirewall.__name__, f"{value} may not be read", where=value, needs=needs))
        elif line == "ufw\tenabled":
            ufw = True
        elif line == "end":
            whole = True
        elif line.strip():
            raise ParseError(f"unexpected line {line[:60]!r}")
    if not whole:
        raise ParseError("the files of rules were not told to their end")
    fact = SavedFirewall(tuple(_saved(*one) for one in files.items()), ufw)
    # Without the file nothing is known about what comes at boot.
    return Collected(gaps=tuple(gaps)) if gaps else Collected((fact,))


def _saved(file: str, lines: list[str]) -> SavedRules:
    """The input chains of a file of rules, in the form of iptables-save or as nft reads it."""
    text = "\n".join(lines)
    if re.search(r"^\s*\*\w+", text, re.MULTILINE):
        family = "ip6" if "6" in file.rpartition("/")[2] else "ip"
        found = iptables_chains([line.strip() for line in lines], family)
        names = [f"{one.family} {one.table} {one.name} {one.policy}" for one in found if one.policy]
        return SavedRules(file, tuple(names), whole=True)
    names, at, table = [], "", ""
    for word in _BLOCK.finditer(text):
        if word[2]:
            table = f"{word[1] or 'ip'} {word[2]}"
        else:
            at = word[3]
            head = _HEAD.search(text[word.end() :].partition("}")[0])
            names += [f"{table} {at} {head[1] or 'accept'}"] if head else []
    # A variable in the place of a policy, or a file that is taken in, may change all of it.
    return SavedRules(file, tuple(names), whole=not re.search(r"^\s*include\b|policy \$", text, re.MULTILINE))


PROBE = Probe(
    "saved-firewall",
    (SavedFirewall,),
    _SCRIPT,
    parse,
    how="nftables.conf, the files of iptables-save, ufw.conf",
    privileges=tuple(f"/usr/bin/cat {file}" for file in _FILES),
    limit=1_048_576,
)

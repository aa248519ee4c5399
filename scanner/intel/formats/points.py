"""Decision points: SSVC and CVSS of flaws, from the records of the CVE programme with CISA's additions."""

from __future__ import annotations

from typing import Any

import msgspec

from scanner.intel.draft import Draft, Points
from scanner.intel.formats.form import Form, begins, holds
from scanner.intel.unpack import MOST_LINE, Source, lines, whole


class _Short(msgspec.Struct):
    cve: str
    exp: str | None = None
    auto: str | None = None
    impact: str | None = None
    cvss: float | None = None
    vec: str | None = None


class _Score(msgspec.Struct):
    baseScore: float = 0.0  # noqa: N815 - the name in the record
    vectorString: str = ""  # noqa: N815 - the name in the record


class _Other(msgspec.Struct):
    type: str = ""
    # Other kinds than SSVC have other contents.
    content: Any = None


class _Metric(msgspec.Struct, rename={"v40": "cvssV4_0", "v31": "cvssV3_1", "v30": "cvssV3_0"}):
    v40: _Score | None = None
    v31: _Score | None = None
    v30: _Score | None = None
    other: _Other | None = None


class _Container(msgspec.Struct):
    metrics: tuple[_Metric, ...] | None = None


class _Containers(msgspec.Struct):
    cna: _Container = msgspec.field(default_factory=_Container)
    adp: tuple[_Container, ...] | None = None


class _Metadata(msgspec.Struct, rename={"id": "cveId", "updated": "dateUpdated"}):
    id: str
    updated: str = ""
    state: str = ""


class _Record(msgspec.Struct, rename={"metadata": "cveMetadata"}):
    metadata: _Metadata
    containers: _Containers = msgspec.field(default_factory=_Containers)


_WORDS = {
    "exploitation": frozenset({"none", "poc", "active"}),
    "automatable": frozenset({"yes", "no"}),
    "impact": frozenset({"partial", "total"}),
}
_REACH = {"N": "network", "A": "adjacent", "L": "local", "P": "physical"}


def _short(source: Source, draft: Draft) -> None:
    """One flaw a line."""
    draft.name = "ssvc"
    decoder = msgspec.json.Decoder(_Short)
    for _, stream in source.documents():
        for line in lines(stream):
            one = decoder.decode(line)
            said = _said(one.exp or "", one.auto or "", one.impact or "")
            draft.judged(one.cve, Points(*said, one.cvss or 0.0, *of_vector(one.vec or "")))


def _records(source: Source, draft: Draft) -> None:
    """One record of the CVE programme (JSON 5) a document."""
    draft.name = "ssvc"
    decoder = msgspec.json.Decoder(_Record)
    for name, stream in source.documents():
        # A folder of records holds other files too.
        if name == source.label or name.rpartition("/")[2].startswith("CVE-"):
            _record(decoder.decode(whole(stream, MOST_LINE)), draft)


def _record(one: _Record, draft: Draft) -> None:
    if one.metadata.state == "REJECTED":
        return
    parts = [*(one.containers.adp or ()), one.containers.cna]
    metrics = [metric for part in parts for metric in part.metrics or ()]
    scores = [s for m in metrics for s in (m.v31, m.v30, m.v40) if s]
    best = max(scores, key=lambda s: s.baseScore, default=_Score())
    said = next(
        (s for m in metrics if m.other and m.other.type == "ssvc" for s in _ssvc(m.other)), ("", "", "")
    )
    if not scores and said == ("", "", ""):
        return
    if one.metadata.updated:
        draft.dated(one.metadata.updated)
    draft.judged(one.metadata.id, Points(*said, best.baseScore, *of_vector(best.vectorString)))


def _ssvc(other: _Other) -> list[tuple[str, str, str]]:
    options = other.content.get("options") if isinstance(other.content, dict) else None
    words: dict[str, str] = {}
    for option in options if isinstance(options, list) else ():
        if isinstance(option, dict):
            words.update({str(k): str(v) for k, v in option.items()})
    names = ("Exploitation", "Automatable", "Technical Impact")
    return [_said(*(words.get(name, "") for name in names))] if words else []


def _said(exploitation: str, automatable: str, impact: str) -> tuple[str, str, str]:
    """The three points in small letters; a word that SSVC does not have is none."""
    given = (exploitation.lower(), automatable.lower(), impact.lower())
    first, second, third = (w if w in _WORDS[n] else "" for n, w in zip(_WORDS, given, strict=True))
    return first, second, third


def of_vector(vector: str) -> tuple[str, str]:
    """(effect, reach) of a CVSS 3 or 4 vector: what is lost by it, and from where it is used."""
    parts = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    if not vector.startswith(("CVSS:3", "CVSS:4")):
        return "", ""
    losses = [
        parts.get(long, parts.get(short, "")) for long, short in (("VC", "C"), ("VI", "I"), ("VA", "A"))
    ]
    high = losses.count("H")
    effect = ("minor", "partial", "serious", "total")[high] if all(losses) else ""
    return effect, _REACH.get(parts.get("AV", ""), "")


FORMS = (
    Form("decision points (JSON lines)", begins(rb'\{\s*"cve"\s*:\s*"CVE-[^"]*"\s*,'), _short),
    Form("CVE records (JSON 5)", holds(rb'"dataType"\s*:\s*"CVE_RECORD"'), _records),
)

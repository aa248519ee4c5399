"""All questions that can be put to a port, in the order in which they are named to people."""

from __future__ import annotations

from checks.facts.snapshot import Fact
from scanner.collect.network.ask import databases, http, management, plain, ssh, tls
from scanner.collect.network.ask.question import Question

QUESTIONS: tuple[Question, ...] = (
    tls.QUESTION,
    ssh.QUESTION,
    http.QUESTION,
    *databases.QUESTIONS,
    *management.QUESTIONS,
    *plain.QUESTIONS,
)

SERVICE_FACTS: frozenset[type[Fact]] = frozenset(fact for q in QUESTIONS for fact in q.facts)
"""The facts that these questions decide."""

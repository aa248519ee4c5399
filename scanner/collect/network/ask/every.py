"""All questions that can be put to a port, in the order in which they are named to people."""

from __future__ import annotations

from checks.facts.snapshot import Fact
from scanner.collect.network.ask import (
    databases,
    databases_greet,
    dns,
    dns_mail,
    files,
    http,
    ipmi,
    ldap,
    mail,
    management,
    messages,
    nfs,
    ntp,
    plain,
    rdp,
    smb,
    snmp,
    ssh,
    tls,
    x11,
)
from scanner.collect.network.ask.question import Question

QUESTIONS: tuple[Question, ...] = (
    tls.QUESTION,
    ssh.QUESTION,
    http.QUESTION,
    *databases.QUESTIONS,
    *management.QUESTIONS,
    *plain.QUESTIONS,
    *dns.QUESTIONS,
    *dns_mail.QUESTIONS,
    *snmp.QUESTIONS,
    *ntp.QUESTIONS,
    *ipmi.QUESTIONS,
    *smb.QUESTIONS,
    *rdp.QUESTIONS,
    *x11.QUESTIONS,
    *ldap.QUESTIONS,
    *files.QUESTIONS,
    *nfs.QUESTIONS,
    *databases_greet.QUESTIONS,
    *messages.QUESTIONS,
    *mail.QUESTIONS,
)

SERVICE_FACTS: frozenset[type[Fact]] = frozenset(fact for q in QUESTIONS for fact in q.facts)
"""The facts that these questions decide."""

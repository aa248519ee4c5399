"""The scope file with which everybody begins: it scans this machine and nothing else."""

from __future__ import annotations

import json
from datetime import date

from checks.fix import printable

_TEXT = """\
# What Bartizan may scan, when, and how hard. Nothing outside of this file is ever touched.
# As it stands it scans this machine only. Take the # away from what you need.
version: 1
organisation: @organisation

# Who allowed the scan. Needed as soon as anything but this machine is named here.
@authorisation
local:
  name: scanner
  # zone: office             # where this machine stands; any word
  # value: standard          # low, standard, important or crown-jewel
  # owner: IT

# Networks whose addresses are asked for open ports. net:office names this one on the command line.
# networks:
#   - name: office
#     cidrs: [10.0.0.0/24]
#     zone: office
#     value: standard
#     owner: IT
#     ports: top             # top, all, or a list: [22, 443, "8000-8100"]
#     # udp: usual           # usual, none, or a list: [53, 161]
#     # rate: {packets_per_second: 200, per_host: 20}
#     vantage: inside        # where this scanner stands: inside, outside, or a zone
#     public: false          # true allows addresses of the internet

# Devices that a question can disturb (printers, controllers): they are asked as little as possible.
# fragile: ["10.0.0.20", "10.0.9.0/24"]

# Parts of the network that are kept apart, and what may reach what: what is not named is denied.
# zones:
#   - {name: office, networks: [10.0.0.0/24]}
#   - {name: dmz, networks: [10.0.5.0/24]}
# reach:
#   - {from: office, to: dmz, ports: [443, "udp/53"]}
#   - {from: office, to: dmz, ports: [443], required: true}
#   - {from: outside, to: dmz, ports: [443]}

# The machines that are approved (`bartizan inventory accept` writes the list); all others are reported.
# inventory: file:inventory.yaml

# Hosts that are logged in to over SSH, to read and never to change.
# A key is named by where it is kept: file:PATH, env:NAME (a variable with the path) or agent:
# hosts:
#   - name: web-1
#     address: 10.0.0.5      # or a host name; then say where it leads
#     # leads_to: [10.0.0.5]
#     port: 22
#     user: audit
#     key: file:~/.ssh/audit
#     # passphrase: file:PATH  # or env:NAME, exec:COMMAND, keyring:SERVICE/NAME; never the passphrase
#     # jump: [audit@10.0.0.1] # the hosts on the way, the first one first
#     known_hosts: file:~/.ssh/known_hosts
#     zone: dmz
#     value: important
#     owner: IT

# Cloud accounts, by a profile of the AWS configuration. No regions means all that are enabled.
# aws:
#   - name: prod
#     profile: prod
#     account: "123456789012"
#     # role: Bartizan         # assumed from the profile, with
#     # external_id: env:NAME  # where its trust asks for one (or file:PATH, exec:COMMAND)
#     regions: [eu-central-1]
#     value: important
#     owner: IT

#   - name: all-accounts
#     profile: management      # of the management account, or of a delegated administrator
#     organization: o-a1b2c3d4e5
#     role: Bartizan           # in every account
#     exclude: ["210987654321"]

# Never touched, whatever else is said: addresses, networks and host names.
# exclude: ["10.0.0.9", "10.0.0.128/25", "host.example"]

# When scanning is allowed (leave out: at any time), and when it is not even then.
# windows:
#   - {days: [mon, tue, wed, thu, fri], from: "22:00", to: "06:00", time_zone: Europe/Berlin}
# blackouts:
#   - {days: [sun], from: "00:00", to: "24:00", time_zone: Europe/Berlin}
#   - {dates: [2026-12-24, 2027-01-06], time_zone: Europe/Berlin, zone: office}

rate:
  packets_per_second: 500    # at most 5000
  per_host: 50

limits:
  addresses: 65536           # in one scan
  minutes: 120

# What is demanded (leave out: every baseline that fits what is scanned).
# baselines:
#   - {id: linux-server, profile: level-1}
#   - {id: network-exposure, profile: office, zones: [office]}
#   - {file: own-baseline.yaml}

# Installed packages that may add checks. None are loaded unless they are named.
# plugins: [name-of-the-distribution]

# The hours of work that the plan may spend.
budget_hours: 40

# Where results are kept (leave out: a file in your data directory). Never with a password.
# store: sqlite:////var/lib/bartizan/store.db
"""


def template(
    organisation: str = "My organisation",
    *,
    authorised_by: str = "",
    reference: str = "",
    until: date | None = None,
) -> str:
    """A commented scope file in which only this machine is active.

    The authorisation is active where all of who, reference and day are given, else a comment to fill in.
    """
    complete = bool(authorised_by and reference and until)
    lines = (
        "authorisation:",
        f"  by: {_quoted(authorised_by or 'Name, role')}",
        f"  reference: {_quoted(reference or 'number of the order or e-mail')}",
        f"  until: {until or '2026-12-31'}",
    )
    authorisation = "".join(f"{'' if complete else '# '}{line}\n" for line in lines)
    head, tail = _TEXT.split("@organisation")
    before, after = tail.split("@authorisation\n")
    return f"{head}{_quoted(organisation or 'My organisation')}{before}{authorisation}\n{after}"


def _quoted(text: str) -> str:
    return json.dumps(printable(text)[:200], ensure_ascii=False)

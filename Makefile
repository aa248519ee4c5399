# Two commands for a newcomer:
#   make scan   sets up everything and scans this machine
#   make test   sets up everything and runs every test
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= bartizan-report
# Tests that keep both processors busy, so that nothing else runs well beside them.
HEAVY := tests/proofs
# Tests that look at this machine as a whole, or at the clock: nothing may run beside them.
ALONE := tests/end_to_end tests/recordings tests/scanner/collect/host \
  tests/scanner/collect/cloud/test_faults.py tests/scanner/transport

.PHONY: help scan test lint check types bench lock clean system-scan system-test

help:
	@echo "make scan   set up everything and scan this machine (report in $(OUT)/)"
	@echo "make test   set up everything and run every test"
	@echo "make lint   formatting, rules, types and the ladder of imports only"
	@echo "make bench  measurements (never part of the tests)"
	@echo "make lock   write the lock files anew"

scan: $(VENV)/.runtime system-scan
	@$(BIN)/bartizan scan local 127.0.0.1 --out $(OUT)

test: $(VENV)/.develop system-test lint
ifdef PYTEST_ARGS
	@$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests $(addprefix --ignore=,$(HEAVY) $(ALONE))
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(HEAVY)
	@$(BIN)/python -m pytest $(ALONE)
endif

lint: $(VENV)/.develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.develop system-test
	$(BIN)/python -m tests.benchmarks

$(VENV)/bin/python:
	@.ci/python.sh "$(VENV)"

# Packages come with their hashes checked; Bartizan itself is linked into the environment.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Bartizan needs into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing what the tests need into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

system-scan:
	@.ci/system.sh optional nmap

# The other busybox of Debian lacks crond, su and more.
system-test:
	@busybox --list 2>/dev/null | grep -qx crond || .ci/system.sh required busybox-with-crond:busybox-static
	@.ci/system.sh required nmap sshd:openssh-server ssh:openssh-client dropbear:dropbear-bin chromium \
	  redis-server memcached vsftpd pg_lsclusters:postgresql ip:iproute2 nft:nftables iptables visudo:sudo \
	  setpriv:util-linux openssl pdfinfo:poppler-utils debootstrap rpmbuild:rpm ansible-playbook:ansible \
	  nginx:nginx-light lighttpd named:bind9 dig:bind9-dnsutils unbound snmpd smbd:samba smbclient slapd \
	  ldapsearch:ldap-utils postfix dovecot:dovecot-imapd /usr/lib/dovecot/pop3-login:dovecot-pop3d \
	  mariadbd:mariadb-server rsync rpcbind chronyd:chrony in.tftpd:tftpd-hpa Xvnc:tigervnc-standalone-server \
	  Xvfb:xvfb xauth xrdp etcd:etcd-server telnetd:inetutils-telnetd inetutils-inetd ipmi_sim:openipmi

# Needs uv; the files pin every package for Python 3.11 to 3.13 with hashes.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# scand: `make demo` shows it, `make test` proves it; both set up what is missing first.

PYTHON   ?= /usr/bin/python3
VENV     ?= .venv
BIN      := $(VENV)/bin
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# python-sane and systemd-python compile against libsane and libsystemd.
PACKAGES := libsane-dev libsane1 libsystemd-dev gcc pkg-config python3-dev python3-venv util-linux
# saned, scanimage and airscan are for the tests; so is the rest, for those that boot a systemd of their own, make file
# systems, kill at every system call (strace), install the package on a Debian that has nothing else, and look at a web
# page (Chromium, which comes with its driver).
FOR_TEST := sane-utils sane-airscan systemd libnss-systemd udev dbus mount strace pgbouncer \
            dpkg-dev lintian mmdebstrap man-db mandoc chromium-driver
# What the package's contents are linked with, and what it is packed by.
FOR_DEB  := dpkg-dev
# pytest works in parallel where that helps. Tests wait (for a daemon, a time-out, a disk) about as long as they
# compute, so there is one worker more than the two cores of a small machine.
WORKERS  ?= 3

.DEFAULT_GOAL := help
.PHONY: help system venv demo test test-latest test-oldest test-postgres suite unit integration acceptance crashtest soak bench lint \
        types imports format lock deb install uninstall clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

system:  ## Debian packages that are missing
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing Debian packages:$$missing"; \
		$(SUDO) apt-get update -q && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

# pip's and uv's caches stay in the clone, too: nothing outside it is touched but /tmp and Debian's packages.
export PIP_CACHE_DIR ?= $(CURDIR)/build/pip
export UV_CACHE_DIR  ?= $(CURDIR)/build/uv

# Everything that is installed is in requirements.lock, by version and hash: what is green today is green in a month.
LOCKED := systemd/locked.sh "$(BIN)/python -m pip install"
MINE   := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

# Enough for the daemon and the demo.
$(VENV)/.run: requirements.lock pyproject.toml | system
	@echo "making $(VENV), with these packages:"
	@$(PYTHON) -m venv $(VENV)
	@$(LOCKED) build && $(LOCKED) run embedded && $(MINE)
	@touch $@

# And what the tests need: among it PostgreSQL's oldest version that scand takes, and one that it refuses.
$(VENV)/.dev: $(VENV)/.run tests/support/postgres_releases.py
	@echo "for the tests:"
	@$(LOCKED) test dev
	@$(BIN)/python -m tests.support.postgres_releases 13 14
	@touch $@

venv: PACKAGES += $(FOR_TEST)
venv: $(VENV)/.dev  ## the virtual environment .venv, with scand and what the tests need in it

demo: $(VENV)/.run  ## paper in, PDF in the Inbox: on an embedded PostgreSQL and a simulated duplex scanner
	$(BIN)/scand demo

test: venv  ## every test, then lint, types and import contracts: each is run, whatever the others say
	@failed=""; for part in suite lint types imports; do \
		$(MAKE) --no-print-directory $$part || failed="$$failed $$part"; \
	done; \
	[ -z "$$failed" ] || { echo "make test: failed:$$failed"; exit 1; }

suite: venv
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

# What the lock is not: the newest of everything, and the oldest that pyproject.toml admits. Neither is a condition of
# green; `make lock` follows the newest.
test-latest: PACKAGES += $(FOR_TEST)
test-latest: system  ## the tests against the newest versions of all dependencies
	$(PYTHON) -m venv --clear .venv-latest
	.venv-latest/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev]'
	.venv-latest/bin/python -m tests.support.postgres_releases 13 14
	.venv-latest/bin/python -m pytest -n $(WORKERS) --dist loadscope

test-oldest: PACKAGES += $(FOR_TEST)
test-oldest: system .venv-lock/.made  ## the tests against the oldest versions that pyproject.toml admits
	$(PYTHON) -m venv --clear .venv-oldest
	.venv-lock/bin/uv pip install --quiet --python .venv-oldest/bin/python --resolution lowest-direct --editable '.[dev]'
	.venv-oldest/bin/python -m tests.support.postgres_releases 13 14
	.venv-oldest/bin/python -m pytest -n $(WORKERS) --dist loadscope

.venv-lock/.made: pyproject.toml
	@$(PYTHON) -m venv .venv-lock
	@systemd/locked.sh ".venv-lock/bin/python -m pip install" lock
	@touch $@

test-postgres: venv  ## the contract in SQL on every PostgreSQL that scand takes, and through PgBouncer
	$(BIN)/python -m tests.support.postgres_releases 14 15 17
	SCAND_TEST_VERSIONS="14 15 16 17 18" $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/integration/queue
	SCAND_TEST_POOLER=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/integration/queue

lock: .venv-lock/.made  ## requirements.lock anew: the newest versions that fit, with their hashes
	.venv-lock/bin/python tests/support/lock.py

unit: venv  ## pure tests only
	$(BIN)/python -m pytest tests/unit

integration: venv  ## hands against the real thing
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/integration

acceptance: venv  ## the daemon as a process
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/acceptance

crashtest: venv  ## kill and fail scand at every step, hundreds of them; writes docs/crash.md (fewer: ONLY=feeder, EVERY=5)
	$(BIN)/python -m tests.crash --workers $(WORKERS) --every $(or $(EVERY),1) --only '$(ONLY)' --markdown docs/crash.md

bench: PACKAGES += imagemagick
bench: venv  ## speed and size beside scanimage, img2pdf, cp …: some minutes on a quiet machine; writes docs/performance.md
	$(BIN)/python -m tests.bench --json bench.json --markdown docs/performance.md

soak: venv  ## for half an hour: use, misuse, faults and edits chosen at random, and outages in their long forms
	SCAND_SOAK=1 $(BIN)/python -m pytest tests/unit tests/model tests/acceptance/test_database_away.py tests/acceptance/test_clients.py \
		tests/acceptance/test_feeder.py tests/integration/courier/test_edit_sequences.py

lint: venv  ## ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: venv  ## mypy, strict
	$(BIN)/mypy

imports: venv  ## the floors of the house
	$(BIN)/lint-imports

format: venv  ## write the code as ruff wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

deb: PACKAGES += $(FOR_DEB)
deb: system  ## dist/scand_VERSION_ARCH.deb, for this Debian, its Python and its architecture
	PYTHON="$(PYTHON)" DIST="$(DIST)" sh systemd/deb/build.sh

install: system  ## onto this machine, as root; DESTDIR=… puts the files there and nothing else
	DESTDIR="$(DESTDIR)" PYTHON="$(PYTHON)" sh systemd/install.sh install

uninstall:  ## off this machine again; documents, queue and config stay
	DESTDIR="$(DESTDIR)" sh systemd/install.sh uninstall

clean:  ## remove what was made here
	rm -rf $(VENV) build dist .venv-lock .venv-latest .venv-oldest demo-out bench.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# scand: `make demo` shows it, `make test` proves it; both set up what is missing first.

PYTHON   ?= /usr/bin/python3
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# python-sane and systemd-python compile against libsane and libsystemd; saned, scanimage and airscan are for the
# tests, and the last line is for those that boot a systemd of their own, and (strace) kill at every system call.
PACKAGES := libsane-dev libsane1 sane-utils sane-airscan libsystemd-dev gcc pkg-config python3-dev python3-venv \
            systemd libnss-systemd udev dbus util-linux mount strace
# pytest works in parallel where that helps: as many workers as small machines have cores.
WORKERS  ?= 2

.DEFAULT_GOAL := help
.PHONY: help system venv demo test unit integration acceptance crashtest soak bench lint types imports format install uninstall clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

system:  ## Debian packages that are missing
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; \
		$(SUDO) apt-get update -q && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

venv: system $(STAMP)  ## the virtual environment .venv, with scand in it

$(STAMP): pyproject.toml | system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: venv  ## paper in, PDF in the Inbox: on an embedded PostgreSQL and a simulated duplex scanner
	$(BIN)/scand demo

test: venv lint types imports  ## every test, and lint, types and import contracts
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope

unit: venv  ## pure tests only
	$(BIN)/python -m pytest tests/unit

integration: venv  ## hands against the real thing
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/integration

acceptance: venv  ## the daemon as a process
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/acceptance

crashtest: venv  ## kill and fail scand at every step, hundreds of them; writes docs/crash.md (fewer: ONLY=feeder, EVERY=5)
	$(BIN)/python -m tests.crash --workers $(WORKERS) --every $(or $(EVERY),1) --only '$(ONLY)' --markdown docs/crash.md

bench: PACKAGES += imagemagick
bench: venv  ## speed and size beside scanimage, img2pdf, cp …: some minutes on a machine with nothing else to do
	$(BIN)/python -m tests.bench --json bench.json

soak: venv  ## for half an hour: use and misuse chosen at random, and outages in their long forms
	SCAND_SOAK=1 $(BIN)/python -m pytest tests/unit tests/model tests/acceptance/test_database_away.py tests/acceptance/test_clients.py

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

install: system  ## onto this machine, as root; DESTDIR=… puts the files there and nothing else
	DESTDIR="$(DESTDIR)" PYTHON="$(PYTHON)" sh systemd/install.sh install

uninstall:  ## off this machine again; documents, queue and config stay
	DESTDIR="$(DESTDIR)" sh systemd/install.sh uninstall

clean:  ## remove what was made here
	rm -rf $(VENV) demo-out bench.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

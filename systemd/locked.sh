#!/bin/bash
# Run pip on sections of requirements.lock, with every file checked against its hash, and print what it works on.
#
#   locked.sh "PYTHON -m pip install" SECTION...      into PYTHON's environment
#   locked.sh "PYTHON -m pip wheel -w DIR" SECTION... wheels into DIR; sources are compiled
#
# The lock is complete, so nothing is resolved. Nothing is built in isolation: to compile python-sane and systemd-python
# (section run), install the section build first.
set -euo pipefail

read -ra pip <<<"$1"
sections=" ${*:2} "
lock=$(dirname "$(dirname "$(readlink -f "$0")")")/requirements.lock
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
awk -v sections="$sections" '/^# == /{ taken = index(sections, " " $3 " ") } taken' "$lock" >"$wanted"

"${pip[@]}" --disable-pip-version-check --no-deps --no-build-isolation --use-pep517 --require-hashes \
	--progress-bar off --requirement "$wanted" |
	sed -un -e 's/^Collecting \([^=]*\)==\([^ ;]*\).*/  \1 \2/p' \
		-e 's/^ *Building wheel for \([^ ]*\).*started.*/  compiling \1/p'

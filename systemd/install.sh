#!/bin/sh
# Installs scand on this machine: `make install` and `make uninstall` run this as root.
#
#   install.sh install     program, files, config, activate; with DESTDIR not activate, so this machine is not told
#   install.sh program     a virtual environment of its own, with this checkout in it
#   install.sh wheels      what `program` installs, into the directory WHEELS; given WHEELS, it takes them from there
#   install.sh files       units, catalog, man pages and the like
#   install.sh config      the config, if there is none
#   install.sh activate    user and directories; tells systemd, journald and udev
#   install.sh uninstall   remove it; pages, queue and config stay
#
# The program goes to PROGRAM (/opt/scand), everything else below PREFIX (/usr/local). The Debian package is made with
# this script, too, with /usr/lib/scand and /usr. /etc belongs to the administrator: only the config goes there, and
# drop-ins of `systemctl edit scand` take precedence over our unit.
set -eu
umask 022

source=$(dirname "$(dirname "$(readlink -f "$0")")")
python=${PYTHON:-/usr/bin/python3}
root=$(realpath -m "${DESTDIR:-/}")
root=${root%/}
home=${PROGRAM:-/opt/scand}
prefix=${PREFIX:-/usr/local}
lib=$prefix/lib
share=$prefix/share
. "$source/systemd/activate.sh"

# Every file that is copied: source, target. Not the program, nor what the program generates.
placed() {
	cat <<-END
	systemd/scand.service       $lib/systemd/system/scand.service
	systemd/scand-scan.service  $lib/systemd/system/scand-scan.service
	systemd/scand-scan.path     $lib/systemd/system/scand-scan.path
	systemd/scand.catalog       $lib/systemd/catalog/scand.catalog
	systemd/scand.sysusers      $lib/sysusers.d/scand.conf
	systemd/scand.tmpfiles      $lib/tmpfiles.d/scand.conf
	systemd/60-scand.rules      $lib/udev/rules.d/60-scand.rules
	systemd/scand.toml          $share/scand/scand.toml
	README.md                   $share/doc/scand/README.md
	CHANGELOG.md                $share/doc/scand/CHANGELOG.md
	END
	# README's links expect the pages in docs/ beside it.
	(cd "$source" && find docs -type f) | while read -r page; do echo "$page $share/doc/scand/$page"; done
	for example in "$source"/systemd/examples/*; do
		echo "systemd/examples/${example##*/} $share/doc/scand/examples/${example##*/}"
	done
}

# Completions that the program generates: shell, and the file in which that shell looks for them.
completions() {
	case $prefix in /usr) zsh=vendor-completions ;; *) zsh=site-functions ;; esac
	cat <<-END
	bash $share/bash-completion/completions/scand
	zsh  $share/zsh/$zsh/_scand
	fish $share/fish/vendor_completions.d/scand.fish
	END
}

# The new program is made beside the old one and then swapped in, so an upgrade that fails leaves the old one.
program() {
	made=$root$home.new
	rm -rf "$made"
	mkdir -p "${made%/*}" "$root$prefix/bin"
	from=${WHEELS:-$work/wheels}
	[ -d "$from" ] || WHEELS=$from wheels
	"$python" -m venv --without-pip "$made"
	# Only what is needed to run, without pip. The outer pip checks that all requirements of scand are met.
	[ -d "$work/build" ] || "$python" -m venv "$work/build"
	"$work/build/bin/python" -m pip --isolated --disable-pip-version-check --python "$made/bin/python" \
		install --quiet --no-compile --no-index --find-links "$from" 'scand[embedded]'
	find "$made/bin" -mindepth 1 ! -name 'python*' ! -name scand -delete
	sed -i '/^\.\.\/\.\.\/\.\.\/bin\//d' "$made"/lib/python3*/site-packages/*.dist-info/RECORD
	rm -rf "$made/include" "$made/lib64"
	# The scripts of a virtual environment contain its path: put the final one in.
	grep -rlIF "$made" "$made/bin" "$made/pyvenv.cfg" | xargs sed -i "s|$made|$home|g"
	[ -n "${PACKAGE:-}" ] || "$python" -m compileall -q -j 0 -s "$made" -p "$home" "$made/lib"
	[ -n "$root" ] || pause
	rm -rf "$root$home"
	mv "$made" "$root$home"
	ln -sfn "$home/bin/scand" "$root$prefix/bin/scand"
}

# Wheels of everything that running needs, in the locked versions, and of scand; two C extensions are compiled.
wheels() {
	"$python" -m venv "$work/build"
	pip="$work/build/bin/python -m pip"
	"$source/systemd/locked.sh" "$pip install" build
	"$source/systemd/locked.sh" "$pip wheel --wheel-dir $WHEELS" run embedded
	$pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir "$WHEELS" "$source"
}

files() {
	placed | while read -r from to; do install -D -m 0644 "$source/$from" "$root$to"; done
	completions | while read -r shell to; do
		install -D -m 0644 /dev/null "$root$to"
		_SCAND_COMPLETE=${shell}_source "$root$home/bin/python" -P -B -m scand.cli >"$root$to"
	done
	"$root$home/bin/python" -P -B -m scand.cli.manual "$source/systemd/scand.toml" "$root$share/man"
}

config() { place_config "$source/systemd/scand.toml" "$root"; }

activate() {
	announce
	resume
}

uninstall() {
	[ -n "$root" ] || running systemctl --quiet disable --now scand-scan.path scand.service || true
	{ placed; completions; } | while read -r _ to; do rm -f "$root$to"; done
	rm -f "$root$share/man/man1/scand.1" "$root$share/man/man5/scand.toml.5"
	rm -rf "$root$home" "$root$share/doc/scand" "$root$share/scand"
	rm -f "$root$prefix/bin/scand"
	[ -n "$root" ] || { journalctl --update-catalog; tell; }
	cat <<-END
	scand is uninstalled. Kept: $root$config and profiles.d, the pages and the queue in $root/var/lib/scand,
	the user scand. Whoever is sure that every document is where it belongs may remove them:
	  rm -r $root/etc/scand $root/var/lib/scand; userdel scand; groupdel scand-users
	END
}

[ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo "install.sh: run this as root, or with DESTDIR" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case ${1:-} in
	install) program; files; config; [ -n "$root" ] || activate ;;
	program | wheels | files | config | activate | uninstall) "$1" ;;
	*) sed -n '3,11s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac

#!/bin/sh
# scand on this machine: `make install` and `make uninstall` run this as root.
#
#   install.sh install     program, files, activate; with DESTDIR no activate: nothing of this machine is told
#   install.sh program     a virtual environment of its own, with this checkout in it
#   install.sh files       units, catalog and the like, and the config if there is none
#   install.sh activate    user, directories, and word to systemd, journald and udev (a package's postinst)
#   install.sh uninstall   take it away again; pages, queue and config stay
#
# The program goes to /opt/scand, all else below /usr/local: what a distribution's package would put below /usr.
# /etc is the administrator's: only the config goes there, and drop-ins of `systemctl edit scand` outrank ours.
set -eu
umask 022

source=$(dirname "$(dirname "$(readlink -f "$0")")")
python=${PYTHON:-/usr/bin/python3}
root=$(realpath -m "${DESTDIR:-/}")
root=${root%/}
home=/opt/scand
lib=/usr/local/lib
share=/usr/local/share
config=/etc/scand/scand.toml

# Everything but the program and the config: source, target.
placed() {
	cat <<-END
	systemd/scand.service       $lib/systemd/system/scand.service
	systemd/scand-scan.service  $lib/systemd/system/scand-scan.service
	systemd/scand-scan.path     $lib/systemd/system/scand-scan.path
	systemd/scand.catalog       $lib/systemd/catalog/scand.catalog
	systemd/scand.sysusers      $lib/sysusers.d/scand.conf
	systemd/scand.tmpfiles      $lib/tmpfiles.d/scand.conf
	systemd/60-scand.rules      $lib/udev/rules.d/60-scand.rules
	systemd/scand.toml          $share/doc/scand/scand.toml
	README.md                   $share/doc/scand/README.md
	END
	for example in "$source"/systemd/examples/*.conf; do
		echo "systemd/examples/${example##*/} $share/doc/scand/examples/${example##*/}"
	done
}

# Shell, and where it looks for completions.
completions() {
	cat <<-END
	bash $share/bash-completion/completions/scand
	zsh  $share/zsh/site-functions/_scand
	fish $share/fish/vendor_completions.d/scand.fish
	END
}

# Made beside the old one and then swapped: an upgrade that fails half-way leaves what was there.
program() {
	made=$root$home.new
	rm -rf "$made"
	mkdir -p "$root/opt" "$root/usr/local/bin"
	"$python" -m venv --without-pip "$made"
	# pip itself stays out of it, and runs from the wheel that Debian's python3-venv brings along.
	PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl) "$made/bin/python" -m pip \
		install --quiet --disable-pip-version-check --no-compile "$source[embedded]"
	"$made/bin/python" -m compileall -q -j 0 -s "$made" -p "$home" "$made/lib"
	# A virtual environment has its own path in its scripts.
	grep -rlIF "$made" "$made/bin" "$made/pyvenv.cfg" | xargs sed -i "s|$made|$home|g"
	rm -rf "$root$home"
	mv "$made" "$root$home"
	ln -sfn "$home/bin/scand" "$root/usr/local/bin/scand"
}

files() {
	placed | while read -r from to; do install -D -m 0644 "$source/$from" "$root$to"; done
	completions | while read -r shell to; do
		install -D -m 0644 /dev/null "$root$to"
		_SCAND_COMPLETE=${shell}_source "$root$home/bin/python" -P -m scand.cli >"$root$to"
	done
	place_config
}

# A config that is there is never touched. The new one starts at once: on a database of scand's own.
place_config() {
	mkdir -p "$root${config%/*}/profiles.d"
	[ ! -e "$root$config" ] || return 0
	(
		umask 077
		sed -e 's|^#url = .*|url = "embedded"|' -e 's|^#root = |root = |' "$source/systemd/scand.toml" >"$root$config.new"
		mv "$root$config.new" "$root$config"
	)
}

activate() {
	systemd-sysusers "$lib/sysusers.d/scand.conf"
	systemd-tmpfiles --create "$lib/tmpfiles.d/scand.conf"
	journalctl --update-catalog
	tell
	resume
}

# The new version runs where the old one did, or should have; if it does not come up, this fails, and says why.
resume() {
	case $(running systemctl show --property=ActiveState --value scand.service) in
	"" | inactive)
		cat <<-END
		scand is installed. Next:
		  systemctl enable --now scand             start it, now and at each boot
		  systemctl enable --now scand-scan.path   and, if wanted: \`touch /run/scand-scan\` scans
		  scand doctor                             what is missing for a first scan, and what mends it
		END
		return
		;;
	esac
	if systemctl restart scand.service 2>/dev/null && systemctl --quiet is-active scand.service; then
		echo "scand runs again, as the new version."
	else
		not_up >&2
		return 1
	fi
}

# Why the service does not come up: what it said itself at its last start.
not_up() {
	echo "scand is installed, but does not come up. It says:"
	started=$(systemctl show --property=InvocationID --value scand.service)
	journalctl --quiet --no-pager --output=cat --lines=20 "_SYSTEMD_INVOCATION_ID=$started" | sed 's/^/  /'
	echo "Mend that, then: systemctl restart scand"
}

uninstall() {
	[ -n "$root" ] || running systemctl --quiet disable --now scand-scan.path scand.service || true
	{ placed; completions; } | while read -r _ to; do rm -f "$root$to"; done
	rm -rf "$root$home" "$root$share/doc/scand"
	rm -f "$root/usr/local/bin/scand"
	[ -n "$root" ] || { journalctl --update-catalog; tell; }
	cat <<-END
	scand is uninstalled. Kept: $root$config and profiles.d, the pages and the queue in $root/var/lib/scand,
	the user scand. Whoever is sure that every document is where it belongs may remove them:
	  rm -r $root/etc/scand $root/var/lib/scand; userdel scand; groupdel scand-users
	END
}

# The daemons that read our files; in a container or a chroot they do not run.
tell() {
	running systemctl daemon-reload || true
	[ ! -S /run/udev/control ] || { udevadm control --reload && udevadm trigger --subsystem-match=usb --subsystem-match=scsi_generic; }
}

running() { [ -d /run/systemd/system ] && "$@"; }

[ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo "install.sh: run this as root, or with DESTDIR" >&2; exit 1; }
case ${1:-} in
	install) program; files; [ -n "$root" ] || activate ;;
	program | files | activate | uninstall) "$1" ;;
	*) sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac

# shellcheck shell=sh
# Word to this machine that scand's files have come or changed. Two programs have these lines: install.sh reads
# them, and systemd/deb/build.sh writes them into the package's scripts.
#
# `lib` is where the files are: /usr/lib or /usr/local/lib.

config=/etc/scand/scand.toml
# That the daemon ran before its files were changed; gone with the next boot, which starts it anyway.
ran=/run/scand-ran

# User, directories, and word to journald, udev and systemd.
announce() {
	systemd-sysusers "$lib/sysusers.d/scand.conf"
	systemd-tmpfiles --create "$lib/tmpfiles.d/scand.conf"
	journalctl --update-catalog
	tell
}

# The daemons that read our files; in a container or a chroot they do not run.
tell() {
	running systemctl daemon-reload || true
	[ ! -S /run/udev/control ] || { udevadm control --reload && udevadm trigger --subsystem-match=usb --subsystem-match=scsi_generic; } || true
}

running() { [ -d /run/systemd/system ] && "$@"; }

# Before the program changes: a daemon that runs on would start its next feeder from files of two versions. The stop
# is SIGTERM: the sheet under way is finished and kept, and a job in ready is there again after the start.
pause() {
	running systemctl --quiet is-active scand.service || return 0
	: >"$ran"
	systemctl stop scand.service
}

# The daemon again, where it ran or should have run. Fails, and says why, where it does not come up.
resume() {
	state=$(running systemctl show --property=ActiveState --value scand.service || true)
	if [ -e "$ran" ]; then
		rm -f "$ran"
	elif [ "${state:-inactive}" = inactive ]; then
		cat <<-END
		scand is installed. Next, on the host with the scanner:
		  sudo scand setup                         scanner, NAS, who may use it; starts the service
		  scand doctor                             what is missing for a first scan, and what mends it
		END
		return 0
	fi
	# A start that has failed is tried again by systemd (Restart=), and may have come about by now.
	if systemctl restart scand.service 2>/dev/null || systemctl --quiet is-active scand.service; then
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

# A config that is there is never touched. A new one lets scand start at once: on a database of its own.
#   place_config TEMPLATE ROOT
place_config() {
	mkdir -p "$2${config%/*}/profiles.d"
	[ ! -e "$2$config" ] || return 0
	(
		umask 077
		sed -e 's|^#url = .*|url = "embedded"|' -e 's|^#root = |root = |' "$1" >"$2$config.new"
		mv "$2$config.new" "$2$config"
	)
}

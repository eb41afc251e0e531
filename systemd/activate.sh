# shellcheck shell=sh
# Functions that tell this machine that scand's files were installed or changed. install.sh reads this file;
# systemd/deb/build.sh copies it into the package's scripts.
#
# `lib` is where the files are: /usr/lib or /usr/local/lib.

config=/etc/scand/scand.toml
# Exists if the daemon ran before its files were changed. A boot removes it, and starts the daemon anyway.
ran=/run/scand-ran

# Create the user and the directories; tell journald, udev and systemd.
announce() {
	systemd-sysusers "$lib/sysusers.d/scand.conf"
	systemd-tmpfiles --create "$lib/tmpfiles.d/scand.conf"
	journalctl --update-catalog
	tell
}

# Tell the daemons that read our files; in a container or a chroot they do not run.
tell() {
	running systemctl daemon-reload || true
	[ ! -S /run/udev/control ] || { udevadm control --reload && udevadm trigger --subsystem-match=usb --subsystem-match=scsi_generic; } || true
}

running() { [ -d /run/systemd/system ] && "$@"; }

# Stop the daemon before the program changes: otherwise it would start its next feeder from files of two versions. The
# sheet under way is finished and kept, and a job in ready is still ready after the start.
pause() {
	running systemctl --quiet is-active scand.service || return 0
	: >"$ran"
	systemctl stop scand.service
}

# Start the daemon again if it ran before, or should have. If it does not come up, say why and fail.
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
	# systemd tries a failed start again (Restart=), so the daemon may be up by now.
	if systemctl restart scand.service 2>/dev/null || systemctl --quiet is-active scand.service; then
		echo "scand runs again, as the new version."
	else
		not_up >&2
		return 1
	fi
}

# Print what the service said at its last start.
not_up() {
	echo "scand is installed, but does not come up. It says:"
	started=$(systemctl show --property=InvocationID --value scand.service)
	journalctl --quiet --no-pager --output=cat --lines=20 "_SYSTEMD_INVOCATION_ID=$started" | sed 's/^/  /'
	echo "Mend that, then: systemctl restart scand"
}

# Place the config; an existing one is never touched. With a new one scand can start at once, on the embedded database.
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

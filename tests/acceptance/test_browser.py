"""A person with a browser, a document server beside scand, and a scanner: from the stack to the document."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pikepdf
import psycopg
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from scand.queue.schema import migrate
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A duplex scanner with three sheets, slow enough that one sees pages come."""
    return simulate("--count", "3", "--ppm", "120")


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[str]:
    """The document server, which was there first; its address."""
    (tmp_path / "nas").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.document_server.app", database_url, str(tmp_path / "nas"), str(port)]
    )

    def answers() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(answers, "the server answers")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def site(tmp_path: Path, database_url: str, server: str, scanner: Simulator) -> Iterator[Site]:
    """A site on the server's database, into which scand came later."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
    site = Site(tmp_path, database_url, scanner.config, extra='[commit]\nby = "agent"')
    yield site
    site.close()


@pytest.fixture
def browser(server: str, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium that shows the server's page."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1000,1200"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path / 'browser'}")
    options.binary_location = "/usr/bin/chromium"
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    with webdriver.Chrome(options, service) as opened:
        opened.get(server)
        yield opened


class Person:
    """What somebody at the browser sees and does."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser

    def text(self, name: str) -> str:
        """The text of an element, as it is seen now."""
        return str(
            self._browser.execute_script("return document.getElementById(arguments[0]).innerText", name)
        )

    def pictures(self) -> int:
        """How many pages can be seen: their pictures have come and could be decoded."""
        seen = "return [...document.images].filter(image => image.naturalWidth > 0).length"
        return int(self._browser.execute_script(seen))

    def press(self, label: str, within: str = "body") -> None:
        """Press a button; the page may be drawn anew at any moment, so it is found and pressed at once."""
        pressed = """
            const [label, within] = arguments, buttons = [...document.querySelectorAll(within + ' button')]
            const found = buttons.find(one => one.textContent === label)
            if (found) found.click()
            return !!found
        """
        until(lambda: self._browser.execute_script(pressed, label, within), f"a button {label}")

    def write(self, selector: str, text: str) -> None:
        """Write into a field, and press Enter."""
        field = self._browser.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text, Keys.ENTER)

    def picture_of_page(self, path: Path) -> None:
        """Take a screenshot."""
        self._browser.save_screenshot(str(path))


def test_a_person_scans_looks_mends_renames_and_commits(
    site: Site, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    """Pages are seen while they come; one is dropped and one turned; the title follows; the document is linked."""
    site.serving()
    person = Person(browser)
    person.write("#new input", "Letters")
    until(
        lambda: person.text("status") == "scanning" and 0 < person.pictures() < 6, "pictures while it scans"
    )
    until(lambda: person.text("status") == "ready" and person.pictures() == 6, "all six sides")
    person.press("Drop", "figure:nth-child(2)")
    until(lambda: site.sql("SELECT 1 FROM scan_job_pages WHERE choice = 'dropped'"), "dropped")
    person.press("Turn", "figure:nth-child(3)")
    until(lambda: site.sql("SELECT 1 FROM scan_job_pages WHERE turn = 90"), "turned")
    person.picture_of_page(tmp_path / "edited.png")
    person.press("Finish")
    until(lambda: person.text("status") == "preview", "the preview")
    before = site.sql("SELECT file_hash FROM scan_jobs")[0]["file_hash"]
    person.write("#title", "Letters of November")
    until(
        lambda: site.sql("SELECT 1 FROM scan_jobs WHERE file_hash <> %s AND status = 'preview'", before),
        "merged anew",
    )
    until(lambda: person.text("status") == "preview", "the new preview")
    person.picture_of_page(tmp_path / "preview.png")
    person.press("Commit")
    until(lambda: "Letters of November (Inbox/Letters of November.pdf)" in person.text("documents"), "linked")
    (job,) = site.sql("SELECT * FROM scan_jobs")
    assert job["doc_id"] == site.sql("SELECT id FROM documents")[0]["id"]
    path = site.nas / job["inbox_path"]
    assert numbers(path) == [1, 3, 4, 5, 6]
    with pikepdf.open(path) as document:
        assert [int(page.get("/Rotate", 0)) for page in document.pages] == [0, 90, 0, 0, 0]
        assert str(document.docinfo["/Title"]) == "Letters of November"
    person.picture_of_page(tmp_path / "committed.png")


def test_a_person_answers_a_jam_in_the_browser(
    site: Site, browser: webdriver.Chrome, scanner: Simulator, tmp_path: Path
) -> None:
    """Finish is refused with scand's own sentence until the rest was fed; then every side is in the document."""
    scanner.command("fault jam@3")
    site.serving()
    person = Person(browser)
    person.write("#new input", "Jammed")
    until(lambda: "sheet 3 jammed" in person.text("count"), "the sentence")
    person.press("Finish")
    until(lambda: "scand scan" in person.text("error"), "why not")
    person.picture_of_page(tmp_path / "jam.png")
    scanner.command("from 3")
    person.press("Scan more")
    until(lambda: person.text("status") == "ready" and person.pictures() == 6, "the rest")
    person.press("Finish")
    until(lambda: person.text("status") == "preview", "the preview")
    person.press("Commit")
    until(lambda: "Jammed" in person.text("documents"), "in the Inbox")
    assert numbers(site.nas / site.sql("SELECT inbox_path FROM scan_jobs")[0]["inbox_path"]) == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]

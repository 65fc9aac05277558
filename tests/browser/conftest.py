"""A real browser, without a window."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",  # CI is root, whom Chromium's sandbox refuses; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever is asked, by a page or by Chromium for itself, gets nowhere
    "--enable-logging=stderr",
]


class Seen(NamedTuple):
    """A page as a browser has shown it. asked: addresses that the page asked for. logged: what it logged of pages."""

    dom: str
    asked: list[str]
    logged: list[str]


@pytest.fixture(scope="session")
def chromium(unavailable):
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if browser := shutil.which(name):
            return browser
    return unavailable("no Chromium here; on Debian `apt-get install chromium` brings one")


@pytest.fixture
def browse(chromium, tmp_path):
    """Opens a page in a new browser with an empty profile, in light or dark."""

    def open_(text: str, *, dark: bool = False, name: str = "page.html") -> Seen:
        page, log = tmp_path / name, tmp_path / "net.json"
        page.write_text(text, encoding="utf-8")
        profile = tmp_path / f"profile-{name}-{dark}"
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        command = [
            chromium,
            *FLAGS,
            scheme,
            f"--user-data-dir={profile}",
            f"--log-net-log={log}",
            "--dump-dom",
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        return Seen(done.stdout, addresses(log), console)

    return open_


def addresses(log: Path) -> list[str]:
    """The addresses in a net log that a page asked for. What Chromium asks for itself has no origin; a page's own file
    is not in the log.
    """
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    return sorted({event["url"] for event in events if event.get("initiator", "not an origin") != "not an origin"})

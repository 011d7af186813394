"""A member of staff at a real browser."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

SERIOUS = {"serious", "critical"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of CHROMIUM, else the first on the PATH, else Playwright's own."""
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


@dataclass
class Staff:
    """Drives a page and keeps every complaint of the browser: CSP violations, script errors, console errors."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`))"
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    def log_in(self, email: str, password: str) -> None:
        self.page.goto("/admin/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/admin/")

    def serious_faults(self) -> list[str]:
        """What axe finds on the page, as far as it is serious or critical."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{self.page.url}: {fault['id']}: {node['html'][:200]}"
            for fault in found
            if fault["impact"] in SERIOUS
            for node in fault["nodes"]
        ]

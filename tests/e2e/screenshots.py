"""Pictures of the product with its demo company: ``make screenshots``."""

import shutil
import sys

from playwright.sync_api import Browser, Page

from tests import stack as stacks
from tests.e2e.staff import Staff, chromium

FOLDER = stacks.REPOSITORY / "var" / "screenshots"
# Those that the README shows.
SHOWN = {"customers-light.png": "customers.png", "customer-dark.png": "customer-dark.png"}
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
LISTS = {
    "customers": "/admin/accounts/customer/",
    "ledger": "/admin/credits/credittransaction/",
    "payments": "/admin/billing/payment/",
    "stripe-events": "/admin/billing/stripeevent/",
    "audit": "/admin/audit/auditentry/",
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stacks.data_directory() as data_dir, stacks.running(data_dir) as stack, chromium() as browser:
        password = (data_dir / "secrets" / "demo-password").read_text().strip()
        for look, options in LOOKS.items():
            photograph(browser, stack.url, look, options, password)
    for taken, shown in SHOWN.items():
        shutil.copy(FOLDER / taken, stacks.REPOSITORY / "docs" / "images" / shown)
    sys.stdout.write(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}\n")


def photograph(browser: Browser, url: str, look: str, options: dict, password: str) -> None:
    context = browser.new_context(base_url=url, reduced_motion="reduce", **options)
    page = context.new_page()

    def keep(name: str, **more: bool) -> None:
        page.screenshot(path=FOLDER / f"{name}-{look}.png", **more)

    page.goto("/admin/")
    keep("login")
    staff = Staff(page)
    staff.log_in("admin@example.com", password)
    keep("home")
    for name, address in LISTS.items():
        page.goto(address)
        keep(name)
    page.goto(biggest_spender(page))
    keep("customer")
    keep("customer-whole", full_page=True)
    page.get_by_role("link", name="Gift credits").first.click()
    keep("gift")
    page.get_by_label("Amount").fill("100")
    page.get_by_label("Reason").fill("Sorry for the outage on Tuesday")
    page.get_by_role("button", name="Continue").click()
    keep("gift-effect")
    context.close()


def biggest_spender(page: Page) -> str:
    """The address of the customer who comes first when the list is sorted by spend."""
    page.goto("/admin/accounts/customer/?o=-spend")
    return page.evaluate("document.querySelector('#result_list tbody a').href")


if __name__ == "__main__":
    sys.exit(main())

"""Reads of imports."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from credits.limits import Limit
from imports.models import CustomerImport
from imports.report import Report
from jobs.selectors import excess

IMPORT = "accounts.import_customers"
# What an opening balance is.
ADJUST = "credits.adjust_credits"


def imports() -> QuerySet[CustomerImport]:
    """All files that were handed in, with who did and what became of it."""
    return CustomerImport.objects.select_related("created_by", "check_job", "import_job")


def obstacle(staff: Any, report: Report) -> str | None:
    """Why ``staff`` may not import a file that is right, if so: opening balances need the right to adjust, and its
    limits hold for them."""
    if not report.openings:
        return None
    if not staff.has_perm(ADJUST):
        return "The file has opening balances, and you may not adjust balances."
    exceeded = excess(staff=staff, verb=Limit.ADJUST, amount=Decimal(report.credits), largest=Decimal(report.largest))
    return f"The opening balances are above what you may book. {exceeded}" if exceeded else None

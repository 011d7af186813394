"""Links between the pages of the ledger, and figures that several of them show."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from credits.kinds import HoldState, TransactionKind
from credits.models import CreditDebt, CreditDraw, CreditHold, CreditLot, CreditTransaction
from credits.undoing import Way

SEE_LEDGER = "credits.view_credittransaction"
KIND_TONES: dict[str, display.Tone] = {
    TransactionKind.PURCHASE: "ok",
    TransactionKind.GIFT: "info",
    TransactionKind.BONUS: "info",
    TransactionKind.REFERRAL: "info",
    TransactionKind.ALLOWANCE: "info",
    TransactionKind.REDEMPTION: "info",
    TransactionKind.REFUND: "ok",
    TransactionKind.REINSTATEMENT: "ok",
    TransactionKind.USAGE: "mute",
    TransactionKind.EXPIRY: "warn",
    TransactionKind.REVERSAL: "bad",
    TransactionKind.CHARGEBACK: "bad",
    TransactionKind.ADJUSTMENT: "warn",
}
HOLD_TONES: dict[str, display.Tone] = {
    HoldState.OPEN: "info",
    HoldState.CAPTURED: "ok",
    HoldState.RELEASED: "mute",
    HoldState.EXPIRED: "warn",
}


def kind_badge(kind: str) -> SafeString:
    """The kind of an entry, or the source of a lot."""
    return display.badge(TransactionKind(kind).label, KIND_TONES[kind])


def state_badge(hold: CreditHold) -> SafeString:
    return display.badge(hold.get_state_display(), HOLD_TONES[hold.state])


def to_customer(row: CreditTransaction | CreditLot | CreditHold | CreditDebt) -> SafeString:
    """The customer whose account the row is on."""
    return display.link(reverse("admin:accounts_customer_change", args=[row.account_id]), row.account.user.email)


def to_entry(entry: CreditTransaction, text: Any = "") -> SafeString:
    """``Usage 12``, which leads to the entry."""
    address = reverse("admin:credits_credittransaction_change", args=[entry.pk])
    return display.link(address, text or f"{entry.get_kind_display()} {entry.pk}")


def to_lot(lot_id: int) -> SafeString:
    return display.link(reverse("admin:credits_creditlot_change", args=[lot_id]), f"lot {lot_id}")


def to_hold(hold: CreditHold) -> SafeString:
    return display.link(reverse("admin:credits_credithold_change", args=[hold.pk]), f"Hold {hold.pk}")


def to_explain(user_id: int) -> Way:
    """The button that leads to the explanation of a customer's balance."""
    return Way("Explain balance", "question", reverse("admin:credits_explain", args=[user_id]))


def draw_line(draw: CreditDraw) -> SafeString:
    """What an entry took from a lot, or gave back to it."""
    way = "from" if draw.amount > 0 else "back to"
    source = draw.lot.get_source_kind_display().lower()
    return format_html("<div>{} {} {} ({})</div>", display.credits(abs(draw.amount)), way, to_lot(draw.lot_id), source)


def lot_line(lot: CreditLot) -> SafeString:
    """A lot that an entry opened, and what is left of it."""
    return format_html(
        "<div>{}: {} of {} left, expires {}</div>",
        to_lot(lot.pk),
        display.credits(lot.remaining),
        display.credits(lot.amount),
        display.expiry(lot.expires_at),
    )

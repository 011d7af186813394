"""Forgets a customer, for good."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import selectors
from accounts.errors import AccountError
from accounts.models import Customer
from accounts.services import anonymise_user


class Command(BaseCommand):
    help = (
        "Empties all that is personal of a customer, in every table; ledger, payments and audit log stay, of nobody. "
        "It cannot be undone: without --yes it only says whom it would be done to. Safe to run twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="email, the product's id or ours")
        parser.add_argument("--reason", required=True, help="kept in the audit log for ever: must not name the person")
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *, customer: str, reason: str, yes: bool, **options: Any) -> None:
        found = self._find(customer)
        if not yes:
            self.stdout.write(f"Would anonymise customer {found.pk} ({found.email}). Run it again with --yes to do it.")
            return
        try:
            result = anonymise_user(user_id=found.pk, reason=reason, actor=None)
        except AccountError as error:
            raise CommandError(str(error)) from error
        if result.replayed:
            self.stdout.write(f"Customer {found.pk} was anonymised before.")
            return
        emptied = ", ".join(f"{count} {what}" for what, count in sorted(result.emptied.items()) if count)
        self.stdout.write(f"ok: customer {found.pk} is anonymised ({emptied or 'nothing beside the person'})")

    def _find(self, named: str) -> Customer:
        found = selectors.customer_by_email(named) or selectors.customer_by_any_id(named)
        if found is None:
            raise CommandError("There is no such customer.")
        return found

"""Pages of the ledger."""

from credits.admin.ledger import CreditTransactionAdmin

__all__ = ["CreditTransactionAdmin"]

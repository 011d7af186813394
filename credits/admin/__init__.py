"""Pages of the ledger."""

from credits.admin.integrity import IntegrityRunAdmin
from credits.admin.ledger import CreditTransactionAdmin
from credits.admin.lots import CreditLotAdmin
from credits.admin.obligations import CreditDebtAdmin, CreditHoldAdmin

__all__ = ["CreditDebtAdmin", "CreditHoldAdmin", "CreditLotAdmin", "CreditTransactionAdmin", "IntegrityRunAdmin"]

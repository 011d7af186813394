"""Who the company deals with: customers, the staff who serve them, what customers did, roles, sessions, and keys."""

from accounts.models.activity import ActivityEvent
from accounts.models.api_keys import STAFF_SCOPES, ApiKey, Scope
from accounts.models.figures import CustomerBalance, CustomerFigures
from accounts.models.notes import Colour, CustomerTag, StaffNote, Tag
from accounts.models.preferences import ListPreference, SavedFilter
from accounts.models.proofs import FiguresProof
from accounts.models.resets import PasswordResetRequest, ResetWay
from accounts.models.retired import Fate, RetiredCustomer
from accounts.models.roles import DefaultRole, Role
from accounts.models.search import CustomerSearch
from accounts.models.sessions import StaffSession
from accounts.models.status import StatusChange
from accounts.models.totals import CustomerTotals
from accounts.models.users import Customer, StaffMember, Status, User

__all__ = [
    "STAFF_SCOPES",
    "ActivityEvent",
    "ApiKey",
    "Colour",
    "Customer",
    "CustomerBalance",
    "CustomerFigures",
    "CustomerSearch",
    "CustomerTag",
    "CustomerTotals",
    "DefaultRole",
    "Fate",
    "FiguresProof",
    "ListPreference",
    "PasswordResetRequest",
    "ResetWay",
    "RetiredCustomer",
    "Role",
    "SavedFilter",
    "Scope",
    "StaffMember",
    "StaffNote",
    "StaffSession",
    "Status",
    "StatusChange",
    "Tag",
    "User",
]

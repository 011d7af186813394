"""Pages about people, and about the keys by which programs act for them."""

from accounts.admin.api_keys import ApiKeyAdmin
from accounts.admin.customers import CustomerAdmin
from accounts.admin.proofs import FiguresProofAdmin
from accounts.admin.roles import RoleAdmin
from accounts.admin.staff import StaffMemberAdmin
from accounts.admin.tags import TagAdmin

__all__ = ["ApiKeyAdmin", "CustomerAdmin", "FiguresProofAdmin", "RoleAdmin", "StaffMemberAdmin", "TagAdmin"]

"""Pages about people."""

from accounts.admin.customers import CustomerAdmin
from accounts.admin.staff import RoleAdmin, StaffMemberAdmin

__all__ = ["CustomerAdmin", "RoleAdmin", "StaffMemberAdmin"]

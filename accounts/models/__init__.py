"""Who the company deals with: customers, the staff who serve them, and what customers did."""

from accounts.models.activity import ActivityEvent
from accounts.models.figures import CustomerFigures
from accounts.models.users import Customer, StaffMember, Status, User

__all__ = ["ActivityEvent", "Customer", "CustomerFigures", "StaffMember", "Status", "User"]

"""The pages of the login and of a member's own account."""

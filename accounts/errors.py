"""What can go wrong with people."""


class AccountError(Exception):
    """Base of what this app raises."""


class UnknownCustomer(AccountError):
    """No customer has this id. Staff are no customers."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"There is no customer with id {user_id}.")
        self.user_id = user_id

"""What can go wrong with people and keys, each with the code that programs see."""


class AccountError(Exception):
    """Base of what this app raises. ``code`` is stable and meant for programs."""

    code = "account_error"


class UnknownCustomer(AccountError):
    """No customer has this id, ours or the product's. Staff are no customers."""

    code = "unknown_user"

    def __init__(self, user_id: int | str) -> None:
        super().__init__(f"There is no customer with id {user_id}.")
        self.user_id = user_id


class EmailTaken(AccountError):
    """Another person has this address, in any case of its letters."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("Somebody else has this email address.")


class EmailMissing(AccountError):
    """Nobody is without an address."""

    code = "email_missing"

    def __init__(self) -> None:
        super().__init__("A customer needs an email address.")


class AlreadyCounted(AccountError):
    """Who has been charged or paid is counted, and cannot become a demo customer."""

    code = "already_counted"

    def __init__(self) -> None:
        super().__init__("This customer has a ledger already and cannot become a demo customer.")


class KeyRefused(AccountError, ValueError):
    """There can be no such API key."""

    code = "invalid_key"


class KeyRevoked(AccountError):
    """The key was revoked before."""

    code = "key_revoked"

    def __init__(self) -> None:
        super().__init__("This key is revoked already.")


class ReasonRefused(AccountError, ValueError):
    """Whoever shuts somebody out says why, in words that can be kept."""

    code = "reason_missing"


class InvalidUntil(AccountError, ValueError):
    """What ends by itself ends in the future."""

    code = "invalid_until"

    def __init__(self) -> None:
        super().__init__("The end must lie in the future.")


class WrongStatus(AccountError):
    """The customer's status does not allow it."""

    code = "wrong_status"


class UnknownStatusChange(AccountError):
    """There was no such change."""

    code = "unknown_status_change"

    def __init__(self, change_id: int) -> None:
        super().__init__(f"There is no change of status {change_id}.")


class LastSecondFactor(Exception):
    """Where a second factor is required, nobody takes the last one off. No program meets this: no endpoint tries."""

    def __init__(self) -> None:
        super().__init__("A second factor is required here: add another one before you remove this.")


class PreferenceRefused(Exception):
    """Base of what can go wrong with what a list remembers. Pages alone tell it; programs have no lists."""


class FilterNameTaken(PreferenceRefused):
    """One's saved filters of a list have different names."""

    def __init__(self, name: str) -> None:
        super().__init__(f"You have a filter named “{name}” here already: choose another name.")


class TooManyFilters(PreferenceRefused):
    """More saved filters than anybody finds their way in."""

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} filters here already: delete one that you do not need.")


class MayNotShare(PreferenceRefused):
    """Sharing a saved filter has a permission of its own."""

    def __init__(self) -> None:
        super().__init__("You may not share filters with everybody: save it for yourself.")


class UnknownFilter(PreferenceRefused):
    """There is no such saved filter that this member of staff may use or change."""

    def __init__(self) -> None:
        super().__init__("There is no such saved filter, or it is not yours to change.")


class NoteRefused(AccountError, ValueError):
    """The note cannot be kept as it is."""

    code = "invalid_note"


class UnknownNote(AccountError):
    """There is no such note, or no more."""

    code = "unknown_note"

    def __init__(self, note_id: int) -> None:
        super().__init__(f"There is no note {note_id}, or it was deleted.")


class NotYourNote(AccountError):
    """Notes are changed by who wrote them."""

    code = "not_your_note"

    def __init__(self) -> None:
        super().__init__("Somebody else wrote this note.")


class UnknownTag(AccountError):
    """There is no such tag, or no more."""

    code = "unknown_tag"

    def __init__(self, tag_id: int) -> None:
        super().__init__(f"There is no tag {tag_id}, or it was deleted.")


class CustomerMerged(AccountError):
    """The product tells of a customer who was merged into another: it goes on with the other's id."""

    code = "user_merged"

    def __init__(self, into: str | None) -> None:
        super().__init__("This customer was merged into another one: use the other's id.")
        self.details = {"into": into}


class CustomerAnonymised(AccountError):
    """The product tells of somebody who was to be forgotten."""

    code = "user_anonymised"

    def __init__(self) -> None:
        super().__init__("This customer was anonymised. Nothing is kept of them any more.")


class CustomerRetired(AccountError):
    """What staff want to do, nobody does to a customer who was merged or anonymised."""

    code = "user_retired"

    def __init__(self) -> None:
        super().__init__("This customer was merged or anonymised: the row stays for its ledger alone.")


class MergeRefused(AccountError):
    """The two cannot become one now; the text says why, and what to do about it."""

    code = "merge_refused"


class AnonymiseRefused(AccountError):
    """The customer cannot be forgotten now; the text says why, and what to do about it."""

    code = "anonymise_refused"

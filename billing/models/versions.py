"""Which word of Stripe's a row goes by, since its events come in any order."""

from django.db import models


class Versioned(models.Model):
    """A row that says what Stripe said last of an object.

    ``as_of`` is Stripe's time of the event whose word it is, and ``as_of_rank`` the order of types within one second
    (see ``billing.ordering``). What came later than both changes the row, what came earlier does not.
    """

    as_of = models.DateTimeField(null=True, editable=False)
    as_of_rank = models.SmallIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

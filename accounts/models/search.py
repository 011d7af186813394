"""What people are found by."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q


class CustomerSearch(models.Model):
    """The words of a person's address, name and ids, and the ids whole: see the migration that makes them.

    A row of its own, written by triggers on the table of users: activity, charges and payments never touch it, and the
    index on it makes none of their rows move.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="search_row", db_constraint=True
    )
    document = SearchVectorField()
    # Copies of the person's, so that a search in the usual order of the list reads this narrow table alone.
    joined = models.DateTimeField()
    is_staff = models.BooleanField()

    class Meta:
        indexes = [
            # Beginnings of words. New rows wait in a list that each search reads, for 3 ms when it is full; without it,
            # an import of many customers would take more than twice as long.
            GinIndex(fields=["document"], name="customer_by_words", fastupdate=True),
            # Walked for a word that fits very many.
            models.Index(fields=["joined", "user"], condition=Q(is_staff=False), name="customer_words_by_joined"),
        ]

    def __str__(self) -> str:
        return f"words of customer {self.user_id}"

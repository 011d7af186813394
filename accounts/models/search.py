"""What people are found by."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class CustomerSearch(models.Model):
    """The words of a person's address, name and ids, and the ids whole: see the migration that makes them.

    A row of its own, written by triggers on the table of users: activity, charges and payments never touch it, and the
    index on it makes none of their rows move.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="search_row", db_constraint=True
    )
    document = SearchVectorField()

    class Meta:
        indexes = [
            # Beginnings of words. New rows wait in a list that each search reads, so it is kept short; without it, an
            # import of many customers would touch the index once for each word.
            GinIndex(fields=["document"], name="customer_by_words", fastupdate=True, gin_pending_list_limit=256),
        ]

    def __str__(self) -> str:
        return f"words of customer {self.user_id}"

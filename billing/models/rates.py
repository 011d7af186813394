"""Exchange rates, by which amounts are told in one currency."""

from django.db import models
from django.db.models import F, Q

from backoffice.lib import clock
from billing.models.packs import validate_currency


class ExchangeRate(models.Model):
    """On ``date`` and until the next one, 1 unit of ``base`` was worth ``rate`` of ``quote`` (both in major units)."""

    date = models.DateField()
    base = models.CharField(max_length=3, validators=[validate_currency], help_text="Such as EUR.")
    quote = models.CharField(max_length=3, validators=[validate_currency], help_text="Such as USD.")
    rate = models.DecimalField(
        max_digits=20, decimal_places=10, help_text="How many of the quote one of the base buys, such as 1.0875."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-date", "base", "quote"]
        permissions = [("export_exchangerates", "Can export the exchange rates")]
        constraints = [
            # Also finds the rate of a day: the latest that is not after it.
            models.UniqueConstraint(fields=["base", "quote", "date"], name="exchange_rate_once_a_day"),
            models.CheckConstraint(
                condition=Q(rate__gt=0, rate__lte=10**9),
                name="exchange_rate_range",
                violation_error_message="A rate is more than 0 and at most 1,000,000,000.",
            ),
            models.CheckConstraint(
                condition=Q(base__regex=r"^[A-Z]{3}$", quote__regex=r"^[A-Z]{3}$"), name="exchange_rate_currencies_iso"
            ),
            models.CheckConstraint(
                condition=~Q(base=F("quote")),
                name="exchange_rate_of_two",
                violation_error_message="A currency is always worth itself.",
            ),
        ]
        indexes = [
            # The list, newest first.
            models.Index(fields=["date", "id"], name="exchange_rate_by_date"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote} on {self.date:%Y-%m-%d}"

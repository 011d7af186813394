"""One table of people. ``Customer`` and ``StaffMember`` are its two halves."""

import secrets
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Lower

from backoffice.lib import clock

# No letter that is read as another (0/O, 1/I/L), since people read codes aloud.
REFERRAL_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
REFERRAL_LENGTH = 8


def new_referral_code() -> str:
    """A code for a user to pass on, such as ``7KQ2MXRD``."""
    return "".join(secrets.choice(REFERRAL_ALPHABET) for _ in range(REFERRAL_LENGTH))


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    BANNED = "banned", "Banned"


U = TypeVar("U", bound="User")


class UserManager(BaseUserManager[U]):
    """Makes and finds users; without a password a user cannot log in here."""

    def with_email(self, email: str) -> models.QuerySet[U]:
        """Users with this address in any case. Lower() on both sides, so that the unique index serves it."""
        return self.get_queryset().alias(email_lower=Lower("email")).filter(email_lower=Lower(models.Value(email)))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> U:
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> U:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> U:
        return self.with_email(username or "").get()


class User(AbstractBaseUser, PermissionsMixin):
    """A person: a customer of the company or a member of its staff."""

    email = models.EmailField(max_length=254)
    external_id = models.CharField(
        max_length=128, unique=True, null=True, blank=True, help_text="The product's own id of this customer."
    )
    full_name = models.CharField(max_length=200, blank=True)
    avatar = models.URLField(max_length=500, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=500, blank=True)
    status_until = models.DateTimeField(
        null=True, blank=True, help_text="A suspension or ban ends then; empty: until lifted."
    )
    plan = models.CharField(max_length=64, blank=True, help_text="Key of the plan, kept by billing.")
    stripe_customer_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    referral_code = models.CharField(max_length=16, unique=True, default=new_referral_code)
    signup_source = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code of two letters.")
    character_count = models.PositiveIntegerField(default=0)
    demo_mode = models.BooleanField(default=False, help_text="Never charged and never counted.")
    is_staff = models.BooleanField("staff", default=False, help_text="May log in to the back office.")
    last_active_at = models.DateTimeField(null=True, blank=True)
    date_joined = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message="This email address is taken.",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="user_status_known"),
            # What ends by itself is a suspension or a ban.
            models.CheckConstraint(
                condition=Q(status_until__isnull=True) | ~Q(status=Status.ACTIVE), name="user_active_has_no_end"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"),
                name="user_country_iso",
                violation_error_message="The country is a code of two capital letters, such as DE.",
            ),
            models.CheckConstraint(
                condition=Q(external_id__isnull=True) | Q(external_id__length__gt=0),
                name="user_external_id_not_empty",
            ),
        ]
        indexes = [
            # The list of staff members: a handful of rows among millions.
            models.Index(fields=["email"], condition=Q(is_staff=True), name="user_staff"),
            # Whose suspension or ban is over, for the sweep that lifts it.
            models.Index(fields=["status_until"], condition=Q(status_until__isnull=False), name="user_status_ends"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.full_name.partition(" ")[0] or self.email

    @property
    def is_active(self) -> bool:
        """Django's question whether this person may log in: only while neither suspended nor banned."""
        return self.status == Status.ACTIVE


models.CharField.register_lookup(Length)


class CustomerManager(UserManager["Customer"]):
    def get_queryset(self) -> models.QuerySet["Customer"]:
        return super().get_queryset().filter(is_staff=False)


class Customer(User):
    """Someone who uses the product."""

    objects = CustomerManager()

    class Meta:
        proxy = True
        permissions = [
            ("export_customers", "Can export the customers list"),
            ("import_customers", "Can import customers from files"),
            ("ban_user", "Can ban customers and lift bans"),
            ("suspend_user", "Can suspend customers and lift suspensions"),
            ("reset_password", "Can have customers asked for a new password"),
            ("merge_customers", "Can merge customers"),
            ("anonymise_customer", "Can anonymise customers"),
        ]


class StaffManager(UserManager["StaffMember"]):
    def get_queryset(self) -> models.QuerySet["StaffMember"]:
        return super().get_queryset().filter(is_staff=True)


class StaffMember(User):
    """Someone who works in the back office."""

    objects = StaffManager()

    class Meta:
        proxy = True

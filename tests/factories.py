"""People for tests."""

import factory

from accounts.models import Customer, StaffMember


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    external_id = factory.Sequence(lambda n: f"u_{n}")
    full_name = factory.Sequence(lambda n: f"Customer {n}")
    password = "!"


class StaffFactory(factory.django.DjangoModelFactory):
    """A member of staff; ``permissions`` are given as ``app.codename``."""

    class Meta:
        model = StaffMember
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"staff{n}@example.com")
    is_staff = True
    password = "!"

    @factory.post_generation
    def permissions(self, create, extracted, **kwargs):
        for name in extracted or ():
            app_label, codename = name.split(".")
            self.user_permissions.add(permission(app_label, codename))


def permission(app_label: str, codename: str):
    from django.contrib.auth.models import Permission  # noqa: PLC0415 (apps are loaded only now)

    return Permission.objects.get(content_type__app_label=app_label, codename=codename)

"""Members of staff who log in as people do: by the forms, from an address, with the codes of an app."""

from dataclasses import dataclass, field

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from django.urls import reverse

from accounts.models import StaffMember
from audit.models import AuditEntry
from backoffice.lib import clock

PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOME = reverse("admin:index")
LOGIN = reverse("account_login")
SECOND_FACTOR = reverse("mfa_authenticate")
STEP_UP = reverse("account_reauthenticate")


def make_member(email: str = "grace@example.com", **fields) -> StaffMember:
    member = StaffMember(email=email, is_staff=True, **{"is_superuser": True, **fields})
    member.set_password(PASSWORD)
    member.save()
    return member


def enrol(member: StaffMember) -> Authenticator:
    """With an app that holds SECRET, and recovery codes."""
    app = Authenticator.objects.create(
        user=member, type=Authenticator.Type.TOTP, data={"secret": get_adapter().encrypt(SECRET)}
    )
    RecoveryCodes.activate(member)
    return app


def code(steps: int = 0, secret: str = SECRET) -> str:
    """What the app shows now, or so many steps of 30 seconds from now."""
    return format_hotp_value(hotp_value(secret, int(clock.now().timestamp()) // 30 + steps))


def recovery_codes(member: StaffMember) -> list[str]:
    kept = Authenticator.objects.get(user=member, type=Authenticator.Type.RECOVERY_CODES)
    return RecoveryCodes(kept).get_unused_codes()


@dataclass
class Browser:
    """A client at an address."""

    ip: str = "192.0.2.1"
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query):
        return self.client.get(path, query, REMOTE_ADDR=self.ip)

    def post(self, path: str, **fields):
        return self.client.post(path, fields, REMOTE_ADDR=self.ip)

    def give_password(self, email: str = "grace@example.com", password: str = PASSWORD):
        return self.post(LOGIN, username=email, password=password)

    def give_code(self, text: str):
        return self.post(SECOND_FACTOR, code=text)

    def log_in(self, email: str = "grace@example.com", text: str = ""):
        """With the password, and then with ``text`` for a code."""
        response = self.give_password(email)
        return self.give_code(text) if text else response

    @property
    def is_in(self) -> bool:
        return self.get(HOME).status_code == 200

    @property
    def key(self) -> str:
        return self.client.session.session_key


def actions() -> list[str]:
    """What the audit log was told, oldest first."""
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def latest(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("id")

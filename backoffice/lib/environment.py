"""Which environment this process serves."""

from collections.abc import Mapping
from typing import Literal

# Any of these says that somebody set up a real installation and forgot to name it.
SIGNS_OF_PRODUCTION = ("DATABASE_URL", "ALLOWED_HOSTS", "STRIPE_LIVEMODE")


def name(environ: Mapping[str, str]) -> Literal["development", "production"]:
    """BACKOFFICE_ENV if set, else production as soon as anything of production is set. Raises ValueError."""
    told = environ.get("BACKOFFICE_ENV")
    if told in ("development", "production"):
        return told  # type: ignore[return-value]
    if told:
        raise ValueError(f"BACKOFFICE_ENV is development or production, not {told!r}")
    return "production" if any(environ.get(sign) for sign in SIGNS_OF_PRODUCTION) else "development"

"""What production must be told before it may start."""

from collections.abc import Mapping

from backoffice.lib import configuration, environment

REQUIRED = ("DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "STRIPE_WEBHOOK_SECRETS", "STRIPE_LIVEMODE")
SHORTEST_SECRET_KEY = 50


def faults(environ: Mapping[str, str]) -> list[str]:
    """What is weak or missing in a production environment; nothing is asked of development."""
    if environment.name(environ) != "production":
        return []
    found = [f"{name} is not set" for name in REQUIRED if not environ.get(name)]
    key = environ.get("SECRET_KEY", "")
    if len(key) < SHORTEST_SECRET_KEY or len(set(key)) < 10 or key.startswith("django-insecure"):
        found.append(f"SECRET_KEY must be a random text of at least {SHORTEST_SECRET_KEY} characters")
    if "*" in environ.get("ALLOWED_HOSTS", ""):
        found.append("ALLOWED_HOSTS must name the hosts, not *")
    if environ.get("DEBUG", "").lower() in configuration.ON:
        found.append("DEBUG must be off")
    if environ.get("STAFF_MFA_REQUIRED", "").lower() in configuration.OFF:
        found.append("STAFF_MFA_REQUIRED must be on")
    return [*found, *_half_told(environ)]


def _half_told(environ: Mapping[str, str]) -> list[str]:
    """Settings that need another one beside them, or would send secrets in the clear."""
    found = []
    if environ.get("PRODUCT_WEBHOOK_URL") and not configuration.items(environ.get("PRODUCT_WEBHOOK_SECRETS", "")):
        found.append("PRODUCT_WEBHOOK_URL needs PRODUCT_WEBHOOK_SECRETS: unsigned, nothing is sent")
    if environ.get("EMAIL_URL") and not environ.get("DEFAULT_FROM_EMAIL"):
        found.append("EMAIL_URL needs DEFAULT_FROM_EMAIL")
    found.extend(
        f"{name} must be an https address"
        for name in ("PRODUCT_WEBHOOK_URL", "SLACK_WEBHOOK_URL")
        if environ.get(name, "").startswith("http:")
    )
    return found

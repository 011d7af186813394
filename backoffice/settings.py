"""Settings, read from the environment. Each variable is described in .env.example."""

import os
import sys
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from backoffice.lib import configuration, embedded, environment, logs, production

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
if faults := configuration.faults(os.environ) or production.faults(os.environ):
    sys.exit(f"backoffice: refusing to start: {'; '.join(faults)}")
env = environ.Env()
# An empty setting is an unset one.
env.ENVIRON = {name: value for name, value in os.environ.items() if value}

ENVIRONMENT = environment.name(os.environ)
PRODUCTION = ENVIRONMENT == "production"


def _list(name: str) -> list[str]:
    return configuration.items(env.str(name, default=""))


DATA_DIR = embedded.data_dir(os.environ)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or embedded.secret(DATA_DIR, "secret-key")
ALLOWED_HOSTS = _list("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
PORT = env.int("PORT", default=8000)

INSTALLED_APPS = [
    "backoffice.apps.BackofficeConfig",
    "backoffice.apps.BackofficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "audit",
    "accounts",
    "jobs",
    "credits",
    "billing",
    "imports",
]

# Outermost, the context of the request: whatever fails, the answer and the log line name the same request.
MIDDLEWARE = [
    "audit.middleware.request_context",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "backoffice.middleware.permissions_policy",
    "backoffice.lib.api.middleware.api_answers",
    "backoffice.middleware.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.login.middleware.StaffAuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "backoffice.lib.admin.timezones.staff_timezone",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
            "builtins": ["backoffice.lib.admin.templatetags.house"],
        },
    },
]


# Database. "default" is the runtime role, which cannot touch evidence; "owner" exists only where an operator's
# command was given the owner's URL. The pool is for web processes: wsgi.py asks for it.
def _database(url: str) -> dict[str, Any]:
    config = env.db_url_config(url)
    # A socket's folder comes as an option, where dbshell does not look for it.
    config["HOST"] = config.get("OPTIONS", {}).pop("host", config["HOST"])
    # For the few statements that are sent prepared; Django's own are bound on the client and never are.
    if env.bool("DATABASE_PREPARED_STATEMENTS", default=True):
        config.setdefault("OPTIONS", {})["prepare_threshold"] = 2
    return config


DATABASES = {"default": _database(env.str("DATABASE_URL", default="") or embedded.urls(DATA_DIR).database)}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if pool_size := env.int("DATABASE_POOL_SIZE", default=0):
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": pool_size,
        "timeout": 10,
    }
if owner_url := env.str("DATABASE_OWNER_URL", default=""):
    DATABASES["owner"] = _database(owner_url)
READONLY_DATABASE_URL = env.str("DATABASE_READONLY_URL", default="")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or embedded.urls(DATA_DIR).redis

# Celery. Redis only nudges: the state of all work is in PostgreSQL, and sweeps find what a lost nudge left.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 3600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A run that no worker took up before the next one is due is dropped.
CELERY_BEAT_SCHEDULE = {
    "sweep-stripe-events": {
        "task": "billing.tasks.sweep_stripe_events",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "count-mismatches-of-payments": {
        "task": "billing.tasks.count_mismatches",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "sweep-refunds": {
        "task": "billing.tasks.sweep_refunds",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "fetch-fees": {
        "task": "billing.tasks.fetch_fees",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "recount-spend-after-new-rates": {
        "task": "billing.tasks.recount_after_new_rates",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "count-customers": {
        "task": "accounts.tasks.count_customers",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "expire-credits": {
        "task": "credits.tasks.expire_credits",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "settle-merged": {
        "task": "credits.tasks.settle_merged",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "reset-allowances": {
        "task": "credits.tasks.reset_allowances",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "lift-due-statuses": {
        "task": "accounts.tasks.lift_due_statuses",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "sweep-jobs": {
        "task": "jobs.tasks.sweep_jobs",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "sweep-outbox": {
        "task": "jobs.tasks.sweep_outbox",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "clear-sessions": {
        "task": "accounts.tasks.clear_sessions",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    },
    "tell-what-was-missed": {
        "task": "jobs.tasks.tell_what_was_missed",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "tell-of-movements": {
        "task": "credits.tasks.tell_of_movements",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "tell-of-movements-missed": {
        "task": "credits.tasks.tell_of_movements",
        "schedule": crontab(hour=4, minute=15),
        "kwargs": {"hours": 72},
        "options": {"expires": 3600},
    },
    "prune": {
        "task": "jobs.tasks.prune",
        "schedule": crontab(hour=2, minute=30),
        "options": {"expires": 3600},
    },
    "forget-uploads": {
        "task": "imports.tasks.forget_old_files",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "verify-ledger": {
        "task": "credits.tasks.verify_ledger",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
    "recount-spends": {
        "task": "billing.tasks.recount_spends",
        "schedule": crontab(hour=3, minute=25),
        "options": {"expires": 3600},
    },
    "verify-figures": {
        "task": "accounts.tasks.verify_figures",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 3600},
    },
    "verify-audit": {
        "task": "audit.tasks.verify_audit",
        "schedule": crontab(hour=3, minute=50),
        "options": {"expires": 3600},
    },
}

AUTH_USER_MODEL = "accounts.User"
# The address is unique in any case, by a constraint on Lower("email") that this check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]
# The link in a mail for a new password holds so many seconds, and once.
PASSWORD_RESET_TIMEOUT = 60 * 60
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["accounts.login.backends.LockoutBackend", "accounts.login.backends.StaffBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# Whether the admin is closed to staff without a second factor. Production refuses to start without.
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=PRODUCTION)
# How long ago somebody may have proven who they are when they do what would hurt most in a stranger's hands.
STEP_UP_AFTER = timedelta(minutes=5)
SESSION_ENGINE = "accounts.login.session_store"
# A session ends after so long without anybody at it, and after so long in any case.
SESSION_IDLE_AGE = timedelta(minutes=30)
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True


def _cookie(name: str) -> str:
    # Cookies know no ports: two checkouts on one machine would end each other's logins. In production the prefix
    # keeps another host of the same domain from setting them.
    return f"__Host-{name}" if PRODUCTION else f"{name}_{PORT}"


SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = _cookie("sessionid"), _cookie("csrftoken")
# Tells a browser that somebody has logged in from before, so that strangers who guess do not shut them out.
DEVICE_COOKIE_NAME = _cookie("device")
# Not in a cookie of their own, whose name cannot be chosen.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = [ip_network(cidr) for cidr in _list("TRUSTED_PROXIES")]

SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The steps of the login come from allauth, the counting of failures from axes; the rules are in accounts.login.
ACCOUNT_ADAPTER = "accounts.login.adapter.StaffAdapter"
ACCOUNT_FORMS = {"login": "accounts.login.forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = STEP_UP_AFTER.total_seconds()
# Allauth counts in the cache, of which each web process has its own: axes counts, in PostgreSQL.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
MFA_ADAPTER = "accounts.login.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.login.forms.CodeForm",
    "authenticate_webauthn": "accounts.login.forms.PasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Back office"
# Steps of 30 seconds that the clock of an app may be off.
MFA_TOTP_TOLERANCE = 1
# Nobody proves an address here: staff are added by a super admin.
MFA_ALLOW_UNVERIFIED_EMAIL = True
AXES_HANDLER = "accounts.login.guard.LoginGuard"
AXES_FAILURE_LIMIT = 100
AXES_LOCKOUT_PARAMETERS = "accounts.login.guard.counters"
AXES_USERNAME_CALLABLE = "accounts.login.guard.subject"
AXES_CLIENT_IP_CALLABLE = "accounts.login.guard.network"
AXES_LOCKOUT_CALLABLE = "accounts.login.guard.lockout_response"
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The audit log tells of logins.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

MEDIA_HOSTS = _list("MEDIA_HOSTS")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *MEDIA_HOSTS],
        "media-src": [SELF, *MEDIA_HOSTS],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "report-uri": ["/csp-reports/"],
    },
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["backoffice.formats"]
TIME_ZONE = "UTC"
REPORTING_CURRENCY = env.str("REPORTING_CURRENCY", default="USD").upper()
REPORTING_TIME_ZONE = env.str("REPORTING_TIME_ZONE", default="UTC")
# How long credits last that are refunded after their lot has lapsed.
CREDIT_REFUND_GRACE = timedelta(days=env.int("CREDIT_REFUND_GRACE_DAYS", default=30))

# The balance, in credits, below which the product is told that a customer runs dry; 0: it is not told.
LOW_BALANCE_CREDITS = Decimal(env.str("LOW_BALANCE_CREDITS", default="10"))

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What jobs leave to be downloaded; no address leads there but the job's, which asks for permission.
    "results": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "results"},
    },
    # Files of customers that wait to be imported.
    "uploads": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA_DIR / "uploads",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# The largest body: a batch of 5,000 charges with their metadata.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# The largest file that staff may upload; whoever is not let in sends none that would touch the disk.
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_MB", default=2048) * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "backoffice.lib.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Requests a minute of one API key; 0 is no limit.
API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=6000)
API_STAFF_RATE_LIMIT = env.int("API_STAFF_RATE_LIMIT", default=600)

# Where each night's head of the audit log is written down, out of reach of whoever can write to the database.
AUDIT_ANCHOR_FILE = env.str("AUDIT_ANCHOR_FILE", default="") or DATA_DIR / "audit-anchor.log"

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")
STRIPE_WEBHOOK_SECRETS = _list("STRIPE_WEBHOOK_SECRETS")
STRIPE_LIVEMODE = env.bool("STRIPE_LIVEMODE", default=False)

# For how many days what is kept; 0: for ever. The ledger, payments and the audit log have no end.
RETENTION_ACTIVITY_DAYS = env.int("RETENTION_ACTIVITY_DAYS", default=1095)
RETENTION_ADDRESS_DAYS = env.int("RETENTION_ADDRESS_DAYS", default=90)
RETENTION_STRIPE_DAYS = env.int("RETENTION_STRIPE_DAYS", default=730)
RETENTION_MESSAGE_DAYS = env.int("RETENTION_MESSAGE_DAYS", default=90)
RETENTION_JOB_DAYS = env.int("RETENTION_JOB_DAYS", default=180)

# Messages to the outside. Without its setting a channel sends nothing, and each message says so.
# Development keeps mail in files.
EMAIL_URL = env.str("EMAIL_URL", default="" if PRODUCTION else f"filemail:///{DATA_DIR}/mail")
vars().update(env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="backoffice@localhost")
PRODUCT_WEBHOOK_URL = env.str("PRODUCT_WEBHOOK_URL", default="")
PRODUCT_WEBHOOK_SECRETS = _list("PRODUCT_WEBHOOK_SECRETS")
SLACK_WEBHOOK_URL = env.str("SLACK_WEBHOOK_URL", default="")

LOGGING = logs.config(as_json=PRODUCTION, level=env.str("LOG_LEVEL", default="INFO").upper())

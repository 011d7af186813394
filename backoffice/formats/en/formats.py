"""How dates are written wherever Django writes them: as `lib.admin.display` does."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"

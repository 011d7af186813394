"""The countries of ISO 3166, by their codes of two letters."""

import re

from babel import Locale

# What the list of names has beside countries: regions, reserved codes, pseudo-locales.
NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
COUNTRIES = frozenset(filter(re.compile("[A-Z]{2}").fullmatch, map(str, Locale("en").territories))) - NO_COUNTRIES

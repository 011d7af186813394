"""Ids as the product and Stripe make them, from the story's own chance."""

import string
from random import Random

_LETTERS = string.ascii_letters + string.digits
# Those that nobody reads as another, as in the referral codes that the product hands out.
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def hex_id(rng: Random, prefix: str) -> str:
    """``prefix`` and 16 hexadecimal digits."""
    return f"{prefix}{rng.getrandbits(64):016x}"


def stripe_id(rng: Random, prefix: str) -> str:
    """``prefix`` and 24 letters and digits."""
    return prefix + "".join(rng.choices(_LETTERS, k=24))


def referral_code(rng: Random) -> str:
    return "".join(rng.choices(_CODE_LETTERS, k=8))

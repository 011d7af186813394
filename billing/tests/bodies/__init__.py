"""Stripe's objects as they come, by what they are."""

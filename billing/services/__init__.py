"""Verbs of billing, by what they act on: the inbox of events, and payments."""

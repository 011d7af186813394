"""Reads of the audit log, and the proof of its chain."""

from audit.selectors.anchors import Anchor, AnchorsUnreadable, read_anchors
from audit.selectors.chain import ChainFault, first_chain_fault, head, last_proof
from audit.selectors.entries import EntryFilter, entries, entries_about, entry_with, resource_types

__all__ = [
    "Anchor",
    "AnchorsUnreadable",
    "ChainFault",
    "EntryFilter",
    "entries",
    "entries_about",
    "entry_with",
    "first_chain_fault",
    "head",
    "last_proof",
    "read_anchors",
    "resource_types",
]

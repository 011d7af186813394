"""What billing tells programs of staff."""

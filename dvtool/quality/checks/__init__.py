"""Checks: the hand-written expectations of a table, read, evaluated and written."""

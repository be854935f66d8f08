"""Drift between two versions of a column: effects, intervals, decisions, likely faults."""

"""Profiles: mergeable statistics of a table, with a stated error for every field."""

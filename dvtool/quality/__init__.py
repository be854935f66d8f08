"""Judgement of data: tables, profiles, checks, drift. Knows no repository and no store."""

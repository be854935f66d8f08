"""Reading tables: one reader, one truth. No checks, no statistics, no repository."""

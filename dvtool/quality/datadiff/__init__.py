"""Two versions of a table compared row by row. No repository, no files, no rendering."""

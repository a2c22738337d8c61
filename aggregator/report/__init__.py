"""Makes the report of a run: one page, and its tables and figures as files."""

"""The report of a release: its numbers, pictures and page."""

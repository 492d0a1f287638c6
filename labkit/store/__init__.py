"""A capture on disk: what it holds, how it is checked when read, how it is written without half-files."""

"""Other tools that look for leaks, each driven the way its documentation shows, on the same apps and the same load."""

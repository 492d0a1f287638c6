"""The word "suspect": rules that turn graphs and series into an answer with its evidence."""

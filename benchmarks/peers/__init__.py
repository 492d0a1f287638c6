"""The side-by-side benchmark: contestants, each in a process of its own, and the tables made of what they say."""

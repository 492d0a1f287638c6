"""Graph algorithms on integers: roots, nearest paths, dominators, retained sizes, populations."""

"""The course: exercises on working copies, graded by measurement."""

"""Find memory and connection leaks in Python services: capture, file, graph, findings, views."""

__version__ = "0.1.0"

"""One line in any app: ``import labkit_agent; labkit_agent.start()``. See docs/production.md."""

from _labkit_agent.start import start

__all__ = ["start"]

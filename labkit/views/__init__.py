"""Wording and looks: every view takes a ``Findings`` and renders it; none computes or filters.

Names in a capture are data from somebody's process. They reach the eye only through ``names.shown``.
"""

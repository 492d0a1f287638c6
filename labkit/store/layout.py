"""The snapshot file's words, for those who read files: edge and root kinds as the agent writes them."""

from labkit.agent.layout import (
    ATTRIBUTE,
    CLASS,
    CLOSURE,
    COLUMNS,
    EDGE_KINDS,
    ELEMENT,
    INDEX,
    INTERNAL,
    KEY,
    LOCAL,
    ROOT_KINDS,
    UNKNOWN,
    VALUE,
    VALUE_COLUMNS,
    VALUES,
    VERSION_WITH_VALUES,
)

__all__ = [
    "ATTRIBUTE",
    "CLASS",
    "CLOSURE",
    "COLUMNS",
    "EDGE_KINDS",
    "ELEMENT",
    "INDEX",
    "INTERNAL",
    "KEY",
    "LOCAL",
    "ROOT_KINDS",
    "UNKNOWN",
    "VALUE",
    "VALUES",
    "VALUE_COLUMNS",
    "VERSION_WITH_VALUES",
]

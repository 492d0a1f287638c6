"""One rule per file, in one ordered list; a rule looks at the evidence and says what it found, and why."""

from labkit.findings.rules import (
    accumulated,
    consequences,
    descriptors,
    garbage,
    idle,
    lifecycle,
    modules,
    private_memory,
    restarts,
    settled,
    threads,
)

#: Order matters: a later rule sees what earlier ones found.
RULES = (
    modules.find,
    accumulated.find,
    threads.find,
    consequences.find,
    descriptors.find,
    settled.find,
    garbage.find,
    private_memory.find,
    restarts.find,
    idle.find,
    lifecycle.find,
)

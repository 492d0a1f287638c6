"""Whether there is memory enough for a walk: asked before a child is made, and told with the figures.

What a walk takes grows with the number of objects, not with their bytes: three million small integers took 1.3
times the worker's resident memory compiled, and 4.7 times in plain Python. The interpreter's allocator knows about how
many there are. ``tests/agent/test_agent_room.py`` compares the estimate with what walks take.
"""

import sys

#: Bytes for each block of the allocator: at most 109 and 195 were seen (texts that are all different; tuples).
COMPILED, PLAIN = 128, 224
LEAST_BYTES = 32 << 20
#: Of the resident memory, where the allocator is another one and counts nothing.
UNCOUNTED = {COMPILED: 1.6, PLAIN: 5.0}


def require_room(block_bytes):
    """Raise MemoryError unless a walk that takes so much for each block fits into what is free."""
    needed, free = needed_bytes(block_bytes), free_bytes()
    if 0 <= free < needed:
        raise MemoryError(f"a walk may need {needed >> 20} MB and {free >> 20} MB are free")


def needed_bytes(block_bytes):
    """The most a walk may take: its own columns; in plain Python also a copy of nearly every page."""
    blocks, resident = sys.getallocatedblocks(), resident_bytes()
    if not blocks:
        return LEAST_BYTES + int(UNCOUNTED[block_bytes] * resident)
    return LEAST_BYTES + blocks * block_bytes + (resident if block_bytes == PLAIN else 0)


def resident_bytes():
    """Resident memory of this process; 0 where the kernel does not say."""
    return max(_number_after("/proc/self/status", "VmRSS:"), 0) * 1024


def free_bytes():
    """Memory a new process could have, by the kernel's and the control group's word; -1 when neither says."""
    available = _number_after("/proc/meminfo", "MemAvailable:")
    found = [available * 1024] if available >= 0 else []
    for folder in _control_groups():
        for limit, used, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most, now = _number_after(f"{folder}/{limit}", ""), _number_after(f"{folder}/{used}", "")
            if most >= 0 and now >= 0:
                found.append(most - now + max(_number_after(f"{folder}/memory.stat", cached), 0))
    return min((max(each, 0) for each in found), default=-1)


def _control_groups():
    """The group of this process in version 2 and in version 1, and the whole machine's or container's."""
    folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"]
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as stream:
            for line in stream:
                number, controllers, path = line.rstrip("\n").split(":", 2)
                if number == "0":
                    folders.append("/sys/fs/cgroup" + path)
                elif "memory" in controllers.split(","):
                    folders.append("/sys/fs/cgroup/memory" + path)
    except (OSError, ValueError):
        pass
    return folders


def _number_after(path, word):
    try:
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                if line.startswith(word):
                    return int(line[len(word) :].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return -1

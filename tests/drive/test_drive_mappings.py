"""Kinds of a process's memory, from the kernel's list of its mappings."""

import os
import subprocess
import sys

from labkit.drive.mappings import count_kinds, resident_kinds

SMAPS = """\
00400000-00401000 r--p 00000000 08:01 1234                               /usr/bin/python3.11
Size:                  4 kB
Rss:                   4 kB
01c00000-01d00000 rw-p 00000000 00:00 0                                  [heap]
Rss:                 900 kB
7f0000000000-7f0000001000 ---p 00000000 00:00 0
Rss:                   0 kB
7f0000001000-7f0000801000 rw-p 00000000 00:00 0
Rss:                  80 kB
7f1000000000-7f1000100000 rw-p 00000000 00:00 0
Rss:                1024 kB
7f1000100000-7f1004000000 ---p 00000000 00:00 0
Rss:                   0 kB
7f1004000000-7f1004001000 rw-p 00000000 00:00 0
Rss:                   4 kB
7f2000000000-7f2000001000 rw-s 00000000 00:01 7                          /memfd:shared (deleted)
Rss:                   8 kB
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
Rss:                  40 kB
7ffd000f0000-7ffd000f2000 r-xp 00000000 00:00 0                          [vdso]
Rss:                   4 kB
"""


def test_files_and_stacks_are_told_from_the_rest():
    assert count_kinds(SMAPS.splitlines(keepends=True)) == {"file_bytes": 12 * 1024, "stack_bytes": 120 * 1024}


def test_the_stacks_of_a_real_process_grow_with_its_threads():
    program = """
import sys, threading
def deep(n): return deep(n - 1) if n else (stop.wait(), 0)[1]
stop = threading.Event()
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
for _ in range(8): threading.Thread(target=deep, args=(200,), daemon=True).start()
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as process:
        process.stdout.readline()
        before = resident_kinds(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        after = resident_kinds(process.pid)
        process.stdin.close()
    assert before["file_bytes"] > 1_000_000
    assert after["stack_bytes"] - before["stack_bytes"] >= 8 * 4096


def test_a_process_that_is_gone_says_nothing():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert resident_kinds(done.pid) == {}
    assert resident_kinds(os.getpid())["stack_bytes"] > 0

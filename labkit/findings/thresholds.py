"""Every threshold of the diagnosis, with the reason for its value."""

#: Growth of fewer objects in a rung is noise: interpreter and server caches gain a few at any time.
MIN_OBJECTS_PER_RUNG = 3
#: ... and of fewer per request: a leak below one object in 100 requests needs a longer run.
MIN_OBJECTS_PER_REQUEST = 0.01
#: Growth in place (a buffer, a string) below this per request drowns in over-allocation steps.
MIN_BYTES_PER_REQUEST_IN_PLACE = 16.0
#: A suspect must cost at least this much: below it, 1 million requests are less than 8 MB.
MIN_SUSPECT_BYTES_PER_REQUEST = 8.0
#: A class somebody wrote says best what grows, if it gains at least this share of the rate on top; the
#: rest are tuples, lists and strings that come with it.
LEAD_SHARE = 0.2
#: A rule may call something the same growth if it gains at least this share of what leads.
SAME_GROWTH_SHARE = 0.5
#: A second holder is named when at least this share of the newcomers is reached through it without the first.
CO_HOLDER_SHARE = 0.5
#: Descriptors: fewer new ones in a rung can be an idle connection or a log file.
MIN_DESCRIPTORS_PER_RUNG = 3
#: Growth that stopped is worth a line in the report from this size on.
MIN_EXPLAINED_BYTES = 32_768
#: Unreached cycles below this are the normal tide between two collections.
MIN_GARBAGE_BYTES = 65_536
#: Private memory may grow this much per request beyond the Python objects before we must say that
#: we do not know why: allocator slack was seen up to 310 bytes a request in workers without a leak.
MAX_UNEXPLAINED_BYTES_PER_REQUEST = 1_024.0
#: ... and this much for each thread that stays: the part of its stack it touched, and an arena of the allocator;
#: 14 kB were seen.
MAX_BYTES_PER_THREAD = 65_536.0
#: What allocators handed out beyond the Python objects may grow by this much in a rung without a cause: the caches that
#: the C library keeps for each thread gain some 6 kB with each snapshot, and 12 kB were seen in workers without a leak.
MIN_NATIVE_BYTES_PER_RUNG = 32_768.0
#: ... and by this much per request: 66 bytes were seen where rungs were 160 requests long.
MIN_NATIVE_BYTES_PER_REQUEST = 192.0
#: Blocks are rounded up, to 16 bytes: so much more than its objects' sizes may live Python memory take.
ROUNDED_UP_SHARE = 0.25
#: Memory that is free inside the allocators is worth a line from this size on ...
MIN_FREE_BYTES = 16_777_216
#: ... and from this share of the resident set.
FREE_SHARE = 0.2
#: One caller of C code is the cause when it left at least this share of what is not explained.
NATIVE_SHARE = 0.5
#: A rate whose interval is wider than this share of it is worth a longer run.
VAGUE_SHARE = 0.5
#: Two captures: a rate that changed by no more than this share is the same, whatever the intervals: each is of one run,
#: and a load of another length alone moved a rate by 1 %.
SAME_RATE_SHARE = 0.05
#: ... and so are numbers of descriptors, connections or threads, which have no interval.
SAME_COUNT_SHARE = 0.1
#: What grew with every one of so many requests is hardly a cache that fills to its bound.
CONFIRMED_AFTER_REQUESTS = 10_000
#: A live worker that used this share of a processor or less has hardly served anything ...
IDLE_SHARE = 0.003
#: ... beyond what each snapshot takes of its time: 6 ms were seen of a small worker.
SNAPSHOT_CPU_S = 0.01

#: From this share of unexpected error answers on, the reader is told: the load may not do what was meant.
NOTED_UNEXPECTED_SHARE = 0.05

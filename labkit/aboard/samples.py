"""A reading as named samples: what they are called, their units in their names, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator

from .readings import Reading

GAUGES = {
    "labkit_process_resident_bytes": "Resident memory of the worker, pages shared with others included.",
    "labkit_process_unique_bytes": "Memory of the worker that no other process shares (USS).",
    "labkit_process_threads": "Threads of the worker.",
    "labkit_process_descriptors": "Open descriptors of the worker.",
    "labkit_process_descriptors_limit": "How many descriptors the worker may have open.",
    "labkit_process_first_request_timestamp_seconds": "When the worker was first seen, in seconds since 1970.",
    "labkit_python_allocated_blocks": "Memory blocks Python's allocator has given out.",
    "labkit_gc_uncollected_objects": "Objects made since the last collection of a generation, as gc.get_count says.",
    "labkit_requests_in_flight": "Requests whose answers are not sent to their end.",
    "labkit_falcon_requests_live": "Falcon request objects that are alive, in flight or not.",
    "labkit_falcon_requests_kept": "Falcon request objects that are alive though their answers are out.",
    "labkit_pool_checked_out": "Connections of a pool that are checked out.",
    "labkit_steady_unique_bytes": "As labkit_process_unique_bytes, once the worker's warm-up is over.",
}
COUNTERS = {
    "labkit_worker_starts_total": "Workers that have begun to serve.",
    "labkit_requests_begun_total": "Requests begun.",
    "labkit_requests_ended_total": "Requests whose answers were sent to their end, or given up.",
    "labkit_gc_collections_total": "Collections of a generation.",
    "labkit_steady_requests_total": "Requests ended after the warm-up of their worker.",
    "labkit_grown_unique_bytes_total": "By how much the workers' own memory has risen after their warm-up.",
    "labkit_grown_allocated_blocks_total": "By how many blocks the workers have risen after their warm-up.",
    "labkit_grown_descriptors_total": "By how many descriptors the workers have risen after their warm-up.",
}
LABELS = {
    "labkit_gc_uncollected_objects": ["generation"],
    "labkit_gc_collections_total": ["generation"],
    "labkit_pool_checked_out": ["pool"],
}


def gauges_of(reading: Reading) -> Iterator[tuple[str, str, float | None]]:
    """Name, label value (empty where there is no label), value."""
    yield "labkit_process_resident_bytes", "", reading.resident_bytes
    yield "labkit_process_unique_bytes", "", reading.unique_bytes
    yield "labkit_process_threads", "", reading.threads
    yield "labkit_process_descriptors", "", reading.descriptors
    yield "labkit_process_descriptors_limit", "", reading.descriptors_limit
    yield "labkit_process_first_request_timestamp_seconds", "", reading.started_s
    yield "labkit_python_allocated_blocks", "", reading.allocated_blocks
    yield "labkit_requests_in_flight", "", reading.requests_in_flight
    yield "labkit_falcon_requests_live", "", reading.requests_live
    yield "labkit_falcon_requests_kept", "", reading.requests_kept
    for generation, objects in enumerate(reading.gc_uncollected):
        yield "labkit_gc_uncollected_objects", str(generation), objects
    for pool, checked_out in reading.pools.items():
        yield "labkit_pool_checked_out", pool, checked_out
    if reading.is_warm:
        yield "labkit_steady_unique_bytes", "", reading.unique_bytes


def counters_of(reading: Reading) -> Iterator[tuple[str, str, float | None]]:
    """As ``gauges_of``: what a process has counted since it began."""
    yield "labkit_worker_starts_total", "", 1
    yield "labkit_requests_begun_total", "", reading.requests_begun
    yield "labkit_requests_ended_total", "", reading.requests_ended
    yield "labkit_steady_requests_total", "", reading.steady_requests
    for generation, collections in enumerate(reading.gc_collections):
        yield "labkit_gc_collections_total", str(generation), collections
    for quantity in ("unique_bytes", "allocated_blocks", "descriptors"):
        yield f"labkit_grown_{quantity}_total", "", reading.grown.get(quantity, 0)

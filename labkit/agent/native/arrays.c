/* Growing columns, maps by address and the table from address to row, all in pages of their own. */
#define _GNU_SOURCE
#include "walker.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <string.h>
#include <unistd.h>

/* By the bare system call: memray puts itself in front of mmap, and would note the child's in the worker's recording. */
void *map_pages(size_t bytes)
{
    void *pages = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
    if (pages == MAP_FAILED)
        die("MemoryError", "the kernel gives the walk no memory");
    return pages;
}

/* A page fault for each 4 KB costs more than filling the page; large arrays ask for pages of 2 MB. */
void use_large_pages(void *pages, size_t bytes)
{
    if (bytes >= (size_t)4 << 20)
        madvise(pages, bytes, MADV_HUGEPAGE);
}

void column_grow(struct column *column, size_t more)
{
    size_t room = column->room ? column->room : 65536 / column->width;
    while (room < column->count + more)
        room *= 2;
    if (room <= column->room)
        return;
    if (!column->data) {
        column->data = map_pages(room * column->width);
    } else {
        void *moved = mremap(column->data, column->room * column->width, room * column->width, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED)
            die("MemoryError", "the kernel gives the walk no memory");
        column->data = moved;
    }
    use_large_pages(column->data, room * column->width);
    column->room = room;
}

static size_t spread(uint64_t key)
{
    key *= 0x9E3779B97F4A7C15ull;
    return (size_t)(key ^ key >> 29);
}

static void map_rehash(struct map *map)
{
    struct map old = *map;
    map->room = old.room ? old.room * 2 : 1024;
    map->keys = map_pages(map->room * sizeof *map->keys);
    map->values = map_pages(map->room * sizeof *map->values);
    for (size_t at = 0; at < old.room; at++) {
        if (!old.keys[at])
            continue;
        size_t to = spread(old.keys[at]) & (map->room - 1);
        while (map->keys[to])
            to = (to + 1) & (map->room - 1);
        map->keys[to] = old.keys[at];
        map->values[to] = old.values[at];
    }
    if (old.room) {
        munmap(old.keys, old.room * sizeof *old.keys);
        munmap(old.values, old.room * sizeof *old.values);
    }
}

int64_t *map_find(struct map *map, const void *key)
{
    if (!map->room)
        return NULL;
    size_t at = spread((uint64_t)key) & (map->room - 1);
    for (; map->keys[at]; at = (at + 1) & (map->room - 1))
        if (map->keys[at] == (uint64_t)key)
            return &map->values[at];
    return NULL;
}

int64_t *map_entry(struct map *map, const void *key, bool *made)
{
    int64_t *found = map_find(map, key);
    if (made)
        *made = !found;
    if (found)
        return found;
    if (map->count * 2 >= map->room)
        map_rehash(map);
    size_t at = spread((uint64_t)key) & (map->room - 1);
    while (map->keys[at])
        at = (at + 1) & (map->room - 1);
    map->keys[at] = (uint64_t)key;
    map->count++;
    return &map->values[at];
}

/* Objects are at least 16 bytes apart, so one 4-byte slot per 16 bytes of a megabyte serves all that lie in it. */
static struct map segments;
static struct { uint64_t number; uint32_t *slots; } recent[1024];

uint32_t *row_slot(const void *address)
{
    uint64_t number = ((uint64_t)address >> 20) + 1;
    size_t near = number & 1023;
    if (recent[near].number != number) {
        int64_t *found = map_entry(&segments, (void *)number, NULL);
        if (!*found) {
            *found = (int64_t)map_pages(sizeof(uint32_t) << 16); /* touched sparsely; the kernel counts what is used */
        }
        recent[near].number = number;
        recent[near].slots = (uint32_t *)*found;
    }
    return &recent[near].slots[(uint64_t)address >> 4 & 0xFFFF];
}

/* A multiset of addresses that is emptied by moving on to another generation. */
static struct { uint64_t key; uint32_t generation, count; } *bag;
static size_t bag_room, bag_count;
static uint32_t generation;

void bag_clear(void)
{
    generation++;
    bag_count = 0;
}

static size_t bag_place(uint64_t key)
{
    size_t at = spread(key) & (bag_room - 1);
    while (bag[at].generation == generation && bag[at].key != key)
        at = (at + 1) & (bag_room - 1);
    return at;
}

void bag_add(const void *address)
{
    if (bag_count * 2 >= bag_room) {
        typeof(bag) old = bag;
        size_t old_room = bag_room;
        bag_room = old_room ? old_room * 4 : 1024;
        bag = map_pages(bag_room * sizeof *bag);
        for (size_t at = 0; at < old_room; at++)
            if (old[at].generation == generation)
                bag[bag_place(old[at].key)] = old[at];
        if (old)
            munmap(old, old_room * sizeof *old);
    }
    size_t at = bag_place((uint64_t)address);
    if (bag[at].generation != generation) {
        bag[at].key = (uint64_t)address;
        bag[at].generation = generation;
        bag[at].count = 0;
        bag_count++;
    }
    bag[at].count++;
}

bool bag_take(const void *address)
{
    if (!bag_count)
        return false;
    size_t at = bag_place((uint64_t)address);
    if (bag[at].generation != generation || !bag[at].count)
        return false;
    bag[at].count--;
    return true;
}

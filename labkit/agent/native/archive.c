/* The snapshot file: a ZIP archive of stored members (APPNOTE.TXT 6.3.3), written straight from the columns. */
#include "walker.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERSION_NEEDED 20
#define MADE_ON_UNIX (3 << 8)
#define FIRST_DATE 0x21
#define PRIVATE_FILE (0100600u << 16)

#define SLICES 16 /* bytes at a time, each by a table of its own */
static uint32_t crc_tables[SLICES][256];
static struct column directory = {.width = 1}, json = {.width = 1};
static uint64_t written;
static unsigned count_of_members;
static int output;

static void make_crc_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
        crc_tables[0][byte] = crc;
    }
    for (int slice = 1; slice < SLICES; slice++)
        for (uint32_t byte = 0; byte < 256; byte++)
            crc_tables[slice][byte] =
                crc_tables[slice - 1][byte] >> 8 ^ crc_tables[0][crc_tables[slice - 1][byte] & 255];
}

static uint32_t crc_of(uint32_t crc, const unsigned char *bytes, size_t length)
{
    crc = ~crc;
    for (; length >= SLICES; bytes += SLICES, length -= SLICES) {
        uint32_t words[SLICES / 4];
        memcpy(words, bytes, SLICES);
        words[0] ^= crc;
        crc = 0;
        for (int at = 0; at < SLICES / 4; at++) {
            uint32_t(*table)[256] = crc_tables + SLICES - 4 * (at + 1);
            uint32_t word = words[at];
            crc ^= table[3][word & 255] ^ table[2][word >> 8 & 255] ^ table[1][word >> 16 & 255] ^ table[0][word >> 24];
        }
    }
    while (length--)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *bytes++) & 255];
    return ~crc;
}

static void put(const void *data, size_t length)
{
    const char *from = data;
    for (size_t left = length; left;) {
        ssize_t done = write(output, from, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            die_of_error(errno);
        from += done;
        left -= (size_t)done;
    }
    written += length;
}

static unsigned char *little(unsigned char *to, uint64_t number, int bytes)
{
    while (bytes--) {
        *to++ = (unsigned char)number;
        number >>= 8;
    }
    return to;
}

static void remember(const void *bytes, size_t length)
{
    column_grow(&directory, length);
    memcpy(directory.data + directory.count, bytes, length);
    directory.count += length;
}

static void add_member(const char *path, const void *head, size_t head_length, const void *data, size_t length)
{
    unsigned char facts[26], start[4] = {'P', 'K', 3, 4}, entry[6] = {'P', 'K', 1, 2}, place[14], *to = facts;
    uint64_t size = head_length + length;
    if (size + written > 0xFFFFFFFFull - (1 << 20))
        die("OSError", "the snapshot would be larger than 4 GB");
    uint32_t crc = crc_of(crc_of(0, head, head_length), data, length);
    to = little(to, VERSION_NEEDED, 2);
    to = little(to, 0, 2);
    to = little(to, 0, 2); /* stored */
    to = little(to, 0, 2);
    to = little(to, FIRST_DATE, 2);
    to = little(to, crc, 4);
    to = little(to, size, 4);
    to = little(to, size, 4);
    to = little(to, strlen(path), 2);
    little(to, 0, 2);
    little(entry + 4, MADE_ON_UNIX | VERSION_NEEDED, 2);
    to = little(place, 0, 6);
    to = little(to, PRIVATE_FILE, 4);
    little(to, written, 4);
    remember(entry, sizeof entry);
    remember(facts, sizeof facts);
    remember(place, sizeof place);
    remember(path, strlen(path));
    put(start, sizeof start);
    put(facts, sizeof facts);
    put(path, strlen(path));
    put(head, head_length);
    put(data, length);
    count_of_members++;
}

static void add_column(const char *name, const char *dtype, struct column *column)
{
    char path[64], head[128];
    snprintf(path, sizeof path, "%s.npy", name);
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    int length = snprintf(head + 10, sizeof head - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,)}",
                          dtype, column->count);
    while ((10 + length + 1) % 64)
        head[10 + length++] = ' ';
    head[10 + length++] = '\n';
    little((unsigned char *)head + 8, (uint64_t)length, 2);
    add_member(path, head, (size_t)length + 10, column->data, column->count * column->width);
}

static void say(const char *bytes, size_t length)
{
    column_grow(&json, length);
    memcpy(json.data + json.count, bytes, length);
    json.count += length;
}

static void say_name(const struct name *name, bool first)
{
    say(first ? "\"" : ", \"", first ? 1 : 3);
    for (uint32_t at = 0; at < name->length; at++) {
        char byte = name_bytes.data[name->start + at], escaped[8];
        if ((unsigned char)byte < 0x20 || byte == '"' || byte == '\\')
            say(escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", byte));
        else
            say(&byte, 1);
    }
    say("\"", 1);
}

static void add_types(void)
{
    json.count = 0;
    say("[", 1);
    for (size_t row = 0; row < type_names.count; row++)
        say_name(&COLUMN_AT(name_table, struct name)[COLUMN_AT(type_names, int32_t)[row]], !row);
    say("]", 1);
    add_member("types.json", "", 0, json.data, json.count);
}

static void renumber(struct column *labels, const struct column *kinds, const int32_t *rows)
{
    int32_t *label = COLUMN_AT(*labels, int32_t);
    for (size_t at = 0; at < labels->count; at++)
        if (label[at] >= 0 && !(kinds && COLUMN_AT(*kinds, uint8_t)[at] == INDEX))
            label[at] = rows[label[at]];
}

static void mark_used(const struct column *labels, const struct column *kinds, uint8_t *used)
{
    const int32_t *label = COLUMN_AT(*labels, int32_t);
    for (size_t at = 0; at < labels->count; at++)
        if (label[at] >= 0 && !(kinds && COLUMN_AT(*kinds, uint8_t)[at] == INDEX))
            used[label[at]] = 1;
}

/* Only names that are used and may be shown become rows of labels.json: others are texts that only functions have. */
static void add_labels(void)
{
    struct name *names = COLUMN_AT(name_table, struct name);
    int32_t *rows = map_pages((name_table.count + 1) * sizeof *rows), next = 0;
    uint8_t *used = map_pages(name_table.count + 1);
    mark_used(&walk.label, &walk.kind, used);
    mark_used(&walk.name, NULL, used);
    mark_used(&walk.root_label, NULL, used);
    json.count = 0;
    say("[", 1);
    for (size_t at = 0; at < name_table.count; at++) {
        bool kept = names[at].shown && used[at];
        rows[at] = kept ? next++ : -1;
        if (kept)
            say_name(&names[at], rows[at] == 0);
    }
    say("]", 1);
    renumber(&walk.label, &walk.kind, rows);
    renumber(&walk.name, NULL, rows);
    renumber(&walk.root_label, NULL, rows);
    add_member("labels.json", "", 0, json.data, json.count);
}

void write_archive(void)
{
    char more[128];
    make_crc_tables();
    output = open(asked.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output < 0)
        die_of_error(errno);
    json.count = 0;
    say(asked.header, strlen(asked.header));
    say(more, (size_t)snprintf(more, sizeof more, ", \"gc_frozen\": %zd, \"nodes\": %zu, \"edges\": %zu}",
                               asked.frozen, walk.address.count, walk.target.count));
    add_member("header.json", "", 0, json.data, json.count);
    add_types();
    add_labels();
    add_member("sites.json", "", 0, "[]", 2);
    add_column("node_address", "<u8", &walk.address);
    add_column("node_type", "<u4", &walk.type);
    add_column("node_size", "<u8", &walk.size);
    add_column("node_refcount", "<i8", &walk.refcount);
    add_column("node_name", "<i4", &walk.name);
    add_column("node_site", "<i4", &walk.site);
    add_column("edge_start", "<u8", &walk.edge_start);
    add_column("edge_target", "<u4", &walk.target);
    add_column("edge_kind", "<u1", &walk.kind);
    add_column("edge_label", "<i4", &walk.label);
    add_column("root_node", "<u4", &walk.root_node);
    add_column("root_kind", "<u1", &walk.root_kind);
    add_column("root_label", "<i4", &walk.root_label);
    add_column("copy_node", "<u4", &walk.copy_node);
    add_column("copy_of", "<u4", &walk.copy_of);
    uint64_t start = written;
    unsigned char end[22] = {'P', 'K', 5, 6}, *to = end + 4;
    put(directory.data, directory.count);
    to = little(to, 0, 4);
    to = little(to, count_of_members, 2);
    to = little(to, count_of_members, 2);
    to = little(to, directory.count, 4);
    to = little(to, start, 4);
    little(to, 0, 2);
    put(end, sizeof end);
    if (close(output))
        die_of_error(errno);
}

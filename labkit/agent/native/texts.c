/* Which texts say the same as one found earlier. They are compared here; no text and no hash is written. */
#include "walker.h"
#include <string.h>
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_pyhash.h"
#endif

#define HASHED_BYTES 4096 /* of longer texts the beginning is enough to find candidates by */
#define AHEAD 16          /* a place in the table is asked for before it is needed: it is in no cache */
#define MOST_TRIES 4      /* texts of one hash that are compared: there are more only where somebody made them */

struct content { const char *bytes; size_t length; unsigned kind; };
struct entry { uint32_t tag, row; }; /* row + 1; 0: free */
static struct column noted = {.width = sizeof(struct entry)};

static bool content_of(PyObject *thing, struct content *content)
{
    if (PyBytes_CheckExact(thing)) {
        *content = (struct content){PyBytes_AS_STRING(thing), (size_t)PyBytes_GET_SIZE(thing), 0};
        return true;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(thing))
        return false;
#endif
    unsigned kind = (unsigned)PyUnicode_KIND(thing);
    *content = (struct content){PyUnicode_DATA(thing), (size_t)PyUnicode_GET_LENGTH(thing) * kind, kind};
    return true;
}

static bool is_equal(const struct content *content, PyTypeObject *cls, PyObject *other)
{
    struct content found;
    return Py_IS_TYPE(other, cls) && content_of(other, &found) && found.kind == content->kind &&
           found.length == content->length && !memcmp(found.bytes, content->bytes, found.length);
}

/* The interpreter's own hash, keyed by a secret of the process; a text often knows its own already. */
static uint32_t tag_of(PyObject *thing, const struct content *content)
{
    Py_hash_t hash = content->kind ? ((PyASCIIObject *)thing)->hash : -1;
    if (content->length > HASHED_BYTES)
        hash = _Py_HashBytes(content->bytes, HASHED_BYTES) ^ (Py_hash_t)content->length;
    else if (hash == -1)
        hash = _Py_HashBytes(content->bytes, (Py_ssize_t)content->length);
    return (uint32_t)hash ^ (uint32_t)((uint64_t)hash >> 32);
}

void note_text(PyObject *thing, size_t row)
{
    struct content content;
    if (content_of(thing, &content))
        COLUMN_ADD(noted, struct entry, ((struct entry){tag_of(thing, &content), (uint32_t)row + 1}));
}

static void settle(struct entry text, struct entry *table, size_t mask)
{
    PyObject **objects = COLUMN_AT(walk.address, PyObject *), *thing = objects[text.row - 1];
    struct content content = {0};
    size_t at = text.tag & mask;
    for (int tries = 0; table[at].row; at = (at + 1) & mask) {
        if (table[at].tag != text.tag)
            continue;
        if (tries++ == MOST_TRIES)
            return;
        content_of(thing, &content);
        if (is_equal(&content, Py_TYPE(thing), objects[table[at].row - 1])) {
            COLUMN_ADD(walk.copy_node, uint32_t, text.row - 1);
            COLUMN_ADD(walk.copy_of, uint32_t, table[at].row - 1);
            return;
        }
    }
    table[at] = text;
}

void find_copies(void)
{
    struct entry *texts = COLUMN_AT(noted, struct entry);
    size_t room = 1 << 12;
    while (room < noted.count * 2)
        room *= 2;
    struct entry *table = map_pages(room * sizeof *table);
    use_large_pages(table, room * sizeof *table);
    for (size_t at = 0; at < noted.count; at++) {
        if (at + AHEAD < noted.count)
            __builtin_prefetch(&table[texts[at + AHEAD].tag & (room - 1)]);
        settle(texts[at], table, room - 1);
    }
}

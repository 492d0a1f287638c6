/* Names that may enter a snapshot, by the rule of labels.py: they stand in the program's text. */
#include "walker.h"
#include <string.h>

#define MAX_LABEL_CHARACTERS 100
#define MAX_DIGITS 4

struct column name_table = {.width = sizeof(struct name)}, name_bytes = {.width = 1};
static uint32_t *table;
static size_t table_room;
static struct { PyObject *name; int32_t row; } recent[8192]; /* interned names come again by address */

static uint32_t hash_of(const char *bytes, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325ull;
    for (size_t at = 0; at < length; at++)
        hash = (hash ^ (unsigned char)bytes[at]) * 0x100000001B3ull;
    return (uint32_t)(hash ^ hash >> 32);
}

static int32_t look_up(const char *bytes, size_t length, bool add)
{
    uint32_t hash = hash_of(bytes, length);
    struct name *names = COLUMN_AT(name_table, struct name);
    size_t at = 0;
    if (table_room)
        for (at = hash & (table_room - 1); table[at]; at = (at + 1) & (table_room - 1)) {
            struct name *name = &names[table[at] - 1];
            if (name->hash == hash && name->length == length && !memcmp(name_bytes.data + name->start, bytes, length))
                return (int32_t)table[at] - 1;
        }
    if (!add)
        return -1;
    if (name_table.count * 2 >= table_room) {
        table_room = table_room ? table_room * 2 : 65536;
        table = map_pages(table_room * sizeof *table); /* the smaller one stays behind: it is never large */
        for (uint32_t row = 0; row < name_table.count; row++) {
            for (at = names[row].hash & (table_room - 1); table[at]; at = (at + 1) & (table_room - 1))
                ;
            table[at] = row + 1;
        }
    }
    for (at = hash & (table_room - 1); table[at]; at = (at + 1) & (table_room - 1))
        ;
    struct name name = {.start = (uint32_t)name_bytes.count, .length = (uint32_t)length, .hash = hash};
    column_grow(&name_bytes, length + 1);
    memcpy(name_bytes.data + name_bytes.count, bytes, length);
    name_bytes.count += length;
    COLUMN_ADD(name_table, struct name, name);
    table[at] = (uint32_t)name_table.count;
    return (int32_t)name_table.count - 1;
}

static bool is_readable(PyObject *thing)
{
#if PY_VERSION_HEX < 0x030C0000
    return PyUnicode_CheckExact(thing) && PyUnicode_IS_READY(thing);
#else
    return PyUnicode_CheckExact(thing);
#endif
}

static size_t encode(const Py_UCS4 *points, size_t count, char *to)
{
    char *start = to;
    for (size_t at = 0; at < count; at++) {
        Py_UCS4 c = points[at];
        if (c >= 0xD800 && c < 0xE000)
            c = '?';
        if (c < 0x80) {
            *to++ = (char)c;
        } else if (c < 0x800) {
            *to++ = (char)(0xC0 | c >> 6);
            *to++ = (char)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            *to++ = (char)(0xE0 | c >> 12);
            *to++ = (char)(0x80 | (c >> 6 & 63));
            *to++ = (char)(0x80 | (c & 63));
        } else {
            *to++ = (char)(0xF0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 63));
            *to++ = (char)(0x80 | (c >> 6 & 63));
            *to++ = (char)(0x80 | (c & 63));
        }
    }
    return (size_t)(to - start);
}

static int32_t look_up_name(PyObject *name, bool add)
{
    static char bytes[4 * 640];
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (length > 640)
        length = 640; /* no name anybody wrote */
    if (PyUnicode_IS_ASCII(name))
        return look_up(PyUnicode_DATA(name), (size_t)length, add);
    Py_UCS4 points[640];
    for (Py_ssize_t at = 0; at < length; at++)
        points[at] = PyUnicode_READ_CHAR(name, at);
    return look_up(bytes, encode(points, (size_t)length, bytes), add);
}

static bool is_identifier(const Py_UCS4 *points, size_t count)
{
    bool ascii = true;
    for (size_t at = 0; at < count && ascii; at++) {
        Py_UCS4 c = points[at];
        ascii = c < 0x80;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (ascii && !letter && !(at && c >= '0' && c <= '9'))
            return false;
    }
    if (ascii || !count)
        return count > 0;
    /* the interpreter's own tables decide about other scripts; it is shown a text that lies in our memory */
    static union { PyCompactUnicodeObject head; char room[sizeof(PyCompactUnicodeObject) + 4 * 641]; } shown;
    memset(&shown, 0, sizeof shown.head);
    PyASCIIObject *head = (PyASCIIObject *)&shown.head;
    head->ob_base.ob_type = &PyUnicode_Type;
    head->ob_base.ob_refcnt = 1;
    head->length = (Py_ssize_t)count;
    head->state.kind = PyUnicode_4BYTE_KIND;
    head->state.compact = 1;
#if PY_VERSION_HEX < 0x030C0000
    head->state.ready = 1;
#endif
    memcpy(shown.room + sizeof(PyCompactUnicodeObject), points, 4 * count);
    return PyUnicode_IsIdentifier((PyObject *)head) == 1;
}

static bool looks_like_a_name(const Py_UCS4 *points, size_t count)
{
    unsigned digits = 0;
    for (size_t at = 0; at < count; at++)
        digits += points[at] >= '0' && points[at] <= '9';
    return count <= MAX_LABEL_CHARACTERS / 2 && digits <= MAX_DIGITS;
}

static bool may_be_shown(PyObject *name)
{
    Py_UCS4 points[MAX_LABEL_CHARACTERS / 2] = {0};
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (length > MAX_LABEL_CHARACTERS / 2)
        return false;
    for (Py_ssize_t at = 0; at < length; at++)
        points[at] = PyUnicode_READ_CHAR(name, at);
    return is_identifier(points, (size_t)length) && looks_like_a_name(points, (size_t)length);
}

int32_t row_of_ascii(const char *name)
{
    int32_t row = look_up(name, strlen(name), true);
    COLUMN_AT(name_table, struct name)[row].shown = 1;
    return row;
}

int32_t row_of_name(PyObject *name)
{
    if (!is_readable(name))
        return row_of_ascii("?");
    int32_t row = look_up_name(name, true);
    COLUMN_AT(name_table, struct name)[row].shown = 1;
    return row;
}

int32_t label_of_key(PyObject *key)
{
    if (!PyUnicode_CheckExact(key))
        return -1;
    size_t near = (size_t)key >> 4 & 8191;
    if (recent[near].name == key)
        return recent[near].row;
    if (!is_readable(key) || PyUnicode_GET_LENGTH(key) > 2 * MAX_LABEL_CHARACTERS)
        return -1;
    int32_t row = look_up_name(key, false);
    struct name *names = COLUMN_AT(name_table, struct name);
    if (row < 0 || !(names[row].shown || names[row].candidate))
        return -1;
    recent[near].name = key;
    recent[near].row = row;
    return row;
}

/* A candidate is a key the interpreter has not interned itself; it counts once an equal interned text is met. */
void add_program_name(PyObject *name, bool candidate)
{
    size_t near = (size_t)name >> 4 & 8191;
    if (!is_readable(name) || recent[near].name == name || !may_be_shown(name))
        return;
    int32_t row = look_up_name(name, true);
    struct name *found = &COLUMN_AT(name_table, struct name)[row];
    if (!candidate) {
        found->shown = 1;
        recent[near].name = name;
        recent[near].row = row;
    } else if (!found->shown) {
        walk.candidates += !found->candidate;
        found->candidate = 1;
    }
}

void confirm_candidate(PyObject *name)
{
    if (!is_readable(name) || !(PyUnicode_CHECK_INTERNED(name) || PyUnicode_GET_LENGTH(name) < 2))
        return;
    int32_t row = look_up_name(name, false);
    if (row >= 0 && COLUMN_AT(name_table, struct name)[row].candidate)
        COLUMN_AT(name_table, struct name)[row].shown = 1;
}

void text_begin(struct text *text)
{
    text->count = 0;
    text->proper = true;
}

static void text_point(struct text *text, Py_UCS4 point)
{
    if (text->count == 640)
        text->proper = false;
    else
        text->at[text->count++] = point;
}

void text_ascii(struct text *text, const char *part, size_t length)
{
    if (text->count && length)
        text_point(text, '.');
    for (size_t at = 0; at < length; at++) {
        text->proper = text->proper && !(part[at] & 0x80);
        text_point(text, (unsigned char)part[at]);
    }
}

void text_part(struct text *text, PyObject *part)
{
    if (!part || !is_readable(part)) {
        text->proper = false;
        return;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(part);
    if (text->count && length)
        text_point(text, '.');
    for (Py_ssize_t at = 0; at < length && text->proper; at++)
        text_point(text, PyUnicode_READ_CHAR(part, at));
}

bool text_is(const struct text *text, const char *ascii)
{
    size_t length = strlen(ascii);
    for (size_t at = 0; at < length && at < text->count; at++)
        if (text->at[at] != (unsigned char)ascii[at])
            return false;
    return text->proper && text->count == length;
}

static bool is_special_piece(const Py_UCS4 *points, size_t count)
{
    static const char *const PARTS[] = {"<locals>", "<lambda>", "<listcomp>", "<genexpr>",
                                        "<dictcomp>", "<setcomp>", "<module>"};
    for (size_t part = 0; part < sizeof PARTS / sizeof *PARTS; part++) {
        size_t at = 0;
        while (at < count && PARTS[part][at] && points[at] == (unsigned char)PARTS[part][at])
            at++;
        if (at == count && !PARTS[part][at])
            return true;
    }
    return false;
}

static bool is_dotted_name(const struct text *text)
{
    if (!text->proper || text->count > 2 * MAX_LABEL_CHARACTERS)
        return false;
    Py_UCS4 joined[2 * MAX_LABEL_CHARACTERS];
    for (size_t at = 0; at < text->count; at++)
        joined[at] = text->at[at] == '.' ? '_' : text->at[at];
    if (is_identifier(joined, text->count) && looks_like_a_name(text->at, text->count))
        return true;
    for (size_t start = 0, end; start <= text->count; start = end + 1) {
        for (end = start; end < text->count && text->at[end] != '.'; end++)
            ;
        if (!is_special_piece(text->at + start, end - start) &&
            !(is_identifier(text->at + start, end - start) && looks_like_a_name(text->at + start, end - start)))
            return false;
    }
    return true;
}

int32_t text_row(struct text *text, bool shown)
{
    static char bytes[4 * 640];
    int32_t row;
    if (is_dotted_name(text))
        row = look_up(bytes, encode(text->at, text->count, bytes), true);
    else
        row = look_up("?", 1, true);
    if (shown)
        COLUMN_AT(name_table, struct name)[row].shown = 1;
    return row;
}

bool is_text(PyObject *thing, const char *ascii)
{
    size_t length = strlen(ascii);
    return thing && is_readable(thing) && PyUnicode_IS_ASCII(thing) && (size_t)PyUnicode_GET_LENGTH(thing) == length &&
           !memcmp(PyUnicode_DATA(thing), ascii, length);
}

/* What a dictionary has under a name, without hashing or comparing foreign keys. */
PyObject *entry_of(PyObject *space, const char *name)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (space && PyDict_Check(space))
        while (PyDict_Next(space, &position, &key, &value))
            if (is_text(key, name))
                return value;
    return NULL;
}

void type_text(PyTypeObject *cls, struct text *text)
{
    text_begin(text);
    if (cls->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyObject *module = entry_of(namespace_of(cls), "__module__");
        if (!is_text(module, "builtins"))
            text_part(text, module);
        text_part(text, ((PyHeapTypeObject *)cls)->ht_qualname);
    } else {
        const char *dot = strrchr(cls->tp_name, '.');
        size_t module = dot ? (size_t)(dot - cls->tp_name) : 0;
        if (module && !(module == 8 && !memcmp(cls->tp_name, "builtins", 8)))
            text_ascii(text, cls->tp_name, module);
        text_ascii(text, dot ? dot + 1 : cls->tp_name, strlen(dot ? dot + 1 : cls->tp_name));
    }
}

/* What the parts of the compiled walker share. All state belongs to one walk and is filled in by the child. */
#ifndef LABKIT_WALKER_H
#define LABKIT_WALKER_H

#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
#include <structmember.h>
#include "internal/pycore_interp.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_context.h"
#include "internal/pycore_code.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_object.h"
#include <sys/types.h>
#include <stdint.h>
#include <stdbool.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000 || defined(Py_GIL_DISABLED) || defined(Py_TRACE_REFS)
#error "the walker knows ordinary builds of CPython 3.11, 3.12 and 3.13"
#endif

enum { UNKNOWN, ATTRIBUTE, KEY, VALUE, INDEX, ELEMENT, LOCAL, CLOSURE, CLASS, INTERNAL }; /* layout.EDGE_KINDS */
enum { ROOT_MODULE, ROOT_THREAD, ROOT_BUILTIN_TYPE };                                     /* layout.ROOT_KINDS */
enum { LEAF, DICT, SEQUENCE, SET, CODE, FUNCTION, TYPE, FRAME, GENERATOR, HAMT, LRU_CACHE, OTHER };
#define HIDDEN UINT32_MAX
#define NOWHERE UINT32_MAX
#define GC_HEADER_BYTES 16
#define MANAGED_WEAKREF (1UL << 3)
#define MANAGED_DICT (1UL << 4)

/* -- arrays.c: memory from the kernel, never from malloc, whose locks another thread may hold -- */
struct column { char *data; size_t count, room; unsigned width; };
struct map { uint64_t *keys; int64_t *values; size_t count, room; };
void *map_pages(size_t bytes);
void use_large_pages(void *pages, size_t bytes);
void column_grow(struct column *column, size_t more);
#define COLUMN_ADD(to, type, value) \
    do { \
        struct column *to_ = &(to); \
        if (to_->count == to_->room) \
            column_grow(to_, 1); \
        ((type *)to_->data)[to_->count++] = (value); \
    } while (0)
#define COLUMN_AT(of, type) ((type *)(of).data)
int64_t *map_find(struct map *map, const void *key);              /* NULL when absent */
int64_t *map_entry(struct map *map, const void *key, bool *made); /* 0 when new */
uint32_t *row_slot(const void *address);                          /* 0: unseen, HIDDEN, else row + 1 */
void bag_clear(void);
void bag_add(const void *address);
bool bag_take(const void *address);

/* -- names.c -- */
struct text { Py_UCS4 at[640]; size_t count; bool proper; };
void text_begin(struct text *text);
void text_part(struct text *text, PyObject *part);
void text_ascii(struct text *text, const char *part, size_t length);
bool text_is(const struct text *text, const char *ascii);
uint8_t edge_kind(PyObject *name);
int32_t text_row(struct text *text, bool shown);         /* '?' for what is no proper dotted name */
int32_t row_of_ascii(const char *name);
int32_t row_of_name(PyObject *name);                     /* a name known to be harmless */
int32_t label_of_key(PyObject *key);                     /* -1: may not be shown */
void add_program_name(PyObject *name, bool candidate);
void confirm_candidate(PyObject *name);
void type_text(PyTypeObject *cls, struct text *text);
bool is_text(PyObject *thing, const char *ascii);
PyObject *entry_of(PyObject *space, const char *name);
struct name { uint32_t start, length, hash; uint8_t shown, candidate; };
extern struct column name_table, name_bytes;

/* -- plans.c -- */
enum { AT_OFFSET_OR_NONE, AT_OFFSET, CELL_CONTENT, SELF_OF_BUILTIN, BY_GETTER };
struct member { int32_t label; uint8_t edge_kind, source; Py_ssize_t offset; getter get; void *closure; };
struct plan {
    PyTypeObject *cls, *items, *size_class;
    uint8_t kind, unnamed, untold; /* untold: how many of the members the collector is not told of */
    PyObject *parts;               /* the orders of unnamed parts (parts.py), or NULL */
    PyObject *fields;              /* of a named tuple, or NULL */
    bool managed, has_dict, holds_class, keeps_key_twice, is_link;
    uint32_t row, extra_bytes, first_member, members;
    PyCFunction size_function;
};
struct plan *plan_of(PyTypeObject *cls);
PyObject *namespace_of(PyTypeObject *cls);
PyObject *subclasses_of(PyTypeObject *cls);
bool derives_from(PyTypeObject *cls, PyTypeObject *base);
extern struct column type_names, members;

/* -- references.c, instances.c, frames.c -- */
struct named { PyObject *value; int32_t label; uint8_t kind, used; };
extern struct column held, named;
#define HELD COLUMN_AT(held, PyObject *)
#define NAMED COLUMN_AT(named, struct named)
void collect(PyObject *thing, traverseproc traverse);
void name_value(PyObject *value, uint8_t kind, int32_t label);
void name_members(PyObject *thing, const struct plan *plan);
void emit(PyObject *value, uint8_t kind, int32_t label);
void emit_matched(PyObject *thing, const struct plan *plan);
void emit_untold(PyObject *thing, const struct plan *plan);
void emit_instance(PyObject *thing, const struct plan *plan);
void emit_references(PyObject *thing, const struct plan *plan);
PyObject **dict_place(PyObject *thing);
void emit_frame(PyObject *thing, const struct plan *plan);
void emit_generator(PyObject *thing, const struct plan *plan);
void name_cells(PyObject *function);
int32_t frame_name(PyObject *thing);
void for_frame_values(struct _PyInterpreterFrame *frame, void (*take)(PyObject *));
PyCodeObject *code_of(struct _PyInterpreterFrame *frame);
struct _PyInterpreterFrame *current_frame(PyThreadState *state);
bool keeps_its_own_locals(PyFrameObject *frame);
void add_cells_of_running_frame(PyFrameObject *frame, void (*take)(PyObject *));

/* -- walk.c -- */
struct request {
    const char *path, *header;
    int write_end, deadline_s;
    pid_t worker;
    PyObject *modules, *stacks, *definitions, *spaces, *parts, *arguments;
    PyInterpreterState *interpreter;
    PyThreadState *thread;
    Py_ssize_t frozen;
};
struct walk {
    struct column address, type, size, refcount, name, site, edge_start, target, kind, label, root_node, root_kind,
        root_label, copy_node, copy_of, holds, shared;
    struct map cell_names, recorded, mine;
    PyTypeObject *deque, *ordered;
    size_t inline_bytes, candidates;
    bool saw_class, sharing;
    PyTypeObject *cls_now;
};
extern struct request asked;
extern struct walk walk;
void walk_all(void);

/* -- texts.c -- */
void note_text(PyObject *thing, size_t row); /* an exact str or bytes, rows ascending */
void find_copies(void);

/* -- archive.c, child.c -- */
void write_archive(void);
void run_child(void) __attribute__((noreturn));
void die(const char *kind, const char *words) __attribute__((noreturn));
void die_of_error(int number) __attribute__((noreturn));
size_t ask_size(const struct plan *plan, PyObject *thing, bool *failed);
#endif

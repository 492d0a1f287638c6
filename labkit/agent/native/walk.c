/* The walk: seeds, closure, the agent's share, reference counts; the order is that of walk.py. */
#include "walker.h"
#include <string.h>

#define IMMORTAL (1L << 29)
struct request asked;
struct walk walk = {
    .address = {.width = 8}, .type = {.width = 4}, .size = {.width = 8}, .refcount = {.width = 8}, .name = {.width = 4},
    .site = {.width = 4}, .edge_start = {.width = 8}, .target = {.width = 4}, .kind = {.width = 1},
    .label = {.width = 4}, .root_node = {.width = 4}, .root_kind = {.width = 1}, .root_label = {.width = 4},
    .copy_node = {.width = 4}, .copy_of = {.width = 4}, .holds = {.width = 4}, .shared = {.width = 8},
};
static PyCFunction size_of_object;
#define EACH_LIST_ITEM(list, at) (Py_ssize_t at = 0; at < PyList_GET_SIZE(list); at++)

static uint32_t visit(PyObject *thing)
{
    uint32_t *slot = row_slot(thing);
    if (*slot == HIDDEN)
        return NOWHERE;
    if (!*slot) {
        COLUMN_ADD(walk.address, PyObject *, thing);
        *slot = (uint32_t)walk.address.count;
    }
    return *slot - 1;
}

/* The agent's own: what only it reaches is hidden, what it holds of the app's is counted. */
static void share(PyObject *thing)
{
    uint32_t *slot = row_slot(thing);
    if (*slot == HIDDEN)
        return;
    if (*slot) {
        COLUMN_AT(walk.holds, uint32_t)[*slot - 1]++;
    } else {
        *slot = HIDDEN;
        COLUMN_ADD(walk.shared, PyObject *, thing);
    }
}

void emit(PyObject *value, uint8_t kind, int32_t label)
{
    if (!value)
        return;
    walk.saw_class = walk.saw_class || value == (PyObject *)walk.cls_now;
    if (walk.sharing) {
        share(value);
        return;
    }
    uint32_t row = visit(value);
    if (row == NOWHERE)
        return;
    COLUMN_ADD(walk.target, uint32_t, row);
    COLUMN_ADD(walk.kind, uint8_t, kind);
    COLUMN_ADD(walk.label, int32_t, label);
}

static int32_t own_name(PyObject *thing, int kind)
{
    struct text text;
    text_begin(&text);
    if (kind == FUNCTION) {
        text_part(&text, ((PyFunctionObject *)thing)->func_module);
        text_part(&text, ((PyFunctionObject *)thing)->func_qualname);
    } else if (kind == TYPE) {
        type_text((PyTypeObject *)thing, &text);
    } else if (kind == CODE) {
        text_part(&text, ((PyCodeObject *)thing)->co_qualname);
    } else if (kind == FRAME) {
        return frame_name(thing);
    } else if (PyModule_CheckExact(thing)) {
        PyObject **place = dict_place(thing);
        text_part(&text, entry_of(place ? *place : NULL, "__name__"));
    } else {
        return -1;
    }
    return text_row(&text, true);
}

static uint64_t size_of(PyObject *thing, const struct plan *plan)
{
    PyTypeObject *cls = Py_TYPE(thing);
    bool failed = false;
    uint64_t size = 0;
    if (plan->kind == FRAME)
        return (uint64_t)cls->tp_basicsize + plan->extra_bytes;
    if (plan->size_function && plan->size_function != size_of_object) {
        size = ask_size(plan, thing, &failed);
        if (!failed)
            return size + plan->extra_bytes;
    }
    size = (uint64_t)cls->tp_basicsize;
    if (cls->tp_itemsize > 0)
        size += (uint64_t)(Py_SIZE(thing) < 0 ? -Py_SIZE(thing) : Py_SIZE(thing)) * (uint64_t)cls->tp_itemsize;
    return failed ? size : size + plan->extra_bytes;
}

static void close_over(void)
{
    for (size_t row = walk.type.count; row < walk.address.count; row++) {
        PyObject *thing = COLUMN_AT(walk.address, PyObject *)[row];
        struct plan *plan = plan_of(Py_TYPE(thing));
        if (plan->row == HIDDEN) {
            struct text text;
            type_text(plan->cls, &text);
            plan->row = (uint32_t)type_names.count;
            COLUMN_ADD(type_names, int32_t, text_row(&text, false));
        }
        int kind = plan->kind;
        COLUMN_ADD(walk.type, uint32_t, plan->row);
        COLUMN_ADD(walk.refcount, int64_t, Py_REFCNT(thing)); /* now that it is in the processor's cache */
        uint64_t size = size_of(thing, plan);
        emit_references(thing, plan);
        COLUMN_ADD(walk.size, uint64_t, size + walk.inline_bytes);
        bool may_have_name = kind != LEAF && kind != DICT && kind != SEQUENCE;
        COLUMN_ADD(walk.name, int32_t, may_have_name ? own_name(thing, kind) : -1);
        COLUMN_ADD(walk.edge_start, uint64_t, walk.target.count);
        if (PyUnicode_CheckExact(thing) || PyBytes_CheckExact(thing))
            note_text(thing, row);
        if (walk.candidates && PyUnicode_CheckExact(thing))
            confirm_candidate(thing);
    }
}

/* -- names of the program's text ----------------------------------------------------------------- */

static struct map seen_codes;

static void add_names(PyObject *names)
{
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(names); at++)
        add_program_name(PyTuple_GET_ITEM(names, at), false);
}

static void add_names_of(PyCodeObject *code)
{
    bool made;
    map_entry(&seen_codes, code, &made);
    if (!made)
        return;
    add_program_name(code->co_name, false);
    add_names(code->co_names);
    add_names(code->co_localsplusnames);
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(code->co_consts); at++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, at);
        if (PyUnicode_CheckExact(constant)) {
            add_program_name(constant, false);
        } else if (PyCode_Check(constant)) {
            add_names_of((PyCodeObject *)constant);
        } else if (PyTuple_CheckExact(constant)) {
            add_names(constant);
        } else if (PyFrozenSet_CheckExact(constant)) {
            PySetObject *set = (PySetObject *)constant;
            for (Py_ssize_t place = 0; place <= set->mask; place++)
                if (set->table[place].key)
                    add_program_name(set->table[place].key, false);
        }
    }
}

static void add_space(PyObject *space)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (!space || !PyDict_CheckExact(space) || map_find(&walk.mine, space))
        return;
    while (PyDict_Next(space, &position, &key, &value))
        if (PyUnicode_CheckExact(key))
            add_program_name(key, !PyUnicode_CHECK_INTERNED(key) && PyUnicode_GET_LENGTH(key) > 1);
}

static void for_tracked(void (*take)(PyObject *))
{
    struct _gc_runtime_state *gc = &asked.interpreter->gc;
    for (int at = 0; at <= NUM_GENERATIONS; at++) {
        PyGC_Head *head = at < NUM_GENERATIONS ? &gc->generations[at].head : &gc->permanent_generation.head;
        for (PyGC_Head *each = _PyGCHead_NEXT(head); each != head; each = _PyGCHead_NEXT(each))
            take((PyObject *)(each + 1));
    }
}

static void add_names_of_tracked(PyObject *thing)
{
    if (PyFunction_Check(thing) && Py_IS_TYPE(thing, &PyFunction_Type)) {
        PyFunctionObject *function = (PyFunctionObject *)thing;
        if (!map_find(&walk.mine, function->func_globals))
            add_names_of((PyCodeObject *)function->func_code);
    } else if (PyType_Check(thing)) {
        add_space(entry_of(namespace_of((PyTypeObject *)thing), "__annotations__"));
    }
}

static void collect_program_names(void)
{
    PyObject *name, *module;
    Py_ssize_t position = 0;
    for EACH_LIST_ITEM(asked.stacks, at) {
        PyObject *frames = PyTuple_GET_ITEM(PyList_GET_ITEM(asked.stacks, at), 1);
        for EACH_LIST_ITEM(frames, which) {
            PyObject *frame = PyTuple_GET_ITEM(PyList_GET_ITEM(frames, which), 0);
            add_names_of(code_of(((PyFrameObject *)frame)->f_frame));
        }
    }
    for_tracked(add_names_of_tracked);
    while (PyDict_Next(asked.modules, &position, &name, &module))
        if (derives_from(Py_TYPE(module), &PyModule_Type) && dict_place(module))
            add_space(*dict_place(module));
    row_of_ascii("__warningregistry__"); /* C_NAMES of labels.py */
}

/* -- seeds ----------------------------------------------------------------------------------------- */

static void root(PyObject *thing, uint8_t kind, int32_t label)
{
    uint32_t row = visit(thing);
    if (row == NOWHERE)
        return;
    COLUMN_ADD(walk.root_node, uint32_t, row);
    COLUMN_ADD(walk.root_kind, uint8_t, kind);
    COLUMN_ADD(walk.root_label, int32_t, label);
}

static void seed_static_types(void)
{
    static struct map seen;
    static struct column classes = {.width = sizeof(PyTypeObject *)};
    COLUMN_ADD(classes, PyTypeObject *, &PyBaseObject_Type);
    map_entry(&seen, &PyBaseObject_Type, NULL);
    for (size_t at = 0; at < classes.count; at++) {
        PyTypeObject *cls = COLUMN_AT(classes, PyTypeObject *)[at];
        PyObject *table = subclasses_of(cls), *key, *reference;
        Py_ssize_t position = 0;
        if (!(cls->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
            struct text text;
            type_text(cls, &text);
            root((PyObject *)cls, ROOT_BUILTIN_TYPE, text_row(&text, true));
        }
        if (!table || !PyDict_Check(table))
            continue;
        while (PyDict_Next(table, &position, &key, &reference)) {
            PyObject *derived = PyWeakref_Check(reference) ? ((PyWeakReference *)reference)->wr_object : Py_None;
            bool made = false;
            if (derived != Py_None && Py_REFCNT(derived) > 0)
                map_entry(&seen, derived, &made);
            if (made)
                COLUMN_ADD(classes, PyTypeObject *, (PyTypeObject *)derived);
        }
    }
}

static void take_seed(PyObject *value)
{
    visit(value);
}

static void seed_roots(void)
{
    PyObject *name, *module;
    Py_ssize_t position = 0;
    struct text text;
    while (PyDict_Next(asked.modules, &position, &name, &module)) {
        text_begin(&text);
        text_part(&text, name);
        if (*row_slot(module) != HIDDEN)
            root(module, ROOT_MODULE, text_row(&text, true));
    }
    for EACH_LIST_ITEM(asked.stacks, at) {
        PyObject *stack = PyList_GET_ITEM(asked.stacks, at);
        PyObject *frames = PyTuple_GET_ITEM(stack, 1), *objects = PyTuple_GET_ITEM(stack, 2);
        int32_t label = row_of_name(PyTuple_GET_ITEM(stack, 0));
        for EACH_LIST_ITEM(frames, which)
            root(PyTuple_GET_ITEM(PyList_GET_ITEM(frames, which), 0), ROOT_THREAD, label);
        for EACH_LIST_ITEM(objects, which)
            root(PyList_GET_ITEM(objects, which), ROOT_THREAD, label);
    }
    for EACH_LIST_ITEM(asked.stacks, at) {
        PyObject *frames = PyTuple_GET_ITEM(PyList_GET_ITEM(asked.stacks, at), 1);
        for EACH_LIST_ITEM(frames, which)
            add_cells_of_running_frame((PyFrameObject *)PyTuple_GET_ITEM(PyList_GET_ITEM(frames, which), 0), take_seed);
    }
    seed_static_types();
}

void add_cells_of_running_frame(PyFrameObject *frame, void (*take)(PyObject *))
{
    PyCodeObject *code = code_of(frame->f_frame);
    for (int at = 0; code && code->co_flags & CO_OPTIMIZED && at < code->co_nlocalsplus; at++)
        if (frame->f_frame->localsplus[at])
            take(frame->f_frame->localsplus[at]);
}

/* -- the agent's share ------------------------------------------------------------------------------- */

static bool is_mine(struct _PyInterpreterFrame *frame)
{
    return code_of(frame) && frame->f_globals && map_find(&walk.mine, frame->f_globals);
}

static void hide_own_things(void)
{
    for EACH_LIST_ITEM(asked.definitions, at)
        *row_slot(PyList_GET_ITEM(asked.definitions, at)) = HIDDEN;
    for (struct _PyInterpreterFrame *frame = current_frame(asked.thread); frame; frame = frame->previous)
        if (is_mine(frame) && frame->frame_obj)
            *row_slot(frame->frame_obj) = HIDDEN;
}

static void find_share(void)
{
    walk.sharing = true;
    column_grow(&walk.holds, walk.address.count + 1);
    for EACH_LIST_ITEM(asked.definitions, at)
        COLUMN_ADD(walk.shared, PyObject *, PyList_GET_ITEM(asked.definitions, at));
    for (struct _PyInterpreterFrame *frame = current_frame(asked.thread); frame; frame = frame->previous)
        if (is_mine(frame))
            for_frame_values(frame, share);
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(asked.arguments); at++)
        share(PyTuple_GET_ITEM(asked.arguments, at));
    share(asked.arguments);
    for (size_t at = 0; at < walk.shared.count; at++) {
        PyObject *thing = COLUMN_AT(walk.shared, PyObject *)[at];
        emit_references(thing, plan_of(Py_TYPE(thing)));
    }
    walk.sharing = false;
}

static void add_unreached(PyObject *thing)
{
    visit(thing);
}

static void find_special_types(void)
{
    PyObject *name, *module, *size = entry_of(namespace_of(&PyBaseObject_Type), "__sizeof__");
    Py_ssize_t position = 0;
    if (size && Py_IS_TYPE(size, &PyMethodDescr_Type))
        size_of_object = ((PyMethodDescrObject *)size)->d_method->ml_meth;
    while (PyDict_Next(asked.modules, &position, &name, &module))
        if (is_text(name, "_collections") && PyModule_CheckExact(module)) {
            walk.deque = (PyTypeObject *)entry_of(*dict_place(module), "deque");
            walk.ordered = (PyTypeObject *)entry_of(*dict_place(module), "OrderedDict");
        }
}

void walk_all(void)
{
    for EACH_LIST_ITEM(asked.spaces, at)
        map_entry(&walk.mine, PyList_GET_ITEM(asked.spaces, at), NULL);
    for EACH_LIST_ITEM(asked.stacks, at) {
        PyObject *frames = PyTuple_GET_ITEM(PyList_GET_ITEM(asked.stacks, at), 1);
        for EACH_LIST_ITEM(frames, which) {
            PyObject *pair = PyList_GET_ITEM(frames, which);
            *map_entry(&walk.recorded, PyTuple_GET_ITEM(pair, 0), NULL) =
                (int64_t)row_of_name(PyTuple_GET_ITEM(pair, 1)) + 1;
        }
    }
    hide_own_things();
    find_special_types();
    collect_program_names();
    COLUMN_ADD(walk.edge_start, uint64_t, 0);
    seed_roots();
    close_over();
    find_share();
    for_tracked(add_unreached);
    close_over();
    find_copies();
    int64_t *counts = COLUMN_AT(walk.refcount, int64_t);
    for (size_t row = 0; row < walk.address.count; row++) {
        uint32_t agents = row < walk.holds.room ? COLUMN_AT(walk.holds, uint32_t)[row] : 0;
        counts[row] = counts[row] >= IMMORTAL ? -1 : counts[row] > agents ? counts[row] - agents : 0;
    }
    column_grow(&walk.site, walk.address.count + 1);
    memset(walk.site.data, 0xFF, walk.address.count * walk.site.width); /* -1: no sites are recorded */
    walk.site.count = walk.address.count;
}

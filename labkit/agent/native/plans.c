/* How to read the objects of a type, decided once per type; the rules are those of plans.py. */
#include "walker.h"
#include <string.h>

struct column type_names = {.width = sizeof(int32_t)}, members = {.width = sizeof(struct member)};
static struct column plans = {.width = sizeof(struct plan)};
static struct map plan_rows;
static struct { PyTypeObject *cls; uint32_t row; } recent[4096];

#if PY_VERSION_HEX >= 0x030D0000
static managed_static_type_state *static_state(PyTypeObject *cls)
{
    size_t at = (size_t)cls->tp_subclasses - 1;
    struct types_state *types = &asked.interpreter->types;
    if (at < _Py_MAX_MANAGED_STATIC_BUILTIN_TYPES && types->builtins.initialized[at].type == cls)
        return &types->builtins.initialized[at];
    if (at < _Py_MAX_MANAGED_STATIC_EXT_TYPES && types->for_extensions.initialized[at].type == cls)
        return &types->for_extensions.initialized[at];
    return NULL;
}
#elif PY_VERSION_HEX >= 0x030C0000
static static_builtin_state *static_state(PyTypeObject *cls)
{
    size_t at = (size_t)cls->tp_subclasses - 1;
    static_builtin_state *states = asked.interpreter->types.builtins;
    return at < _Py_MAX_STATIC_BUILTIN_TYPES && states[at].type == cls ? &states[at] : NULL;
}
#endif

/* Since 3.12 the interpreter keeps these two apart from its own static types. */
PyObject *namespace_of(PyTypeObject *cls)
{
#if PY_VERSION_HEX >= 0x030C0000
    if (cls->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN)
        return static_state(cls) ? static_state(cls)->tp_dict : NULL;
#endif
    return cls->tp_dict;
}

PyObject *subclasses_of(PyTypeObject *cls)
{
#if PY_VERSION_HEX >= 0x030C0000
    if (cls->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN)
        return static_state(cls) ? static_state(cls)->tp_subclasses : NULL;
#endif
    return (PyObject *)cls->tp_subclasses;
}

bool derives_from(PyTypeObject *cls, PyTypeObject *base)
{
    if (!base || !cls->tp_mro)
        return cls == base;
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(cls->tp_mro); at++)
        if (PyTuple_GET_ITEM(cls->tp_mro, at) == (PyObject *)base)
            return true;
    return false;
}

static int kind_of(PyTypeObject *cls, const struct text *name)
{
    static PyTypeObject *const EXACT[] = {&PyDict_Type, &PyList_Type, &PyTuple_Type, &PySet_Type, &PyFrozenSet_Type,
        &PyCode_Type, &PyFunction_Type, &PyFrame_Type, &PyGen_Type, &PyCoro_Type, &PyAsyncGen_Type};
    static const uint8_t KINDS[] = {DICT, SEQUENCE, SEQUENCE, SET, SET,
        CODE, FUNCTION, FRAME, GENERATOR, GENERATOR, GENERATOR};
    for (size_t at = 0; at < sizeof KINDS; at++)
        if (cls == EXACT[at])
            return KINDS[at];
    if (cls->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS)
        return TYPE;
    if (!(cls->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        const char *dot = strrchr(cls->tp_name, '.');
        if (!strcmp(dot ? dot + 1 : cls->tp_name, "hamt_bitmap_node"))
            return HAMT;
    }
    if (text_is(name, "functools._lru_cache_wrapper"))
        return LRU_CACHE;
    return cls->tp_flags & Py_TPFLAGS_HAVE_GC ? OTHER : LEAF;
}

/* Dunder names are parts of the interpreter's, others are attributes. */
uint8_t edge_kind(PyObject *name)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    if (is_text(name, "cell_contents"))
        return CLOSURE;
    bool dunder = n >= 2 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_' &&
                  PyUnicode_READ_CHAR(name, n - 1) == '_' && PyUnicode_READ_CHAR(name, n - 2) == '_';
    return dunder ? INTERNAL : ATTRIBUTE;
}

static void add_member(PyObject *name, int32_t label, uint8_t source, Py_ssize_t offset, PyGetSetDef *by)
{
    struct member member = {label, edge_kind(name), source, offset, by ? by->get : NULL, by ? by->closure : NULL};
    COLUMN_ADD(members, struct member, member);
}

static PyTypeObject base_exception; /* stands in below: PyExc_BaseException is no constant */
struct known { PyTypeObject *base; const char *name; uint8_t source; Py_ssize_t offset; };
#define FUNCTION_PART(n, f) {&PyFunction_Type, n, AT_OFFSET_OR_NONE, offsetof(PyFunctionObject, f)}
#define ERROR_PART(n, f) {&base_exception, n, AT_OFFSET_OR_NONE, offsetof(PyBaseExceptionObject, f)}

/* C attributes that are computed, but only hand out what the object holds (plans.HARMLESS_GETTERS). */
static const struct known KNOWN[] = {
    FUNCTION_PART("__code__", func_code), FUNCTION_PART("__defaults__", func_defaults),
    FUNCTION_PART("__kwdefaults__", func_kwdefaults), FUNCTION_PART("__name__", func_name),
    FUNCTION_PART("__qualname__", func_qualname),
#if PY_VERSION_HEX >= 0x030C0000
    {&PyFunction_Type, "__type_params__", AT_OFFSET, offsetof(PyFunctionObject, func_typeparams)},
#endif
    {&PyCFunction_Type, "__self__", SELF_OF_BUILTIN, offsetof(PyCFunctionObject, m_self)},
    ERROR_PART("__traceback__", traceback), ERROR_PART("__context__", context), ERROR_PART("__cause__", cause),
    ERROR_PART("args", args),
    {&PyTraceBack_Type, "tb_next", AT_OFFSET_OR_NONE, offsetof(PyTracebackObject, tb_next)},
    {&PyCell_Type, "cell_contents", CELL_CONTENT, offsetof(PyCellObject, ob_ref)},
    {&PyGen_Type, "__name__", AT_OFFSET, offsetof(PyGenObject, gi_name)},
    {&PyGen_Type, "__qualname__", AT_OFFSET, offsetof(PyGenObject, gi_qualname)},
    {&PyCoro_Type, "__name__", AT_OFFSET, offsetof(PyCoroObject, cr_name)},
    {&PyCoro_Type, "__qualname__", AT_OFFSET, offsetof(PyCoroObject, cr_qualname)},
    {&PyAsyncGen_Type, "__name__", AT_OFFSET, offsetof(PyAsyncGenObject, ag_name)},
    {&PyAsyncGen_Type, "__qualname__", AT_OFFSET, offsetof(PyAsyncGenObject, ag_qualname)},
    {&PyGen_Type, "gi_code", BY_GETTER, 0}, {&PyGen_Type, "gi_yieldfrom", BY_GETTER, 0},
    {&PyCoro_Type, "cr_code", BY_GETTER, 0}, {&PyCoro_Type, "cr_await", BY_GETTER, 0},
    {&PyAsyncGen_Type, "ag_code", BY_GETTER, 0}, {&PyAsyncGen_Type, "ag_await", BY_GETTER, 0},
};
static const char *const FUTURE_GETTERS[] = {"_coro", "_loop", "_fut_waiter", "_result", "_exception",
                                            "_source_traceback", "_cancel_message"};

static void take_getter(struct plan *plan, PyTypeObject *base, PyObject *name, PyGetSetDescrObject *descriptor)
{
    if (is_text(name, "__dict__")) {
        plan->has_dict = plan->has_dict || plan->kind != TYPE;
        return;
    }
    for (size_t at = 0; at < sizeof KNOWN / sizeof *KNOWN; at++) {
        PyTypeObject *of = KNOWN[at].base;
        if (of == &base_exception)
            of = (PyTypeObject *)PyExc_BaseException;
        if (of == base && is_text(name, KNOWN[at].name)) {
            add_member(name, row_of_name(name), KNOWN[at].source, KNOWN[at].offset, descriptor->d_getset);
            return;
        }
    }
    for (size_t at = 0; at < sizeof FUTURE_GETTERS / sizeof *FUTURE_GETTERS; at++)
        if (is_text(name, FUTURE_GETTERS[at])) {
            struct text text;
            type_text(base, &text);
            if (text_is(&text, "_asyncio.Task") || text_is(&text, "_asyncio.Future"))
                add_member(name, row_of_name(name), BY_GETTER, 0, descriptor->d_getset);
        }
}

/* Only the interpreter's own functions are asked for a size; a foreign one could run anything. */
static bool is_trusted(PyTypeObject *cls)
{
    static const char *const LIBRARY[] = {"collections", "array", "mmap", "_io", "_struct", "_pickle", "_random",
        "decimal", "sqlite3", "zoneinfo", "_ctypes", "xml", "itertools", "functools", "numpy", "_elementtree"};
    struct text text;
    type_text(cls, &text);
    size_t first = 0;
    while (first < text.count && text.at[first] != '.')
        first++;
    if (first == text.count)
        return !(cls->tp_flags & Py_TPFLAGS_HEAPTYPE);
    text.count = first;
    for (size_t at = 0; at < sizeof LIBRARY / sizeof *LIBRARY; at++)
        if (text_is(&text, LIBRARY[at]))
            return true;
    return false;
}

static void take_entry(struct plan *plan, PyTypeObject *base, bool has_slots, PyObject *name, PyObject *entry)
{
    bool own = Py_IS_TYPE(entry, &PyMethodDescr_Type) || Py_IS_TYPE(entry, &PyMemberDescr_Type) ||
               Py_IS_TYPE(entry, &PyGetSetDescr_Type);
    if (!own || !derives_from(plan->cls, PyDescr_TYPE(entry)))
        return; /* a descriptor of another type would read foreign memory */
    if (Py_IS_TYPE(entry, &PyMethodDescr_Type)) {
        PyMethodDef *method = ((PyMethodDescrObject *)entry)->d_method;
        bool callable = method->ml_flags & METH_METHOD || (method->ml_flags & ~METH_COEXIST) == METH_NOARGS;
        if (!plan->size_function && callable && is_text(name, "__sizeof__") && is_trusted(PyDescr_TYPE(entry))) {
            plan->size_function = method->ml_meth;
            plan->size_class = method->ml_flags & METH_METHOD ? PyDescr_TYPE(entry) : NULL;
        }
        return;
    }
    if (plan->kind == LEAF || plan->kind == DICT || plan->kind == SEQUENCE || plan->kind == SET || plan->kind == CODE)
        return;
    if (Py_IS_TYPE(entry, &PyGetSetDescr_Type)) {
        take_getter(plan, base, name, (PyGetSetDescrObject *)entry);
        return;
    }
    PyMemberDef *member = ((PyMemberDescrObject *)entry)->d_member;
    int32_t label = has_slots ? label_of_key(name) : row_of_name(name);
    if (member->type == T_OBJECT || member->type == T_OBJECT_EX)
        add_member(name, label, member->type == T_OBJECT ? AT_OFFSET_OR_NONE : AT_OFFSET, member->offset, NULL);
}

static PyObject *orders_of(const struct text *name)
{
    PyObject *key, *orders;
    Py_ssize_t position = 0;
    while (PyDict_Next(asked.parts, &position, &key, &orders))
        if (text_is(name, PyUnicode_DATA(key)))
            return orders;
    return NULL;
}

/* C attributes that hold an object the collector is not told of (plans.UNTOLD). */
static void take_untold(struct plan *plan, PyTypeObject *base)
{
    static const char *const NAMES[] = {"base", "dtype"};
    struct text text;
    type_text(base, &text);
    if (!text_is(&text, "numpy.ndarray") || base->tp_flags & Py_TPFLAGS_HEAPTYPE)
        return;
    for (size_t at = 0; at < sizeof NAMES / sizeof *NAMES; at++) {
        PyObject *entry = entry_of(namespace_of(base), NAMES[at]);
        if (entry && Py_IS_TYPE(entry, &PyGetSetDescr_Type)) {
            PyObject *name = PyDescr_NAME(entry);
            add_member(name, row_of_name(name), BY_GETTER, 0, ((PyGetSetDescrObject *)entry)->d_getset);
            plan->untold++;
        }
    }
}

static void take_names_of_bases(struct plan *plan)
{
    static const char *const CONTAINERS[] = {"functools._lru_cache_wrapper", "functools._lru_list_elem",
        "itertools.chain", "_queue.SimpleQueue", "Context", "_contextvars.Context", "hamt", "hamt_bitmap_node",
        "hamt_array_node", "hamt_collision_node", "set", "frozenset"};
    static const char *const INTERNALS[] = {"function", "_thread._local", "mappingproxy"};
    PyObject *mro = plan->cls->tp_mro;
    for (Py_ssize_t at = 0; mro && at < PyTuple_GET_SIZE(mro); at++) {
        struct text text;
        type_text((PyTypeObject *)PyTuple_GET_ITEM(mro, at), &text);
        if (!plan->parts)
            plan->parts = orders_of(&text);
        for (size_t which = 0; which < sizeof CONTAINERS / sizeof *CONTAINERS; which++)
            if (text_is(&text, CONTAINERS[which]))
                plan->unnamed = ELEMENT;
        for (size_t which = 0; which < sizeof INTERNALS / sizeof *INTERNALS; which++)
            if (plan->unnamed == UNKNOWN && text_is(&text, INTERNALS[which]))
                plan->unnamed = INTERNAL;
    }
}

static void make_plan(struct plan *plan, PyTypeObject *cls)
{
    struct text text;
    type_text(cls, &text);
    plan->cls = cls;
    plan->kind = (uint8_t)kind_of(cls, &text);
    plan->is_link = text_is(&text, "functools._lru_list_elem");
    plan->first_member = (uint32_t)members.count;
    PyObject *mro = cls->tp_mro;
    for (Py_ssize_t at = 0; mro && at < PyTuple_GET_SIZE(mro); at++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, at);
        PyObject *space = namespace_of(base), *name, *entry, *slots = entry_of(space, "__slots__");
        Py_ssize_t position = 0;
        if (space && PyDict_Check(space))
            while (PyDict_Next(space, &position, &name, &entry))
                if (PyUnicode_CheckExact(name))
                    take_entry(plan, base, slots && slots != Py_None, name, entry);
    }
    plan->members = (uint32_t)(members.count - plan->first_member);
    for (Py_ssize_t at = 0; mro && at < PyTuple_GET_SIZE(mro); at++)
        take_untold(plan, (PyTypeObject *)PyTuple_GET_ITEM(mro, at));
    if (plan->untold)
        plan->kind = OTHER;
    PyTypeObject *const ITEMS[] = {&PyDict_Type, &PyList_Type, &PyTuple_Type, walk.deque};
    for (size_t at = 0; plan->kind == OTHER && at < 4; at++)
        if (ITEMS[at] && derives_from(cls, ITEMS[at]))
            plan->items = ITEMS[at];
    for (Py_ssize_t at = 0; plan->items == &PyTuple_Type && !plan->fields && at < PyTuple_GET_SIZE(mro); at++) {
        PyObject *fields = entry_of(namespace_of((PyTypeObject *)PyTuple_GET_ITEM(mro, at)), "_fields");
        plan->fields = fields && PyTuple_CheckExact(fields) ? fields : NULL;
    }
    plan->keeps_key_twice = walk.ordered && derives_from(cls, walk.ordered);
    plan->managed = (cls->tp_flags & MANAGED_DICT) != 0;
    plan->has_dict = plan->has_dict || (plan->kind == OTHER && (plan->managed || cls->tp_dictoffset));
    plan->holds_class = (cls->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
    plan->extra_bytes = cls->tp_flags & Py_TPFLAGS_HAVE_GC ? GC_HEADER_BYTES : 0;
    plan->extra_bytes += cls->tp_flags & (MANAGED_DICT | MANAGED_WEAKREF) ? GC_HEADER_BYTES : 0;
    take_names_of_bases(plan);
}

struct plan *plan_of(PyTypeObject *cls)
{
    size_t near = (size_t)cls >> 4 & 4095;
    if (recent[near].cls != cls) {
        bool made;
        int64_t *row = map_entry(&plan_rows, cls, &made);
        if (made) {
            struct plan plan = {.row = HIDDEN};
            *row = (int64_t)plans.count;
            make_plan(&plan, cls);
            COLUMN_ADD(plans, struct plan, plan);
        }
        recent[near].cls = cls;
        recent[near].row = (uint32_t)*row;
    }
    return &COLUMN_AT(plans, struct plan)[recent[near].row];
}

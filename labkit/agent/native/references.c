/* The references of one object, each with its kind and label; the rules are those of references.py. */
#include "walker.h"

struct column held = {.width = sizeof(PyObject *)}, named = {.width = sizeof(struct named)};

static int keep(PyObject *value, void *unused)
{
    (void)unused;
    if (value)
        COLUMN_ADD(held, PyObject *, value);
    return 0;
}

/* What an object tells the collector. */
void collect(PyObject *thing, traverseproc traverse)
{
    held.count = 0;
    if (traverse && PyObject_IS_GC(thing))
        traverse(thing, keep, NULL);
}

void name_value(PyObject *value, uint8_t kind, int32_t label)
{
    struct named entry = {value, label, kind, 0};
    COLUMN_ADD(named, struct named, entry);
}

static PyObject *ask_getter(PyObject *thing, const struct member *member)
{
    PyObject *value = member->get(thing, member->closure);
    if (!value) {
        PyErr_Clear();
        return NULL;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (!_Py_IsImmortal(value))
#endif
        value->ob_refcnt--; /* its holder keeps it alive: the count is as it was */
    return value;
}

void name_members(PyObject *thing, const struct plan *plan)
{
    named.count = 0;
    for (uint32_t at = 0; at < plan->members; at++) {
        struct member member = COLUMN_AT(members, struct member)[plan->first_member + at];
        PyObject *value;
        if (member.source == BY_GETTER)
            value = ask_getter(thing, &member);
        else
            value = *(PyObject **)((char *)thing + member.offset);
        if (member.source == SELF_OF_BUILTIN && PyCFunction_GET_FLAGS(thing) & METH_STATIC)
            value = NULL; /* the class it came from; Python shows None */
        if (!value && (member.source == AT_OFFSET_OR_NONE || member.source == SELF_OF_BUILTIN))
            value = Py_None;
        if (member.source == CELL_CONTENT) {
            int64_t *found = map_find(&walk.cell_names, thing);
            member.label = found ? (int32_t)*found - 1 : -1;
        }
        if (value)
            name_value(value, member.edge_kind, member.label);
    }
}

static struct named *take_name(PyObject *value)
{
    for (size_t entry = 0; entry < named.count; entry++)
        if (NAMED[entry].value == value && !NAMED[entry].used) {
            NAMED[entry].used = 1;
            return &NAMED[entry];
        }
    return NULL;
}

static Py_ssize_t count_unnamed(PyObject *cls)
{
    Py_ssize_t count = 0;
    for (size_t at = 0; at < held.count; at++)
        count += !take_name(HELD[at]) && HELD[at] != cls;
    for (size_t entry = 0; entry < named.count; entry++)
        NAMED[entry].used = 0;
    return count;
}

/* The word for one of ``count`` unnamed parts, by the rule of parts.names_of; NULL where no order has so many. */
static PyObject *word_for(PyObject *orders, Py_ssize_t at, Py_ssize_t count)
{
    for (Py_ssize_t which = 0; which < PyTuple_GET_SIZE(orders); which++) {
        PyObject *order = PyTuple_GET_ITEM(orders, which);
        Py_ssize_t length = PyTuple_GET_SIZE(order), star = 0;
        while (star < length && !is_text(PyTuple_GET_ITEM(order, star), "*"))
            star++;
        if (star == length ? length != count : length - 1 > count)
            continue;
        Py_ssize_t elements = count - (length - 1); /* that the star stands for */
        return PyTuple_GET_ITEM(order, at < star ? at : at < star + elements ? star : at - elements + 1);
    }
    return NULL;
}

static void emit_part(PyObject *value, const struct plan *plan, PyObject *word)
{
    if (!word || is_text(word, "-"))
        emit(value, plan->unnamed, -1);
    else if (is_text(word, "*"))
        emit(value, ELEMENT, -1);
    else
        emit(value, plan->unnamed == INTERNAL ? INTERNAL : edge_kind(word), row_of_name(word));
}

void emit_matched(PyObject *thing, const struct plan *plan)
{
    PyObject *cls = (PyObject *)Py_TYPE(thing);
    Py_ssize_t count = plan->parts ? count_unnamed(cls) : 0, part = 0;
    for (size_t at = 0; at < held.count; at++) {
        PyObject *value = HELD[at];
        struct named *entry = take_name(value);
        if (entry)
            emit(value, entry->kind, entry->label);
        else if (value == cls)
            emit(value, CLASS, -1);
        else
            emit_part(value, plan, count ? word_for(plan->parts, part++, count) : NULL);
    }
}

/* What C attributes hold that the collector is not told of. */
void emit_untold(PyObject *thing, const struct plan *plan)
{
    for (uint32_t at = 0; at < plan->untold; at++) {
        struct member member = COLUMN_AT(members, struct member)[plan->first_member + plan->members + at];
        PyObject *value = ask_getter(thing, &member);
        if (value && value != Py_None)
            emit(value, member.edge_kind, member.label);
    }
}

static void emit_dict(PyObject *thing)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (!((PyDictObject *)thing)->ma_values)
        while (PyDict_Next(thing, &position, &key, &value))
            emit(key, KEY, -1);
    position = 0;
    while (PyDict_Next(thing, &position, &key, &value))
        emit(value, VALUE, label_of_key(key));
}

static void emit_sequence(PyObject *thing)
{
    PyObject **items = PyList_Check(thing) ? ((PyListObject *)thing)->ob_item : ((PyTupleObject *)thing)->ob_item;
    for (Py_ssize_t at = 0; at < Py_SIZE(thing); at++)
        if (items[at])
            emit(items[at], INDEX, (int32_t)at);
}

static void emit_set(PyObject *thing)
{
    PySetObject *set = (PySetObject *)thing;
    for (Py_ssize_t at = 0; at <= set->mask; at++)
        if (set->table[at].key && set->table[at].hash != -1) /* -1 marks what was taken out */
            emit(set->table[at].key, ELEMENT, -1);
}

static void emit_code(PyObject *thing)
{
    PyCodeObject *code = (PyCodeObject *)thing;
    emit(code->co_consts, INTERNAL, row_of_ascii("co_consts"));
    emit(code->co_names, INTERNAL, row_of_ascii("co_names"));
    emit(code->co_filename, INTERNAL, row_of_ascii("co_filename"));
    emit(code->co_name, INTERNAL, row_of_ascii("co_name"));
    emit(code->co_qualname, INTERNAL, row_of_ascii("co_qualname"));
    emit(code->co_linetable, INTERNAL, row_of_ascii("co_linetable"));
    emit(code->co_exceptiontable, INTERNAL, row_of_ascii("co_exceptiontable"));
}

/* What is NULL reads as None, and is not told of. */
static void forget_null_parts(void)
{
    const int32_t labels[] = {row_of_ascii("__closure__"), row_of_ascii("__defaults__"), row_of_ascii("__kwdefaults__")};
    size_t kept = 0;
    for (size_t at = 0; at < named.count; at++) {
        int32_t label = NAMED[at].label;
        bool may_be_null = label == labels[0] || label == labels[1] || label == labels[2];
        if (NAMED[at].value != Py_None || !may_be_null)
            NAMED[kept++] = NAMED[at];
    }
    named.count = kept;
}

static void emit_function(PyObject *thing, const struct plan *plan)
{
    name_cells(thing);
    collect(thing, Py_TYPE(thing)->tp_traverse);
    name_members(thing, plan);
    forget_null_parts();
    size_t dicts = 0;
    for (size_t at = 0; at < held.count; at++)
        dicts += PyDict_CheckExact(HELD[at]);
    PyObject *space = ((PyFunctionObject *)thing)->func_dict;
    if (dicts > 1 && space)
        name_value(space, INTERNAL, row_of_ascii("__dict__"));
    emit_matched(thing, plan);
}

static void emit_class(PyObject *thing, const struct plan *plan)
{
    PyTypeObject *cls = (PyTypeObject *)thing;
    PyObject *parts[] = {namespace_of(cls), cls->tp_bases, cls->tp_mro};
    const char *const names[] = {"__dict__", "__bases__", "__mro__"};
    bool heap = (cls->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
    named.count = 0;
    for (int at = 0; at < 3; at++) {
        PyObject *part = parts[at] ? parts[at] : at == 1 || !heap ? NULL : Py_None;
        if (part && heap)
            name_value(part, INTERNAL, row_of_ascii(names[at]));
        else if (part)
            emit(part, INTERNAL, row_of_ascii(names[at]));
    }
    PyObject *table = subclasses_of(cls);
    if (heap) {
        name_value(cls->tp_base ? (PyObject *)cls->tp_base : Py_None, INTERNAL, row_of_ascii("__base__"));
        collect(thing, Py_TYPE(thing)->tp_traverse);
        emit_matched(thing, plan);
    }
    if (table && PyDict_Check(table) && PyDict_GET_SIZE(table))
        emit(table, INTERNAL, row_of_ascii("__subclasses__"));
    if (heap) {
        emit(((PyHeapTypeObject *)cls)->ht_name, INTERNAL, row_of_ascii("__name__"));
        emit(((PyHeapTypeObject *)cls)->ht_qualname, INTERNAL, row_of_ascii("__qualname__"));
    }
}

/* A node of a contextvars.Context: variables with their values, told in reverse order. */
static void emit_context_node(PyObject *thing)
{
    collect(thing, Py_TYPE(thing)->tp_traverse);
    for (size_t at = 0; at < held.count; at++) {
        PyObject *variable = at + 1 < held.count ? HELD[at + 1] : NULL;
        if (variable && Py_IS_TYPE(variable, &PyContextVar_Type))
            emit(HELD[at], VALUE, label_of_key(((struct _pycontextvarobject *)variable)->var_name));
        else
            emit(HELD[at], ELEMENT, -1);
    }
}

void emit_references(PyObject *thing, const struct plan *plan)
{
    PyTypeObject *cls = Py_TYPE(thing);
    bool holds_class = plan->holds_class; /* the table of plans may move meanwhile */
    walk.inline_bytes = 0;
    walk.saw_class = false;
    walk.cls_now = cls;
    switch (plan->kind) {
    case LEAF: break;
    case DICT: emit_dict(thing); return;
    case SEQUENCE: emit_sequence(thing); return;
    case SET: emit_set(thing); break;
    case CODE: emit_code(thing); break;
    case FUNCTION: emit_function(thing, plan); break;
    case TYPE: emit_class(thing, plan); return;
    case FRAME: emit_frame(thing, plan); break;
    case GENERATOR: emit_generator(thing, plan); break;
    case HAMT: emit_context_node(thing); break;
    default: emit_instance(thing, plan);
    }
    if (holds_class && !walk.saw_class) /* C code that does not tell the collector */
        emit((PyObject *)cls, CLASS, -1);
}

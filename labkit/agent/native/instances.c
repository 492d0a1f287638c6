/* What instances and subclasses of builtin containers hold, where the collector is told of more or less. */
#include "walker.h"

/* Where an instance keeps the pointer to its dictionary; NULL when it has no such place. */
PyObject **dict_place(PyObject *thing)
{
    PyTypeObject *cls = Py_TYPE(thing);
    Py_ssize_t offset = cls->tp_dictoffset;
    if (cls->tp_flags & MANAGED_DICT)
        return NULL;
    if (offset < 0) {
        size_t items = (size_t)(Py_SIZE(thing) < 0 ? -Py_SIZE(thing) : Py_SIZE(thing));
        size_t size = (size_t)cls->tp_basicsize + items * (size_t)cls->tp_itemsize;
        offset += (Py_ssize_t)((size + 7) & ~(size_t)7);
    }
    return offset ? (PyObject **)((char *)thing + offset) : NULL;
}

static PyObject *managed_dict(PyObject *thing)
{
    uintptr_t word = ((uintptr_t *)thing)[-3];
    return word & 1 ? NULL : (PyObject *)word;
}

/* Attributes kept without a dictionary. Their names stand in the class's keys, their order beside the values. */
static Py_ssize_t name_inline_values(PyObject *thing)
{
    PyDictKeysObject *keys = ((PyHeapTypeObject *)Py_TYPE(thing))->ht_cached_keys;
#if PY_VERSION_HEX >= 0x030D0000
    if (!(Py_TYPE(thing)->tp_flags & Py_TPFLAGS_INLINE_VALUES) || !_PyObject_InlineValues(thing)->valid)
        return 0;
    PyDictValues *values = _PyObject_InlineValues(thing);
    size_t size = values->capacity;
#elif PY_VERSION_HEX >= 0x030C0000
    PyDictOrValues place = *_PyObject_DictOrValuesPointer(thing);
    PyDictValues *values = _PyDictOrValues_IsValues(place) ? _PyDictOrValues_GetValues(place) : NULL;
    size_t size = keys ? (size_t)keys->dk_nentries : 0;
#else
    PyDictValues *values = *_PyObject_ValuesPointer(thing);
    size_t size = keys ? (size_t)keys->dk_nentries : 0;
#endif
    if (!values || !keys || !DK_IS_UNICODE(keys))
        return 0;
    if (size > (size_t)keys->dk_nentries)
        size = (size_t)keys->dk_nentries;
    PyDictUnicodeEntry *entries = DK_UNICODE_ENTRIES(keys);
    Py_ssize_t count = 0;
    for (size_t at = 0; at < size; at++)
        if (values->values[at] && entries[at].me_key) {
            name_value(values->values[at], ATTRIBUTE, label_of_key(entries[at].me_key));
            count++;
        }
    return count;
}

/* From 3.13 on the collector is told of an instance's values instead of its dictionary. */
static void take_dict_instead_of_values(PyObject *space)
{
    bool told = false;
    for (size_t at = 0; at < held.count; at++)
        told = told || HELD[at] == space;
    if (told && held.count <= 2)
        return;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    bag_clear();
    while (PyDict_Next(space, &position, &key, &value))
        bag_add(value);
    size_t kept = 0;
    for (size_t at = 0; at < held.count; at++) {
        size_t entry = 0;
        while (entry < named.count && (NAMED[entry].value != HELD[at] || NAMED[entry].used))
            entry++;
        if (entry < named.count)
            NAMED[entry].used = 1;
        else if (bag_take(HELD[at]))
            continue;
        if (HELD[at] != space)
            HELD[kept++] = HELD[at];
    }
    held.count = kept;
    COLUMN_ADD(held, PyObject *, space);
    for (size_t entry = 0; entry < named.count; entry++)
        NAMED[entry].used = 0;
}

static size_t subtract_bag(bool really)
{
    size_t kept = 0, taken = 0;
    for (size_t at = 0; at < held.count; at++) {
        bool take = bag_take(HELD[at]);
        taken += take;
        if (!take || !really)
            HELD[kept++] = HELD[at];
    }
    held.count = kept;
    return taken;
}

static void add_keys_to_bag(PyObject *thing)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    bag_clear();
    while (PyDict_Next(thing, &position, &key, &value))
        bag_add(key);
}

/* The collector is told of a dictionary's keys only if some is no string. */
static void emit_dict_items(PyObject *thing, const struct plan *plan)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;
    bag_clear();
    while (PyDict_Next(thing, &position, &key, &value)) {
        emit(value, VALUE, label_of_key(key));
        bag_add(value);
    }
    position = 0;
    while (PyDict_Next(thing, &position, &key, &value))
        emit(key, KEY, -1);
    subtract_bag(true);
    add_keys_to_bag(thing);
    if (subtract_bag(false) == (size_t)PyDict_GET_SIZE(thing)) {
        add_keys_to_bag(thing);
        subtract_bag(true);
    }
    if (plan->keeps_key_twice) {
        add_keys_to_bag(thing);
        subtract_bag(true);
        position = 0;
        while (PyDict_Next(thing, &position, &key, &value))
            emit(key, INTERNAL, -1);
    }
}

static int emit_deque_item(PyObject *value, void *state)
{
    Py_ssize_t *left = state; /* the class is told before the items */
    Py_ssize_t position = left[0]++ - left[1];
    if (position >= 0) {
        emit(value, INDEX, (int32_t)position);
        bag_add(value);
    }
    return 0;
}

static int count_one(PyObject *value, void *state)
{
    (void)value;
    ++*(Py_ssize_t *)state;
    return 0;
}

static void emit_items(PyObject *thing, const struct plan *plan)
{
    bag_clear();
    if (plan->items == walk.deque) {
        Py_ssize_t told = 0;
        plan->items->tp_traverse(thing, count_one, &told);
        Py_ssize_t state[2] = {0, told - Py_SIZE(thing)};
        plan->items->tp_traverse(thing, emit_deque_item, state);
    } else {
        PyObject **items = plan->items == &PyList_Type ? ((PyListObject *)thing)->ob_item
                                                       : ((PyTupleObject *)thing)->ob_item;
        for (Py_ssize_t at = 0; at < Py_SIZE(thing); at++)
            if (items[at]) {
                bool named = plan->fields && at < PyTuple_GET_SIZE(plan->fields);
                int32_t label = named ? label_of_key(PyTuple_GET_ITEM(plan->fields, at)) : -1;
                emit(items[at], label >= 0 ? ATTRIBUTE : INDEX, label >= 0 ? label : (int32_t)at);
                bag_add(items[at]);
            }
    }
    subtract_bag(true);
}

/* A bounded lru_cache tells its links' content and class, but not the links. */
static void emit_links(void)
{
    PyObject *key, *value;
    for (size_t at = 0; at < held.count; at++) {
        PyObject *table = HELD[at];
        size_t links = 0;
        Py_ssize_t position = 0;
        if (!PyDict_CheckExact(table))
            continue;
        bag_clear();
        while (PyDict_Next(table, &position, &key, &value))
            if (plan_of(Py_TYPE(value))->is_link) {
                links++;
                bag_add(Py_TYPE(value));
                emit(value, ELEMENT, -1);
            }
        if (links) {
            subtract_bag(true);
            return;
        }
    }
}

void emit_instance(PyObject *thing, const struct plan *shared)
{
    struct plan plan = *shared; /* looking at other types may move the table of plans */
    collect(thing, Py_TYPE(thing)->tp_traverse);
    name_members(thing, &plan);
    if (!plan.managed) {
        PyObject **place = plan.has_dict ? dict_place(thing) : NULL;
        if (place && *place)
            name_value(*place, INTERNAL, row_of_ascii("__dict__"));
    } else if (plan.has_dict && managed_dict(thing)) {
        take_dict_instead_of_values(managed_dict(thing));
        name_value(managed_dict(thing), INTERNAL, row_of_ascii("__dict__"));
    } else if (plan.has_dict) {
        size_t count = (size_t)name_inline_values(thing);
        walk.inline_bytes = count ? 8 * count + 8 * ((count + 9) >> 3) : 0;
    }
    if (plan.kind == LRU_CACHE)
        emit_links();
    if (plan.items == &PyDict_Type)
        emit_dict_items(thing, &plan);
    else if (plan.items)
        emit_items(thing, &plan);
    emit_matched(thing, &plan);
    emit_untold(thing, &plan);
}

/* Locals of frames and generators, and the names of closure cells, read where the interpreter keeps them. */
#include "walker.h"

#ifndef CO_FAST_HIDDEN
#define CO_FAST_HIDDEN 0
#endif

PyCodeObject *code_of(struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *code = frame->f_executable;
#else
    PyObject *code = (PyObject *)frame->f_code;
#endif
    return code && PyCode_Check(code) ? (PyCodeObject *)code : NULL;
}

struct _PyInterpreterFrame *current_frame(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030D0000
    return state->current_frame;
#else
    return state->cframe->current_frame;
#endif
}

bool keeps_its_own_locals(PyFrameObject *frame)
{
    return (void *)frame->f_frame == (void *)frame->_f_frame_data;
}

static void name_cell(PyObject *cell, PyObject *name)
{
    bool made;
    int64_t *entry = map_entry(&walk.cell_names, cell, &made);
    if (made)
        *entry = (int64_t)row_of_name(name) + 1;
}

/* Remember what a function calls the cells of its closure. */
void name_cells(PyObject *function)
{
    PyFunctionObject *f = (PyFunctionObject *)function;
    PyCodeObject *code = (PyCodeObject *)f->func_code;
    if (!f->func_closure || !code || !PyCode_Check(code))
        return;
    Py_ssize_t cells = PyTuple_GET_SIZE(f->func_closure);
    Py_ssize_t first = code->co_nlocalsplus - code->co_nfreevars;
    for (Py_ssize_t at = 0; at < cells && at < code->co_nfreevars; at++)
        name_cell(PyTuple_GET_ITEM(f->func_closure, at), PyTuple_GET_ITEM(code->co_localsplusnames, first + at));
}

typedef void (*local_taker)(PyObject *value, uint8_t kind, int32_t label);

static void for_locals(struct _PyInterpreterFrame *frame, local_taker take)
{
    PyCodeObject *code = code_of(frame);
    if (!code || !(code->co_flags & CO_OPTIMIZED))
        return; /* a module's or class's locals are a dictionary of its own */
    const char *kinds = PyBytes_AS_STRING(code->co_localspluskinds);
    for (int at = 0; at < code->co_nlocalsplus; at++) {
        PyObject *value = frame->localsplus[at], *name = PyTuple_GET_ITEM(code->co_localsplusnames, at);
        if (!value || kinds[at] & CO_FAST_HIDDEN)
            continue;
        if (kinds[at] & (CO_FAST_CELL | CO_FAST_FREE) && PyCell_Check(value)) {
            if (!((PyCellObject *)value)->ob_ref)
                continue;
            name_cell(value, name);
        }
        take(value, LOCAL, row_of_name(name));
    }
}

static PyObject *function_of(struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030C0000
    return frame->f_funcobj;
#else
    return (PyObject *)frame->f_func;
#endif
}

/* What a frame keeps besides locals, and no attribute of a generator shows. */
static void name_frame_parts(struct _PyInterpreterFrame *frame)
{
    PyObject *function = function_of(frame);
    if (function && PyFunction_Check(function) && ((PyFunctionObject *)function)->func_code == (PyObject *)code_of(frame))
        name_value(function, INTERNAL, row_of_ascii("f_func"));
}

/* Everything a running frame of the agent's keeps alive. */
void for_frame_values(struct _PyInterpreterFrame *frame, void (*take)(PyObject *))
{
    PyCodeObject *code = code_of(frame);
    if (!code)
        return;
    int end = frame->stacktop > code->co_nlocalsplus ? frame->stacktop : code->co_nlocalsplus;
    for (int at = 0; at < end; at++)
        if (frame->localsplus[at])
            take(frame->localsplus[at]);
    if (frame->f_locals)
        take(frame->f_locals);
    take((PyObject *)code);
    if (function_of(frame))
        take(function_of(frame));
}

int32_t frame_name(PyObject *thing)
{
    PyFrameObject *frame = (PyFrameObject *)thing;
    int64_t *recorded = map_find(&walk.recorded, thing);
    if (recorded)
        return (int32_t)*recorded - 1;
    struct text text;
    text_begin(&text);
    PyCodeObject *code = keeps_its_own_locals(frame) ? code_of(frame->f_frame) : NULL;
    if (code) {
        text_part(&text, entry_of(frame->f_frame->f_globals, "__name__"));
        text_part(&text, code->co_qualname);
    } else {
        text.proper = false;
    }
    return text_row(&text, true);
}

void emit_frame(PyObject *thing, const struct plan *plan)
{
    PyFrameObject *frame = (PyFrameObject *)thing;
    if (map_find(&walk.recorded, thing)) {
        emit((PyObject *)code_of(frame->f_frame), INTERNAL, row_of_ascii("f_code"));
        for_locals(frame->f_frame, emit);
        return;
    }
    if (!keeps_its_own_locals(frame))
        return; /* the data of a call that nobody wrote down */
    collect(thing, Py_TYPE(thing)->tp_traverse);
    named.count = 0;
    name_value((PyObject *)code_of(frame->f_frame), INTERNAL, row_of_ascii("f_code"));
    name_value(frame->f_frame->f_globals, INTERNAL, row_of_ascii("f_globals"));
    name_value(frame->f_frame->f_builtins, INTERNAL, row_of_ascii("f_builtins"));
    name_value(frame->f_back ? (PyObject *)frame->f_back : Py_None, INTERNAL, row_of_ascii("f_back"));
    name_frame_parts(frame->f_frame);
    if (frame->f_frame->f_locals)
        name_value(frame->f_frame->f_locals, INTERNAL, row_of_ascii("f_locals"));
    for_locals(frame->f_frame, name_value);
    emit_matched(thing, plan);
}

static const char *frame_word(PyObject *generator)
{
    return PyCoro_CheckExact(generator) ? "cr_frame" : PyAsyncGen_CheckExact(generator) ? "ag_frame" : "gi_frame";
}

void emit_generator(PyObject *thing, const struct plan *plan)
{
    PyGenObject *generator = (PyGenObject *)thing;
    struct _PyInterpreterFrame *frame = (struct _PyInterpreterFrame *)generator->gi_iframe;
    collect(thing, Py_TYPE(thing)->tp_traverse);
    name_members(thing, plan);
    if (generator->gi_frame_state <= FRAME_EXECUTING) {
        name_frame_parts(frame);
        name_value((PyObject *)code_of(frame), INTERNAL, row_of_ascii("f_code"));
        if (frame->frame_obj)
            name_value((PyObject *)frame->frame_obj, ATTRIBUTE, row_of_ascii(frame_word(thing)));
        if (generator->gi_frame_state < FRAME_EXECUTING || !map_find(&walk.recorded, frame->frame_obj)) {
            if (frame->f_locals)
                name_value(frame->f_locals, INTERNAL, row_of_ascii("f_locals"));
            for_locals(frame, name_value);
        }
    }
    emit_matched(thing, plan);
}

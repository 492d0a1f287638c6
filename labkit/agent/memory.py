"""The few words of the interpreter's memory that no Python call shows.

No position is taken on trust: each is found, or confirmed, on objects of known content when this module
is loaded. What cannot be confirmed in an interpreter is left alone there. Nothing is ever written.
"""

import _thread
import ctypes
import sys
import types
from _contextvars import Context
from gc import get_referents
from weakref import ReferenceType

WORD = ctypes.sizeof(ctypes.c_void_p)
STATE_WORDS = 44  # a thread state is longer than this in CPython 3.11, 3.12 and 3.13

_word = ctypes.c_size_t.from_address
_interpreter = ctypes.PyDLL(None)  # an own handle: what is declared on ctypes.pythonapi is seen by the app
for _name in (
    "PyInterpreterState_Main",
    "PyInterpreterState_ThreadHead",
    "PyThreadState_Next",
    "PyThreadState_Get",
    "PyThreadState_GetDict",
):
    _function = getattr(_interpreter, _name)
    _function.restype = ctypes.c_void_p
    _function.argtypes = [ctypes.c_void_p] if _name.endswith(("Head", "Next")) else []


_generic_dict = _interpreter.PyObject_GenericGetDict
_generic_dict.restype = ctypes.py_object
_generic_dict.argtypes = [ctypes.c_void_p, ctypes.c_void_p]


def dict_of(instance):
    """The dictionary of an instance of a C type that keeps one but has no ``__dict__`` to ask for; made if need be."""
    return _generic_dict(id(instance), None)  # by address: ctypes would ask the instance for _as_parameter_


def has_own_dict(instance):
    """Whether an instance of a class with managed dictionaries has one, or still keeps its values inline."""
    word = _word(id(instance) - 3 * WORD).value
    return bool(word) and not word & 1


def shares_its_keys(dictionary):
    """Whether an exact dict is split: its keys then belong to the class, and it holds the values only."""
    return bool(_word(id(dictionary) + 5 * WORD).value)


def keeps_its_own_locals(frame):
    """Whether a frame object has outlived its call; the data of others lie on a thread's stack or in a generator."""
    return _word(id(frame) + 3 * WORD).value - id(frame) == OWN_DATA_OFFSET


def objects_held_by_thread_states(own_ident):
    """``{thread ident: [object, ...]}`` of the other threads: context, thread-local storage, handled exception."""
    held = {}
    if STATE_OFFSETS is None:
        return held
    state = _interpreter.PyInterpreterState_ThreadHead(_interpreter.PyInterpreterState_Main())
    while state:
        words = _words(state)
        ident = words[STATE_OFFSETS[0]]
        if ident != own_ident:
            addresses = [words[offset] for offset in STATE_OFFSETS[1:] if words[offset]]
            held[ident] = [ctypes.cast(address, ctypes.py_object).value for address in addresses]
        state = _interpreter.PyThreadState_Next(state)
    return held


def _words(state):
    # no array type of ctypes: those stay for good, under the name of the module that asked for them
    return memoryview(ctypes.string_at(state, STATE_WORDS * WORD)).cast("N").tolist()


def _find_state_offsets():
    """Where a thread state keeps its ident and the objects it owns; found by what this thread is made to hold."""
    context = Context()
    local = _thread._local()
    local.used = True
    wanted = {id(context), _interpreter.PyThreadState_GetDict(), *_keys_of_local(local)}

    def read():
        try:
            int("")
        except ValueError as error:
            wanted.add(id(error))
            return _words(_interpreter.PyThreadState_Get())

    words = context.run(read)
    ident = _thread.get_ident()
    if ident not in words or id(context) not in words:
        return None
    return [words.index(ident), *(offset for offset, word in enumerate(words) if word in wanted)]


def _keys_of_local(local):
    """Addresses of the objects by whose life a ``threading.local`` knows its threads."""
    for part in get_referents(local):
        if type(part) in (dict, set):
            for key in part:
                target = key() if type(key) is ReferenceType else key
                if type(target).__module__ == "_thread":
                    yield id(target)


def _completed_frame():
    try:
        int("")
    except ValueError as error:
        return error.__traceback__.tb_frame


class _Probe:
    pass


def _confirm_dicts():
    inline, split = _Probe(), _Probe()
    inline.value = split.value = None
    space = split.__dict__
    return (
        not has_own_dict(inline)
        and has_own_dict(split)
        and shares_its_keys(space)
        and not shares_its_keys({"value": None})
    )


OWN_DATA_OFFSET = 0
_frame = _completed_frame()
OWN_DATA_OFFSET = _word(id(_frame) + 3 * WORD).value - id(_frame)
#: Whether the layout of dictionaries and frames is the one this module knows.
IS_KNOWN = (
    _confirm_dicts()
    and WORD == 8
    and 0 < OWN_DATA_OFFSET < types.FrameType.__basicsize__
    and not keeps_its_own_locals(sys._getframe())
)
STATE_OFFSETS = _find_state_offsets()
del _frame, _name, _function

"""Locals of frames and generators, and the names of closure cells."""

from types import AsyncGeneratorType, CellType, CoroutineType, FrameType, FunctionType, GeneratorType

from . import layout, memory
from .labels import dotted_name, entry_of
from .threads import LOCALS_ARE_A_COPY

_f_locals = FrameType.__dict__["f_locals"].__get__
_gi_frame = {
    id(GeneratorType): GeneratorType.__dict__["gi_frame"].__get__,
    id(CoroutineType): CoroutineType.__dict__["cr_frame"].__get__,
    id(AsyncGeneratorType): AsyncGeneratorType.__dict__["ag_frame"].__get__,
}
_frame_names = {id(GeneratorType): "gi_frame", id(CoroutineType): "cr_frame", id(AsyncGeneratorType): "ag_frame"}
#: Parts of a frame that has outlived its call.
FRAME_PARTS = tuple(
    (name, FrameType.__dict__[name].__get__) for name in ("f_code", "f_globals", "f_builtins", "f_back")
)


def frame_of_generator(generator):
    """The frame of a generator or coroutine; None when it is finished."""
    return _gi_frame[id(type(generator))](generator)


class Frames:
    """What was recorded of running frames before the fork, and how to read the others now."""

    def __init__(self, stacks, labels):
        self.labels = labels
        self.cell_names = {}
        self._names = {}
        self._recorded = {}
        self._cell_of = {}
        for stack in stacks:
            for frame, code, name, local_names, values in stack.frames:
                self._names[id(frame)] = name
                rows = [labels.row(local) for local in local_names]
                in_cells = {*code.co_cellvars, *code.co_freevars}
                inside = [local in in_cells for local in local_names]
                self._recorded[id(frame)] = (code, list(zip(rows, inside, map(id, values), strict=True)))

    def bulk(self):
        """What is large or holds objects of the app; none of it is needed once all is named."""
        return [self._recorded, self._cell_of, self._names, self.cell_names]

    def is_recorded(self, frame):
        """Whether the frame was running when the stacks were written down."""
        return id(frame) in self._recorded

    def name_of(self, frame):
        """``module.function`` of a frame; '?' when it cannot be known."""
        if id(frame) in self._names:
            return self._names[id(frame)]
        if not memory.keeps_its_own_locals(frame):
            return "?"
        return dotted_name(entry_of(frame.f_globals, "__name__"), frame.f_code.co_qualname)

    def learn_cells(self, tracked, objects_by_address):
        """Prepare to find the cell that holds a recorded value; ``objects_by_address(id)`` may return None."""
        cells = self._cell_of
        for thing in tracked:
            if type(thing) is CellType:
                try:
                    address = id(thing.cell_contents)
                except ValueError:
                    continue
                cells[address] = None if address in cells else thing  # two cells: it could be either
        self._object_at = objects_by_address

    def recorded_references(self, frame):
        """References of a running frame as they were before the fork, or None for another frame."""
        recorded = self._recorded.get(id(frame))
        if recorded is None:
            return None
        code, entries = recorded
        found = [(code, layout.INTERNAL, self.labels.row("f_code"))]
        for label, in_cell, address in entries:
            value = self._cell_of.get(address) if in_cell else self._object_at(address)
            if value is not None or (not in_cell and address == id(None)):
                if in_cell:
                    self.cell_names.setdefault(id(value), label)
                found.append((value, layout.LOCAL, label))
        return found

    def name_cells(self, names, cells):
        """Remember what a function calls the cells of its closure."""
        for name, cell in zip(names, cells, strict=True):
            self.cell_names.setdefault(id(cell), self.labels.row(name))

    def name_function(self, code, held, names):
        """Add the name of the function a frame runs; no attribute shows it."""
        for value in held:
            if type(value) is FunctionType and value.__code__ is code:
                names.setdefault(id(value), []).append((layout.INTERNAL, self.labels.row("f_func")))
                return

    def name_frame(self, generator, frame, held, names):
        """Add the names of what a generator's frame keeps besides locals; up to 3.11 it has the code, too."""
        self.name_function(frame.f_code, held, names)
        names.setdefault(id(frame.f_code), []).append((layout.INTERNAL, self.labels.row("f_code")))
        label = self.labels.row(_frame_names[id(type(generator))])
        names.setdefault(id(frame), []).append((layout.ATTRIBUTE, label))

    def name_locals(self, frame, held, names):
        """Add the names of a suspended frame's locals to ``names``; ``held`` is what it refers to."""
        space = _f_locals(frame)
        pairs = list(space.items())
        if LOCALS_ARE_A_COPY and not any(value is space for value in held):
            space.clear()  # it stays with the frame and would count as references to the values
        names.setdefault(id(space), []).append((layout.INTERNAL, self.labels.row("f_locals")))
        code = frame.f_code
        in_cells = {*code.co_cellvars, *code.co_freevars}
        cells = [value for value in held if type(value) is CellType]
        for name, value in pairs:
            label = self.labels.row(name)
            if name in in_cells:
                value = _take_cell(cells, value)
                if value is None:
                    continue
                self.cell_names.setdefault(id(value), label)
            names.setdefault(id(value), []).append((layout.LOCAL, label))


def _take_cell(cells, content):
    for position, cell in enumerate(cells):
        try:
            if cell.cell_contents is content:
                return cells.pop(position)
        except ValueError:
            continue
    return None

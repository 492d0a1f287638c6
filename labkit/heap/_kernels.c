/* The heavy loops over heap graphs: nearest paths, dominators, populations, incoming edges.
 *
 * Arrays come from NumPy through the buffer protocol, results go into arrays the caller has made; nothing is
 * kept. labkit/heap/plain.py does the same in Python: it is what these functions are tested against, and what
 * runs where no compiler was at hand.
 *
 * A graph is compressed sparse rows: the edges of node i are start[i] up to start[i + 1]; target holds nodes.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const int64_t *start;
    const uint32_t *target;
    int64_t nodes, edges;
} Graph;

/* Arrays in use by one call, given back together; after the first one that does not fit, no more are taken. */
typedef struct {
    Py_buffer views[9];
    int held, failed;
} Arrays;

enum { READ, FILL };
#define ANY_ROWS -1

static int wrong(const char *what)
{
    PyErr_Format(PyExc_ValueError, "%s does not fit the graph", what);
    return 0;
}

static int no_memory(void)
{
    PyErr_NoMemory();
    return 0;
}

/* An array of `rows` items of `size` bytes; NULL with an exception when it is none. */
static void *take(Arrays *arrays, PyObject *object, int64_t rows, int size, int use, const char *name)
{
    Py_buffer *view = arrays->views + arrays->held;
    if (arrays->failed)
        return NULL;
    arrays->failed = 1;
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | (use == FILL ? PyBUF_WRITABLE : 0)) < 0)
        return NULL;
    if (view->itemsize != size || (rows != ANY_ROWS && view->len != rows * size)) {
        PyBuffer_Release(view);
        wrong(name);
        return NULL;
    }
    arrays->failed = 0;
    arrays->held++;
    return view->buf;
}

/* Rows of the array taken last; 0 when it could not be. */
static int64_t rows_taken(const Arrays *arrays)
{
    const Py_buffer *last = arrays->views + arrays->held - 1;
    return arrays->failed ? 0 : last->len / last->itemsize;
}

static void give_back(Arrays *arrays)
{
    while (arrays->held > 0)
        PyBuffer_Release(arrays->views + --arrays->held);
}

/* Every index is checked once, so that no loop below needs to. */
static Graph take_graph(Arrays *arrays, PyObject *start, PyObject *target)
{
    Graph graph = {0};
    graph.start = take(arrays, start, ANY_ROWS, 8, READ, "start");
    graph.nodes = rows_taken(arrays) - 1;
    graph.target = take(arrays, target, ANY_ROWS, 4, READ, "target");
    graph.edges = rows_taken(arrays);
    if (arrays->failed)
        return graph;
    int fits = graph.nodes >= 0 && graph.nodes < INT32_MAX && graph.edges < INT32_MAX && graph.start[0] == 0 &&
               graph.start[graph.nodes] == graph.edges;
    for (int64_t node = 0; fits && node < graph.nodes; node++)
        fits = graph.start[node] <= graph.start[node + 1];
    for (int64_t edge = 0; fits && edge < graph.edges; edge++)
        fits = graph.target[edge] < graph.nodes;
    if (!fits)
        arrays->failed = !wrong("an edge column");
    return graph;
}

static int all_below(const int32_t *values, int64_t count, int64_t limit)
{
    for (int64_t row = 0; row < count; row++)
        if (values[row] < 0 || values[row] >= limit)
            return 0;
    return 1;
}

/* ---- nearest paths ---------------------------------------------------------------------------------------- */

typedef struct {
    const Graph *graph;
    int32_t *order, *parent, *parent_edge, *root_of;
    int64_t found, done;
} Search;

static void search_root(Search *search, int32_t node, int32_t row)
{
    if (search->root_of[node] < 0) {
        search->root_of[node] = row;
        search->order[search->found++] = node;
    }
}

static void search_run(Search *search)
{
    const int64_t *start = search->graph->start;
    const uint32_t *target = search->graph->target;
    while (search->done < search->found) {
        int32_t node = search->order[search->done++];
        for (int64_t edge = start[node]; edge < start[node + 1]; edge++) {
            uint32_t child = target[edge];
            if (search->root_of[child] >= 0)
                continue;
            search->root_of[child] = search->root_of[node];
            search->parent[child] = node;
            search->parent_edge[child] = (int32_t)edge;
            search->order[search->found++] = (int32_t)child;
        }
    }
}

PyDoc_STRVAR(nearest_doc,
             "nearest(start, target, root_node, root_stage, has_gap, order, parent, parent_edge, root_of) -> int\n\n"
             "Staged breadth-first search. Roots of one stage are followed together to the end; then each node\n"
             "not reached becomes a root of its own, those with a gap first, the others after them; returns the\n"
             "number of the former. The last four arrays are filled; the caller has set them to -1.");

static PyObject *nearest(PyObject *module, PyObject *args)
{
    PyObject *start, *target, *given[7];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOOO", &start, &target, given, given + 1, given + 2, given + 3, given + 4,
                          given + 5, given + 6))
        return NULL;
    Arrays arrays = {0};
    Graph graph = take_graph(&arrays, start, target);
    const int32_t *root_node = take(&arrays, given[0], ANY_ROWS, 4, READ, "root_node");
    int64_t roots = rows_taken(&arrays), with_gap = 0;
    const int32_t *root_stage = take(&arrays, given[1], roots, 4, READ, "root_stage");
    const uint8_t *has_gap = take(&arrays, given[2], graph.nodes, 1, READ, "has_gap");
    Search search = {.graph = &graph};
    search.order = take(&arrays, given[3], graph.nodes, 4, FILL, "order");
    search.parent = take(&arrays, given[4], graph.nodes, 4, FILL, "parent");
    search.parent_edge = take(&arrays, given[5], graph.nodes, 4, FILL, "parent_edge");
    search.root_of = take(&arrays, given[6], graph.nodes, 4, FILL, "root_of");
    int good = !arrays.failed && (all_below(root_node, roots, graph.nodes) || wrong("root_node"));
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        for (int64_t row = 0; row < roots; row++) {
            search_root(&search, root_node[row], (int32_t)row);
            if (row + 1 == roots || root_stage[row + 1] != root_stage[row])
                search_run(&search);
        }
        int32_t next = (int32_t)roots;
        for (int wanted = 1; wanted >= 0; wanted--) {
            for (int64_t node = 0; node < graph.nodes; node++)
                if (search.root_of[node] < 0 && has_gap[node] == wanted) {
                    search_root(&search, (int32_t)node, next++);
                    search_run(&search);
                }
            if (wanted)
                with_gap = next - roots;
        }
        Py_END_ALLOW_THREADS
    }
    give_back(&arrays);
    return good ? PyLong_FromLongLong(with_gap) : NULL;
}

/* ---- dominators: Semi-NCA, L. Georgiadis, Princeton 2005, section 2.3 --------------------------------------- */

typedef struct {
    int32_t *order;    /* number -> node; number 0 is the virtual root */
    int32_t *number;   /* node -> number; 0: not reached. With the predecessors at hand it holds a path */
    int32_t *parent;   /* in the depth-first tree, by number */
    int32_t *ancestor; /* compressed parents */
    int32_t *semi, *label;
    int64_t *cursor;
    int32_t *pred_start, *pred;
    int64_t count;
} Flow;

#define DROP(place) (free(place), (place) = NULL)

/* All but the answer: order and parent. */
static void flow_drop_work(Flow *flow)
{
    DROP(flow->number);
    DROP(flow->ancestor);
    DROP(flow->semi);
    DROP(flow->label);
    DROP(flow->cursor);
    DROP(flow->pred_start);
    DROP(flow->pred);
}

static void flow_free(Flow *flow)
{
    flow_drop_work(flow);
    DROP(flow->order);
    DROP(flow->parent);
}

static int32_t *ints(int64_t count)
{
    return malloc((size_t)(count ? count : 1) * sizeof(int32_t));
}

static void flow_visit(Flow *flow, const Graph *graph, uint32_t node, int32_t origin)
{
    int32_t number = (int32_t)flow->count++;
    flow->number[node] = number;
    flow->order[number] = (int32_t)node;
    flow->parent[number] = origin;
    flow->cursor[number] = graph->start[node];
}

/* A depth-first numbering without recursion: the stack is the path of parents. */
static int flow_number(Flow *flow, const Graph *graph, const int32_t *roots, int64_t root_count)
{
    flow->order = ints(graph->nodes + 1);
    flow->number = calloc((size_t)graph->nodes + 1, sizeof(int32_t));
    flow->parent = ints(graph->nodes + 1);
    flow->cursor = malloc(((size_t)graph->nodes + 1) * sizeof(int64_t));
    if (!flow->order || !flow->number || !flow->parent || !flow->cursor)
        return 0;
    flow->order[0] = -1;
    flow->parent[0] = 0;
    flow->count = 1;
    for (int64_t row = 0; row < root_count; row++) {
        if (flow->number[roots[row]])
            continue;
        flow_visit(flow, graph, (uint32_t)roots[row], 0);
        int32_t here = (int32_t)flow->count - 1;
        while (here) {
            int64_t edge = flow->cursor[here], end = graph->start[flow->order[here] + 1];
            while (edge < end && flow->number[graph->target[edge]])
                edge++;
            if (edge < end) {
                flow->cursor[here] = edge + 1;
                flow_visit(flow, graph, graph->target[edge], here);
                here = (int32_t)flow->count - 1;
            } else {
                flow->cursor[here] = end;
                here = flow->parent[here];
            }
        }
    }
    DROP(flow->cursor);
    return 1;
}

/* Predecessors by number, of reached nodes only; the virtual root's edges are implied. */
static int flow_predecessors(Flow *flow, const Graph *graph, const int32_t *roots, int64_t root_count)
{
    int64_t entries = root_count;
    for (int64_t number = 1; number < flow->count; number++) {
        int32_t node = flow->order[number];
        entries += graph->start[node + 1] - graph->start[node];
    }
    if (entries >= INT32_MAX)
        return 0;
    flow->pred_start = calloc((size_t)flow->count + 2, sizeof(int32_t));
    flow->pred = ints(entries);
    if (!flow->pred_start || !flow->pred)
        return 0;
    int32_t *fill = flow->pred_start + 1; /* shifted by one, so that filling leaves the starts behind */
    for (int64_t row = 0; row < root_count; row++)
        fill[flow->number[roots[row]] + 1]++;
    for (int64_t number = 1; number < flow->count; number++) {
        int32_t node = flow->order[number];
        for (int64_t edge = graph->start[node]; edge < graph->start[node + 1]; edge++)
            fill[flow->number[graph->target[edge]] + 1]++;
    }
    for (int64_t number = 1; number <= flow->count; number++)
        fill[number] += fill[number - 1];
    for (int64_t row = 0; row < root_count; row++)
        flow->pred[fill[flow->number[roots[row]]]++] = 0;
    for (int64_t number = 1; number < flow->count; number++) {
        int32_t node = flow->order[number];
        for (int64_t edge = graph->start[node]; edge < graph->start[node + 1]; edge++)
            flow->pred[fill[flow->number[graph->target[edge]]]++] = (int32_t)number;
    }
    return 1;
}

/* Shorten the path above `node` to what lies above `last`, the part already linked. */
static void flow_compress(Flow *flow, int32_t node, int32_t last)
{
    int32_t *path = flow->number;
    int64_t depth = 0;
    while (flow->ancestor[node] > last) {
        path[depth++] = node;
        node = flow->ancestor[node];
    }
    while (depth > 0) {
        int32_t below = path[--depth];
        if (flow->semi[flow->label[node]] < flow->semi[flow->label[below]])
            flow->label[below] = flow->label[node];
        flow->ancestor[below] = flow->ancestor[node];
        node = below;
    }
}

static int flow_dominators(Flow *flow)
{
    flow->semi = ints(flow->count);
    flow->label = ints(flow->count);
    flow->ancestor = ints(flow->count);
    if (!flow->semi || !flow->label || !flow->ancestor)
        return 0;
    memcpy(flow->ancestor, flow->parent, (size_t)flow->count * sizeof(int32_t));
    for (int32_t number = 0; number < flow->count; number++)
        flow->semi[number] = flow->label[number] = number;
    for (int32_t number = (int32_t)flow->count - 1; number > 0; number--) {
        int32_t best = flow->semi[number];
        for (int32_t place = flow->pred_start[number]; place < flow->pred_start[number + 1]; place++) {
            int32_t origin = flow->pred[place];
            if (origin > number) {
                flow_compress(flow, origin, number);
                origin = flow->label[origin];
            }
            if (flow->semi[origin] < best)
                best = flow->semi[origin];
        }
        flow->semi[number] = best;
    }
    for (int32_t number = 1; number < flow->count; number++) { /* parents become immediate dominators */
        int32_t above = flow->parent[number];
        while (above > flow->semi[number])
            above = flow->parent[above];
        flow->parent[number] = above;
    }
    return 1;
}

PyDoc_STRVAR(dominators_doc,
             "dominators(start, target, roots, immediate, retained) -> None\n\n"
             "`retained` holds shallow sizes and receives retained sizes; `immediate` is filled with nodes, and\n"
             "with -1 for what only a virtual root above all `roots` dominates.");

static PyObject *dominators(PyObject *module, PyObject *args)
{
    PyObject *start, *target, *given[3];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOO", &start, &target, given, given + 1, given + 2))
        return NULL;
    Arrays arrays = {0};
    Graph graph = take_graph(&arrays, start, target);
    const int32_t *roots = take(&arrays, given[0], ANY_ROWS, 4, READ, "roots");
    int64_t root_count = rows_taken(&arrays);
    int32_t *immediate = take(&arrays, given[1], graph.nodes, 4, FILL, "immediate");
    int64_t *retained = take(&arrays, given[2], graph.nodes, 8, FILL, "retained");
    int good = !arrays.failed && (all_below(roots, root_count, graph.nodes) || wrong("roots"));
    if (good) {
        Flow flow = {0};
        Py_BEGIN_ALLOW_THREADS
        good = flow_number(&flow, &graph, roots, root_count) && flow_predecessors(&flow, &graph, roots, root_count) &&
               flow_dominators(&flow);
        flow_drop_work(&flow); /* before the pages of the answer are touched */
        if (good) {
            for (int64_t node = 0; node < graph.nodes; node++)
                immediate[node] = -1;
            for (int64_t number = flow.count - 1; number > 0; number--) {
                int32_t above = flow.parent[number], node = flow.order[number];
                if (above > 0) {
                    immediate[node] = flow.order[above];
                    retained[flow.order[above]] += retained[node];
                }
            }
        }
        flow_free(&flow);
        Py_END_ALLOW_THREADS
        if (!good)
            PyErr_NoMemory();
    }
    give_back(&arrays);
    if (!good)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- populations ------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t step, thing;
    int32_t above, number; /* number -1: a free place */
} Entry;

typedef struct {
    Entry *entries;
    uint64_t mask;
    int64_t used;
} Table;

static Entry *table_find(const Table *table, int32_t above, int64_t step, int64_t thing)
{
    uint64_t hash = ((uint64_t)step * 0x9E3779B97F4A7C15u) ^ ((uint64_t)thing * 0xC2B2AE3D27D4EB4Fu) ^
                    ((uint64_t)above * 0x165667B19E3779F9u);
    hash ^= hash >> 29;
    for (uint64_t place = hash & table->mask;; place = (place + 1) & table->mask) {
        Entry *entry = table->entries + place;
        if (entry->number < 0 || (entry->above == above && entry->step == step && entry->thing == thing))
            return entry;
    }
}

static int table_grow(Table *table)
{
    uint64_t places = table->entries ? 2 * (table->mask + 1) : 4096;
    Table larger = {malloc(places * sizeof(Entry)), places - 1, table->used};
    if (!larger.entries)
        return 0;
    for (uint64_t place = 0; place < places; place++)
        larger.entries[place].number = -1;
    for (uint64_t place = 0; table->entries && place <= table->mask; place++) {
        Entry *entry = table->entries + place;
        if (entry->number >= 0)
            *table_find(&larger, entry->above, entry->step, entry->thing) = *entry;
    }
    free(table->entries);
    *table = larger;
    return 1;
}

PyDoc_STRVAR(fold_doc,
             "fold(order, parent, step, thing, number, ask) -> None\n\n"
             "Give every node of `order` a number: that of its parent's number, its step and its thing together.\n"
             "ask(node, parent's number or -1) is called for each combination not seen before, and for each root.");

/* What ask() says of a node; -1 with an exception. */
static int32_t asked(PyObject *ask, int32_t node, int32_t above)
{
    PyObject *answer = PyObject_CallFunction(ask, "ii", node, above);
    long told = answer ? PyLong_AsLong(answer) : -1;
    Py_XDECREF(answer);
    if (told >= 0 && told <= INT32_MAX)
        return (int32_t)told;
    if (!PyErr_Occurred())
        wrong("an answer of ask()");
    return -1;
}

static PyObject *fold(PyObject *module, PyObject *args)
{
    PyObject *given[5], *ask;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOO", given, given + 1, given + 2, given + 3, given + 4, &ask))
        return NULL;
    Arrays arrays = {0};
    const int32_t *order = take(&arrays, given[0], ANY_ROWS, 4, READ, "order");
    int64_t nodes = rows_taken(&arrays);
    const int32_t *parent = take(&arrays, given[1], nodes, 4, READ, "parent");
    const int64_t *step = take(&arrays, given[2], nodes, 8, READ, "step");
    const int64_t *thing = take(&arrays, given[3], nodes, 8, READ, "thing");
    int32_t *number = take(&arrays, given[4], nodes, 4, FILL, "number");
    Table table = {0};
    int good = !arrays.failed && (all_below(order, nodes, nodes) || wrong("order")) &&
               (table_grow(&table) || no_memory());
    for (int64_t place = 0; good && place < nodes; place++) {
        int32_t node = order[place], holder = parent[node], above = -1;
        Entry *entry = NULL;
        if (holder >= nodes) {
            good = wrong("parent");
            break;
        }
        if (holder >= 0) {
            above = number[holder];
            entry = table_find(&table, above, step[node], thing[node]);
        }
        if (entry && entry->number >= 0) {
            number[node] = entry->number;
            continue;
        }
        number[node] = asked(ask, node, above);
        good = number[node] >= 0;
        if (!entry || !good)
            continue;
        *entry = (Entry){step[node], thing[node], above, number[node]};
        if (++table.used * 2 > (int64_t)table.mask && !table_grow(&table))
            good = no_memory();
    }
    free(table.entries);
    give_back(&arrays);
    if (!good)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- incoming edges ---------------------------------------------------------------------------------------- */

PyDoc_STRVAR(incoming_doc,
             "incoming(start, target, in_start, in_edge) -> None\n\n"
             "The edges into node i are in_edge[in_start[i]:in_start[i + 1]], in their order; in_start is zeroed.");

static PyObject *incoming(PyObject *module, PyObject *args)
{
    PyObject *start, *target, *given[2];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOO", &start, &target, given, given + 1))
        return NULL;
    Arrays arrays = {0};
    Graph graph = take_graph(&arrays, start, target);
    int64_t *in_start = take(&arrays, given[0], graph.nodes + 2, 8, FILL, "in_start");
    int32_t *in_edge = take(&arrays, given[1], graph.edges, 4, FILL, "in_edge");
    if (!arrays.failed) {
        Py_BEGIN_ALLOW_THREADS
        int64_t *fill = in_start + 1; /* shifted by one, so that filling leaves the starts behind */
        for (int64_t edge = 0; edge < graph.edges; edge++)
            fill[(int64_t)graph.target[edge] + 1]++;
        for (int64_t node = 1; node <= graph.nodes; node++)
            fill[node] += fill[node - 1];
        for (int64_t edge = 0; edge < graph.edges; edge++)
            in_edge[fill[graph.target[edge]]++] = (int32_t)edge;
        Py_END_ALLOW_THREADS
    }
    give_back(&arrays);
    if (arrays.failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"nearest", nearest, METH_VARARGS, nearest_doc},
                                {"dominators", dominators, METH_VARARGS, dominators_doc},
                                {"fold", fold, METH_VARARGS, fold_doc},
                                {"incoming", incoming, METH_VARARGS, incoming_doc},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_kernels", "Loops over heap graphs, in C.", -1, methods,
                                        NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModule_Create(&definition);
}

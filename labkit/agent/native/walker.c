/* The module _walker: one function, which makes the child by a raw clone and returns its pid.
 *
 * No fork handler runs, in the worker or in the child: the child only reads, maps pages of its own,
 * writes the file and leaves. It is the same thread of the same interpreter, holding the same lock.
 */
#define _GNU_SOURCE
#include "walker.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static PyObject *start(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct request request = {.arguments = arguments};
    if (!PyArg_ParseTuple(arguments, "yyiiO!O!O!O!O!:start", &request.path, &request.header, &request.write_end,
                          &request.deadline_s, &PyDict_Type, &request.modules, &PyList_Type, &request.stacks,
                          &PyList_Type, &request.definitions, &PyList_Type, &request.spaces, &PyDict_Type, &request.parts))
        return NULL;
    request.worker = getpid();
    request.interpreter = PyInterpreterState_Get();
    request.thread = PyThreadState_Get();
    if (request.interpreter->gc.collecting) {
        PyErr_SetString(PyExc_RuntimeError, "a collection is under way");
        return NULL;
    }
    for (PyGC_Head *head = &request.interpreter->gc.permanent_generation.head, *each = _PyGCHead_NEXT(head);
         each != head; each = _PyGCHead_NEXT(each))
        request.frozen++;
    asked = request;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of the app's may run in the child */
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        run_child();
    int refused = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        errno = refused;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(pid);
}

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, "Make the child that walks and writes; return its pid."},
    {NULL, NULL, 0, NULL},
};

/* What was compiled for one release reads another one's objects wrongly. */
static int check_release(PyObject *module)
{
    (void)module;
    if (Py_Version != PY_VERSION_HEX) {
        PyErr_SetString(PyExc_ImportError, "the walker was compiled for another release of CPython");
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, check_release}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_walker", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__walker(void)
{
    return PyModuleDef_Init(&definition);
}

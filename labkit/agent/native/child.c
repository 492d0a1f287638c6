/* What the child does besides walking: cut itself off from the worker, ask for sizes, say one line, leave. */
#define _GNU_SOURCE
#include "walker.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say_and_leave(const char *line, size_t length) __attribute__((noreturn));

static void say_and_leave(const char *line, size_t length)
{
    while (length) {
        ssize_t done = write(asked.write_end, line, length);
        if (done < 0 && errno != EINTR)
            break;
        if (done > 0) {
            line += done;
            length -= (size_t)done;
        }
    }
    _exit(0);
}

void die(const char *kind, const char *words)
{
    static char line[512];
    int length = snprintf(line, sizeof line, "{\"error\": \"%s: %s\"}\n", kind, words);
    say_and_leave(line, (size_t)length);
}

void die_of_error(int number)
{
    static char words[256];
    const char *said = strerrordesc_np(number); /* strerror translates, for which it takes locks */
    snprintf(words, sizeof words, "[Errno %d] %s", number, said ? said : "unknown");
    die(number == ENOENT ? "FileNotFoundError" : "OSError", words);
}

static size_t private_bytes(void)
{
    static char text[8192];
    size_t total = 0, length = 0;
    int stream = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    if (stream < 0)
        return 0;
    for (ssize_t got; length < sizeof text - 1 && (got = read(stream, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)got;
    close(stream);
    text[length] = 0;
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, "Private_", 8) && (line = strchr(line, ':'))) {
            size_t kilobytes = 0;
            for (line++; *line == ' '; line++)
                ;
            for (; *line >= '0' && *line <= '9'; line++)
                kilobytes = kilobytes * 10 + (size_t)(*line - '0');
            total += kilobytes * 1024;
        }
        if (!line)
            break;
    }
    return total;
}

static void close_range_of(unsigned first, unsigned last)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
#endif
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned each = first; each <= last && each < limit.rlim_cur && each < 1u << 20; each++)
        close((int)each);
}

static void cut_off(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a walk for a worker that is gone would leave its file behind */
    if (getppid() != asked.worker)
        _exit(0);
    static const int DEFAULTED[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGUSR1,
        SIGSEGV, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD, SIGVTALRM, SIGPROF};
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (size_t at = 0; at < sizeof DEFAULTED / sizeof *DEFAULTED; at++)
        sigaction(DEFAULTED[at], &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm((unsigned)asked.deadline_s + 1);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (asked.write_end > 0)
        close_range_of(0, (unsigned)asked.write_end - 1);
    close_range_of((unsigned)asked.write_end + 1, ~0U);
    if (nice(5) == -1) {
        /* it walks all the same */
    }
    int stream = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (stream >= 0) {
        if (write(stream, "1000", 4) < 0) {
            /* better this child than the worker, where the kernel lets us say so */
        }
        close(stream);
    }
}

/* -- sizes: C functions of the interpreter that return a number, made in a place of ours --------------- */

static char place[1 << 16] __attribute__((aligned(16)));
static size_t taken;

static void *place_malloc(void *unused, size_t bytes)
{
    (void)unused;
    size_t whole = (bytes + 31) & ~(size_t)15;
    if (taken + whole > sizeof place)
        return NULL;
    char *block = place + taken;
    *(size_t *)block = bytes;
    taken += whole;
    return block + 16;
}

static void *place_calloc(void *unused, size_t count, size_t bytes)
{
    void *block = place_malloc(unused, count * bytes);
    return block ? memset(block, 0, count * bytes) : NULL;
}

static void *place_realloc(void *unused, void *old, size_t bytes)
{
    if ((char *)old < place || (char *)old >= place + sizeof place)
        return old ? NULL : place_malloc(unused, bytes);
    void *block = place_malloc(unused, bytes);
    size_t before = ((size_t *)old)[-2];
    return block ? memcpy(block, old, before < bytes ? before : bytes) : NULL;
}

static void place_free(void *unused, void *block)
{
    (void)unused;
    (void)block;
}

static PyMemAllocatorEx workers_objects;

static void take_over_allocators(void)
{
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &workers_objects);
    PyMemAllocatorEx mine = {NULL, place_malloc, place_calloc, place_realloc, place_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &mine);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &mine);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &mine);
    asked.interpreter->gc.enabled = 0;
}

size_t ask_size(const struct plan *plan, PyObject *thing, bool *failed)
{
    taken = 0;
    PyObject *number = plan->size_class
                           ? ((PyCMethod)(void (*)(void))plan->size_function)(thing, plan->size_class, NULL, 0, NULL)
                           : plan->size_function(thing, NULL);
    if (!number || !PyLong_CheckExact(number)) {
        PyErr_Clear();
        *failed = true;
        return 0;
    }
    size_t size = PyLong_AsSize_t(number);
    if ((char *)number < place || (char *)number >= place + sizeof place) {
#if PY_VERSION_HEX >= 0x030C0000
        if (!_Py_IsImmortal(number))
#endif
            number->ob_refcnt--; /* one of the small numbers, counted as if it were kept */
    }
    return size;
}

void run_child(void)
{
    static char line[1024];
    cut_off();
    take_over_allocators();
    walk_all();
    write_archive();
    int length = snprintf(line, sizeof line, "{\"nodes\": %zu, \"edges\": %zu, \"child_peak_bytes\": %zu}\n",
                          walk.address.count, walk.target.count, private_bytes());
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &workers_objects); /* what is not in use says nothing of itself */
    tell_allocators(line, (size_t)length, sizeof line);
    say_and_leave(line, strlen(line));
}

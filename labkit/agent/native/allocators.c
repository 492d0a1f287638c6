/* What the allocators hold and have to spare, asked when the file is written: the child is then of no other use.
 *
 * The child was made while other threads were at work, so that a lock of malloc's may never be given back in it.
 * Whoever waits for one is interrupted, and leaves with the line that was true without these figures.
 */
#define _GNU_SOURCE
#include "walker.h"
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>


enum { PATIENCE_S = 2 };

static const char *line_without;
static size_t length_without;

static void leave_without(int number)
{
    (void)number;
    if (write(asked.write_end, line_without, length_without) < 0) {
        /* nobody listens any more */
    }
    _exit(0);
}

static char text[1 << 16];

/* The sum of what stands behind the equals signs of the lines with these words; false where no line has them. */
static bool sum_of(const char *words, size_t *sum)
{
    *sum = 0;
    const char *at = strstr(text, words);
    bool found = at;
    for (; at; at = strstr(at, words)) {
        size_t number = 0;
        for (at += strcspn(at, "=\n"); *at && *at != '\n'; at++)
            if (*at >= '0' && *at <= '9')
                number = number * 10 + (size_t)(*at - '0');
        *sum += number;
    }
    return found;
}

/* sys._debugmallocstats() prints what the interpreter's allocators say of themselves; here into ``text``. Its C function
 * is called as it is, unless the app put something else in its place. */
static void print_statistics(void)
{
    PyObject *named = PySys_GetObject("_debugmallocstats"); /* borrowed */
    if (!named || !PyCFunction_CheckExact(named) || PyCFunction_GET_FLAGS(named) != METH_NOARGS ||
        strcmp(((PyCFunctionObject *)named)->m_ml->ml_name, "_debugmallocstats"))
        return;
    FILE *out = fmemopen(text, sizeof text - 1, "w"), *before = stderr;
    if (!out)
        return;
    stderr = out;
    PyCFunction_GET_FUNCTION(named)(PyCFunction_GET_SELF(named), NULL);
    stderr = before;
    fclose(out);
}

/* The end of the line about this child: figures in bytes, each only where it could be asked for. */
void tell_allocators(char *line, size_t length, size_t room)
{
    line_without = line;
    length_without = length;
    signal(SIGALRM, leave_without);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = PATIENCE_S}}, NULL);
    static char more[512];
    size_t written = 0, arenas = 0, used = 0, kept = 0;
    print_statistics();
    if (sum_of(" bytes each", &kept))
        written += (size_t)snprintf(more, sizeof more, "\"free_list_bytes\": %zu, ", kept);
    if (sum_of(" bytes/arena", &arenas) && sum_of("# bytes in allocated blocks", &used))
        written += (size_t)snprintf(more + written, sizeof more - written,
                                    "\"arena_bytes\": %zu, \"block_bytes\": %zu, ", arenas, used);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 c = mallinfo2();
    if (c.arena) /* another allocator in malloc's place says nothing here */
        written += (size_t)snprintf(more + written, sizeof more - written,
                                    "\"malloc_used_bytes\": %zu, \"malloc_free_bytes\": %zu, ",
                                    (size_t)c.uordblks + (size_t)c.hblkhd, (size_t)c.fordblks);
#endif
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    more[written ? written - 2 : 0] = 0; /* the last comma */
    snprintf(line + length - 2, room - length + 2, ", \"memory\": {%s}}\n", more); /* in place of the brace */
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress. Threads add to an atomic counter; whoever finds that it is time to speak, and the line free, speaks. The
 * rate is the mean since the start, and the time to go is what is left at that rate: blocks of subjects cost about
 * the same, so nothing cleverer is wanted. */
#include "base/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

#define TERMINAL_PERIOD 0.2 /* [s] five updates a second */
#define PLAIN_PERIOD 10.0   /* [s] */

struct hl_progress {
    enum hl_progress_mode mode;
    bool terminal;
    char what[64];
    uint64_t total;
    atomic_uint_fast64_t done;
    double start, last; /* [s]; last is guarded by the line's lock */
    bool spoken;
    pthread_mutex_t line;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct hl_progress *hl_progress_create(enum hl_progress_mode mode, const char *what, uint64_t total)
{
    struct hl_progress *progress = hl_alloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    progress->mode = mode;
    progress->terminal = mode == HL_PROGRESS_AUTO && isatty(STDERR_FILENO);
    snprintf(progress->what, sizeof progress->what, "%s", what);
    progress->total = total;
    progress->start = progress->last = now();
    atomic_init(&progress->done, 0);
    pthread_mutex_init(&progress->line, NULL);
    return progress;
}

/* "47 s", "12 min 5 s", "3 h 20 min". */
static void write_duration(double seconds, char *buffer, size_t size)
{
    if (!(seconds < 1e7)) {
        snprintf(buffer, size, "long");
        return;
    }
    long s = (long)(seconds + 0.5);
    if (s < 60)
        snprintf(buffer, size, "%ld s", s);
    else if (s < 3600)
        snprintf(buffer, size, "%ld min %ld s", s / 60, s % 60);
    else
        snprintf(buffer, size, "%ld h %ld min", s / 3600, s % 3600 / 60);
}

static void write_state(const struct hl_progress *progress, double time, char *buffer, size_t size)
{
    char to_go[48];
    uint64_t done = atomic_load(&progress->done);
    double elapsed = time - progress->start;
    double rate = elapsed > 0.0 ? (double)done / elapsed : 0.0;
    double percent = progress->total ? 100.0 * (double)done / (double)progress->total : 100.0;
    uint64_t left = progress->total > done ? progress->total - done : 0;
    write_duration(rate > 0.0 ? (double)left / rate : 1e9, to_go, sizeof to_go);
    snprintf(buffer, size, "%3.0f %%  %llu of %llu %s  %.4g %s/s  %s to go", percent, (unsigned long long)done,
             (unsigned long long)progress->total, progress->what, rate, progress->what, to_go);
}

static void speak(struct hl_progress *progress, double time)
{
    char state[256];
    write_state(progress, time, state, sizeof state);
    if (progress->terminal)
        fprintf(stderr, "\r%s\033[K", state);
    else
        fprintf(stderr, "%s\n", state);
    fflush(stderr);
    progress->last = time;
    progress->spoken = true;
}

void hl_progress_add(struct hl_progress *progress, uint64_t done)
{
    if (!progress)
        return;
    atomic_fetch_add(&progress->done, done);
    if (progress->mode == HL_PROGRESS_NONE || pthread_mutex_trylock(&progress->line) != 0)
        return;
    double time = now();
    if (time - progress->last >= (progress->terminal ? TERMINAL_PERIOD : PLAIN_PERIOD))
        speak(progress, time);
    pthread_mutex_unlock(&progress->line);
}

/* The last word, said when anything was said before, or when plain lines were asked for by name. */
static void conclude(const struct hl_progress *progress, bool finished)
{
    char took[48];
    unsigned long long done = (unsigned long long)atomic_load(&progress->done);
    double elapsed = now() - progress->start;
    const char *start = progress->terminal ? "\r" : "", *end = progress->terminal ? "\033[K\n" : "\n";
    if (progress->mode == HL_PROGRESS_NONE || !(progress->spoken || progress->mode == HL_PROGRESS_PLAIN))
        return;
    write_duration(elapsed, took, sizeof took);
    if (finished)
        fprintf(stderr, "%s%llu %s in %s%s", start, done, progress->what, took, end);
    else
        fprintf(stderr, "%sstopped after %llu of %llu %s, %s%s", start, done, (unsigned long long)progress->total,
                progress->what, took, end);
    fflush(stderr);
}

void hl_progress_free(struct hl_progress *progress, bool finished)
{
    if (!progress)
        return;
    conclude(progress, finished);
    pthread_mutex_destroy(&progress->line);
    hl_free(progress);
}

/* An empty NO_COLOR doesn't count (no-color.org). */
bool hl_colour_allowed(int file_descriptor)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if ((refused && *refused) || (terminal && strcmp(terminal, "dumb") == 0))
        return false;
    return isatty(file_descriptor) == 1;
}

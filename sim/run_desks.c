/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A strip is a chunk of the file and should be filled by one thread, near which its values then lie. But a strip of
 * subjects who are hard to solve takes seconds, and a cohort of a hundred has two: with strips alone one of two threads
 * waited for a third of the time. So whole strips are dealt as long as there are some, then the blocks that are left
 * on others' desks.
 *
 * The last strips of a batch are finished (packed, mostly) when all are solved: what is done across the cohort next
 * needs their values, not their chunks, and one thread may pack while another goes on.
 *
 * What several threads solve of one strip is handed over in the order of its rows, as columns (run_columns.h) want it.
 * Blocks of a strip are dealt in that order too, so a thread waits for one that is at work already, never for one that
 * waits for it. */
#include "run_desks.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "run_columns.h"

struct desk {
    size_t place, n;            /* the strip and its rows */
    size_t dealt, handed_over;  /* rows */
    bool laid;                  /* there to be taken from by others */
    bool left;                  /* full and not finished */
};

struct hl_desks {
    pthread_mutex_t lock;       /* of all that follows */
    pthread_cond_t change;
    size_t block, n;
    size_t next, strips, subjects; /* strip to be begun, of how many; in the batch */
    bool given_up;
    struct desk *desk;
};

struct hl_desks *hl_desks_create(size_t threads, size_t block)
{
    struct hl_desks *d = hl_alloc(1, sizeof *d);
    struct desk *desk = hl_alloc(threads, sizeof *desk);
    if (!d || !desk) {
        hl_free(d);
        hl_free(desk);
        return NULL;
    }
    *d = (struct hl_desks){.block = block, .n = threads, .desk = desk};
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->change, NULL);
    return d;
}

void hl_desks_free(struct hl_desks *d)
{
    if (!d)
        return;
    pthread_cond_destroy(&d->change);
    pthread_mutex_destroy(&d->lock);
    hl_free(d->desk);
    hl_free(d);
}

void hl_desks_open(struct hl_desks *d, size_t strips, size_t subjects)
{
    d->next = 0;
    d->strips = strips;
    d->subjects = subjects;
    memset(d->desk, 0, d->n * sizeof *d->desk);
}

/* A new strip for an empty desk. */
static bool begin_strip(struct hl_desks *d, struct desk *own)
{
    if (d->next == d->strips)
        return false;
    size_t place = d->next++, left = d->subjects - place * HL_STRIP;
    *own = (struct desk){.place = place, .n = left < HL_STRIP ? left : HL_STRIP};
    return true;
}

static void deal(const struct hl_desks *d, struct desk *desk, struct hl_task *task)
{
    size_t left = desk->n - desk->dealt;
    *task = (struct hl_task){.desk = (size_t)(desk - d->desk), .place = desk->place, .row = desk->dealt,
                             .n = left < d->block ? left : d->block, .begins = desk->dealt == 0};
    desk->dealt += task->n;
}

/* The desk of another thread with the most rows before it, laid or not; NULL when there is none. */
static struct desk *busiest(const struct hl_desks *d)
{
    struct desk *most = NULL;
    for (struct desk *desk = d->desk; desk < d->desk + d->n; desk++)
        if (desk->n > desk->dealt && (!most || desk->n - desk->dealt > most->n - most->dealt))
            most = desk;
    return most;
}

bool hl_desks_take(struct hl_desks *d, size_t thread, struct hl_task *task)
{
    struct desk *own = &d->desk[thread], *from = NULL;
    pthread_mutex_lock(&d->lock);
    if (!d->given_up && (own->dealt < own->n || begin_strip(d, own)))
        from = own;
    while (!d->given_up && !from) {
        struct desk *other = busiest(d);
        if (!other)
            break;
        if (other->laid)
            from = other;
        else
            pthread_cond_wait(&d->change, &d->lock);
    }
    if (from)
        deal(d, from, task);
    pthread_mutex_unlock(&d->lock);
    return from != NULL;
}

void hl_desks_lay(struct hl_desks *d, const struct hl_task *task)
{
    pthread_mutex_lock(&d->lock);
    d->desk[task->desk].laid = true;
    pthread_cond_broadcast(&d->change);
    pthread_mutex_unlock(&d->lock);
}

bool hl_desks_wait(struct hl_desks *d, const struct hl_task *task)
{
    pthread_mutex_lock(&d->lock);
    while (!d->given_up && d->desk[task->desk].handed_over < task->row)
        pthread_cond_wait(&d->change, &d->lock);
    bool goes_on = !d->given_up;
    pthread_mutex_unlock(&d->lock);
    return goes_on;
}

bool hl_desks_hand_over(struct hl_desks *d, const struct hl_task *task)
{
    pthread_mutex_lock(&d->lock);
    struct desk *desk = &d->desk[task->desk];
    desk->handed_over += task->n;
    bool last = desk->handed_over == desk->n, wanted = d->next < d->strips;
    desk->left = last && !wanted;
    pthread_cond_broadcast(&d->change);
    pthread_mutex_unlock(&d->lock);
    return last && wanted;
}

bool hl_desks_left(struct hl_desks *d, size_t desk)
{
    pthread_mutex_lock(&d->lock);
    bool left = d->desk[desk].left;
    d->desk[desk].left = false;
    pthread_mutex_unlock(&d->lock);
    return left;
}

void hl_desks_give_up(struct hl_desks *d)
{
    pthread_mutex_lock(&d->lock);
    d->given_up = true;
    pthread_cond_broadcast(&d->change);
    pthread_mutex_unlock(&d->lock);
}

bool hl_desks_go_on(struct hl_desks *d)
{
    pthread_mutex_lock(&d->lock);
    bool goes_on = !d->given_up;
    pthread_mutex_unlock(&d->lock);
    return goes_on;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who solves what of a batch. Each thread has a desk, on which a strip of 64 subjects lies that it solves block by
 * block; when no strip is left that nobody has begun, it takes blocks from the desks of others, so that no thread waits
 * while another one has blocks before it. Used by run_arm.c; times and results don't depend on it. */
#ifndef HL_RUN_DESKS_H
#define HL_RUN_DESKS_H

#include <stdbool.h>
#include <stddef.h>

struct hl_desks;

/* A block: rows row .. row + n - 1 of the strip that lies on a desk and is number place of the batch. */
struct hl_task {
    size_t desk, place, row, n;
    bool begins; /* the strip must be begun, then hl_desks_lay */
};

/* Desks for so many threads, blocks of so many subjects (a multiple of 8, at most 64). NULL when there is no memory. */
struct hl_desks *hl_desks_create(size_t threads, size_t block);
void hl_desks_free(struct hl_desks *desks);

/* A batch of so many strips with so many subjects in all; no thread may be at work. */
void hl_desks_open(struct hl_desks *desks, size_t strips, size_t subjects);

/* The next block for a thread, which waits while another one is about to lay out a strip with blocks for both; false
 * when there is none left, or somebody gave up. */
bool hl_desks_take(struct hl_desks *desks, size_t thread, struct hl_task *task);

/* The strip that the task begins lies there: others may help. */
void hl_desks_lay(struct hl_desks *desks, const struct hl_task *task);

/* Waits until all rows before the task's have been handed over; false when somebody gave up. */
bool hl_desks_wait(struct hl_desks *desks, const struct hl_task *task);

/* The task's rows have been handed over. True when they were the last of the strip's and its desk is wanted for
 * another one: the caller then finishes the strip. Full strips that nobody is in need of finishing are left there. */
bool hl_desks_hand_over(struct hl_desks *desks, const struct hl_task *task);

/* Whether a desk was left with a full strip, which the caller then finishes; all tasks of the batch are done. */
bool hl_desks_left(struct hl_desks *desks, size_t desk);

/* Nothing more is to be done: whoever waits goes on, whoever asks gets nothing, in later batches too. */
void hl_desks_give_up(struct hl_desks *desks);

/* False when somebody gave up. */
bool hl_desks_go_on(struct hl_desks *desks);

#endif

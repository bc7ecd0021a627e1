/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finished chunks on their way to the disk: any thread puts them in, one at a time takes them out and writes. */
#ifndef HL_STORE_QUEUE_H
#define HL_STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/writer.h"

struct hl_queue;

/* One stored chunk: its final bytes and where it belongs. */
struct hl_parcel {
    struct hl_dataset *dataset;
    uint64_t offset[HL_MAX_RANK];
    void *bytes; /* from hl_queue_buffer */
    size_t n;
};

/* A queue of chunks of at most size bytes, of which about most may wait; NULL when there is no memory. */
struct hl_queue *hl_queue_create(struct hl_writer *writer, size_t size, size_t most);

/* Releases the queue and what waits in it; NULL is allowed. */
void hl_queue_free(struct hl_queue *queue);

/* Room for one chunk, its contents unset; NULL when there is no memory. Given back by hl_queue_put or
 * hl_queue_return. */
void *hl_queue_buffer(struct hl_queue *queue);
void hl_queue_return(struct hl_queue *queue, void *buffer);

/* Puts a chunk in. When nobody is writing, the caller writes what waits; when too much waits, it waits for its turn
 * and then writes. HL_ERR_MEMORY, the buffer returned, when the list can't grow; else what the writer says. */
enum hl_status hl_queue_put(struct hl_queue *queue, const struct hl_parcel *parcel);

/* Writes all that waits. */
enum hl_status hl_queue_drain(struct hl_queue *queue);

#endif

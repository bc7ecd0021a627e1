/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounded queue without a thread of its own. Two locks: one guards the list and is held for a few instructions, the
 * other is the door to HDF5. Who has put a chunk in tries the door; if it is open, he writes whatever waits, his own
 * and others', and goes back to computing; if it is shut, somebody is writing already and he goes back at once. Only
 * when the list is full does a thread wait at the door: the disk is then what bounds the run. So no thread waits for
 * the disk while there is room, and the disk has work as long as there is any. A chunk may stay behind when its owner
 * finds the door shut just before the writer leaves; the next one to come takes it along, and hl_queue_drain the
 * last.
 *
 * Buffers go round instead of being released: fresh memory costs the kernel more (clearing every page) than the
 * conversion that fills it. */
#include "store/queue.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"

struct hl_queue {
    struct hl_writer *writer;
    pthread_mutex_t list, door;
    size_t size, most;                                          /* bytes of a chunk; chunks that may wait */
    size_t n, capacity; struct hl_parcel *waiting;              /* in no order: every chunk knows its place */
    size_t n_free, free_capacity, n_buffers; void **free_buffer; /* n_buffers: free ones and those in use */
};

struct hl_queue *hl_queue_create(struct hl_writer *writer, size_t size, size_t most)
{
    struct hl_queue *q = hl_alloc(1, sizeof *q);
    if (!q)
        return NULL;
    *q = (struct hl_queue){.writer = writer, .size = size, .most = most, .capacity = 2 * most};
    q->waiting = hl_alloc(q->capacity, sizeof *q->waiting);
    pthread_mutex_init(&q->list, NULL);
    pthread_mutex_init(&q->door, NULL);
    if (q->waiting)
        return q;
    hl_queue_free(q);
    return NULL;
}

void hl_queue_free(struct hl_queue *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->n; i++)
        hl_free(q->waiting[i].bytes);
    for (size_t i = 0; i < q->n_free; i++)
        hl_free(q->free_buffer[i]);
    hl_free(q->free_buffer);
    hl_free(q->waiting);
    pthread_mutex_destroy(&q->door);
    pthread_mutex_destroy(&q->list);
    hl_free(q);
}

/* Room for every buffer there is, so that giving one back can't fail. */
static bool make_room(struct hl_queue *q)
{
    if (q->n_buffers < q->free_capacity)
        return true;
    void **grown = hl_grow(q->free_buffer, q->free_capacity, 2 * q->free_capacity + 8, sizeof *grown);
    if (!grown)
        return false;
    q->free_buffer = grown;
    q->free_capacity = 2 * q->free_capacity + 8;
    return true;
}

void *hl_queue_buffer(struct hl_queue *q)
{
    void *buffer = NULL;
    pthread_mutex_lock(&q->list);
    if (q->n_free > 0)
        buffer = q->free_buffer[--q->n_free];
    else if (make_room(q) && (buffer = hl_alloc_unset(q->size, 1)) != NULL)
        q->n_buffers++;
    pthread_mutex_unlock(&q->list);
    return buffer;
}

void hl_queue_return(struct hl_queue *q, void *buffer)
{
    pthread_mutex_lock(&q->list);
    q->free_buffer[q->n_free++] = buffer;
    pthread_mutex_unlock(&q->list);
}

static bool take(struct hl_queue *q, struct hl_parcel *parcel)
{
    pthread_mutex_lock(&q->list);
    bool some = q->n > 0;
    if (some) {
        *parcel = q->waiting[0]; /* the oldest: a file laid down in order is read quickly */
        memmove(q->waiting, q->waiting + 1, --q->n * sizeof *q->waiting);
    }
    pthread_mutex_unlock(&q->list);
    return some;
}

/* Inside the door. */
static enum hl_status write_all(struct hl_queue *q)
{
    struct hl_parcel parcel;
    hl_hdf_quiet();
    while (take(q, &parcel)) {
        hl_writer_chunk(q->writer, parcel.dataset, parcel.offset, parcel.bytes, parcel.n);
        hl_queue_return(q, parcel.bytes);
    }
    return q->writer->status;
}

enum hl_status hl_queue_drain(struct hl_queue *q)
{
    pthread_mutex_lock(&q->door);
    enum hl_status status = write_all(q);
    pthread_mutex_unlock(&q->door);
    return status;
}

/* The number that waits, this one included; 0 when there was no room for it. */
static size_t append(struct hl_queue *q, const struct hl_parcel *parcel)
{
    struct hl_parcel *grown = q->waiting;
    size_t waiting = 0;
    pthread_mutex_lock(&q->list);
    if (q->n == q->capacity && (grown = hl_grow(q->waiting, q->n, 2 * q->n + 8, sizeof *grown)) != NULL) {
        q->waiting = grown;
        q->capacity = 2 * q->n + 8;
    }
    if (grown) {
        q->waiting[q->n++] = *parcel;
        waiting = q->n;
    }
    pthread_mutex_unlock(&q->list);
    return waiting;
}

enum hl_status hl_queue_put(struct hl_queue *q, const struct hl_parcel *parcel)
{
    size_t waiting = append(q, parcel);
    if (waiting == 0) {
        hl_queue_return(q, parcel->bytes);
        return HL_ERR_MEMORY;
    }
    if (waiting > q->most)
        return hl_queue_drain(q);
    if (pthread_mutex_trylock(&q->door) != 0)
        return HL_OK; /* somebody is writing; a failure shows at the next chunk or at the end */
    enum hl_status status = write_all(q);
    pthread_mutex_unlock(&q->door);
    return status;
}

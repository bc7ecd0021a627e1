/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory from one door. hl_alloc rounds every request up to whole cache lines, so that an array of doubles can be
 * read in full vectors to its padded end. An arena is a chain of blocks that double in size up to 1 MiB; a piece
 * larger than what is left of the newest block opens a new one. Nothing in an arena is released before the whole. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define CACHE_LINE ((size_t)64)
#define PIECE_ALIGNMENT ((size_t)16)
#define FIRST_BLOCK ((size_t)8192)
#define LARGEST_BLOCK ((size_t)1 << 20)

/* 0: never fail; 1: fail from now on; n: the n-th allocation from now is the first to fail. */
static atomic_size_t fail_countdown;

void hl_memory_fail_after(size_t n)
{
    atomic_store(&fail_countdown, n);
}

static int must_fail(void)
{
    size_t n = atomic_load(&fail_countdown);
    while (n > 1)
        if (atomic_compare_exchange_weak(&fail_countdown, &n, n - 1))
            return 0;
    return n == 1;
}

static size_t padded(size_t bytes)
{
    return bytes ? (bytes / CACHE_LINE + (bytes % CACHE_LINE != 0)) * CACHE_LINE : CACHE_LINE;
}

/* Bytes not yet set, rounded up to whole lines. Huge pages are not asked for: for 645 MB on a virtual machine they
 * saved 157 000 page faults and still took 2.3 s more of the system's time, all of it clearing pages. */
static void *take(size_t bytes)
{
    return aligned_alloc(CACHE_LINE, padded(bytes));
}

void *hl_alloc_unset(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2 || must_fail())
        return NULL;
    return take(bytes);
}

void *hl_alloc(size_t count, size_t size)
{
    void *pointer = hl_alloc_unset(count, size);
    if (pointer) /* the padding too: it may be read in full vectors */
        memset(pointer, 0, padded(count * size));
    return pointer;
}

void *hl_grow(void *array, size_t old_count, size_t new_count, size_t size)
{
    char *grown = hl_alloc_unset(new_count, size);
    if (!grown)
        return NULL;
    size_t kept = !array ? 0 : old_count < new_count ? old_count : new_count;
    if (kept * size > 0)
        memcpy(grown, array, kept * size);
    memset(grown + kept * size, 0, padded(new_count * size) - kept * size);
    hl_free(array);
    return grown;
}

void hl_free(void *pointer)
{
    free(pointer);
}

/* Arrays of up to KEPT_ARRAY bytes come from the heaps, and a heap gives pages back to the system when it has KEPT_HEAP
 * bytes to spare at its end. The C library's own limits are some twenty times lower; what one arm of a study released
 * was then taken from the system page by page for the next one, half a microsecond each. */
#define KEPT_ARRAY (32 << 20)
#define KEPT_HEAP (64 << 20)

void hl_memory_keep_pages(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, KEPT_ARRAY);
    mallopt(M_TRIM_THRESHOLD, KEPT_HEAP);
#endif
}

struct block {
    struct block *older;
    size_t used, capacity; /* in bytes, counted from this struct's first byte */
};

struct hl_arena {
    struct block *newest;
    size_t next_capacity;
};

struct hl_arena *hl_arena_create(void)
{
    struct hl_arena *arena = hl_alloc(1, sizeof *arena);
    if (arena)
        arena->next_capacity = FIRST_BLOCK;
    return arena;
}

void hl_arena_free(struct hl_arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        hl_free(block);
    }
    hl_free(arena);
}

static void (*last_act)(void *context);
static void *last_context;

void hl_memory_before_end(void (*act)(void *context), void *context)
{
    last_act = act;
    last_context = context;
}

/* Half a parsed model is of no use to anybody, and checking every node would bury the parsers: say so and end. */
void hl_memory_end(size_t count, size_t size)
{
    fprintf(stderr, "halflife: error: not enough memory for %zu x %zu bytes of a model, study or data file\n", count,
            size);
    if (last_act)
        last_act(last_context);
    exit(1);
}

static size_t rounded_up(size_t n)
{
    return (n + PIECE_ALIGNMENT - 1) / PIECE_ALIGNMENT * PIECE_ALIGNMENT;
}

static struct block *add_block(struct hl_arena *arena, size_t at_least)
{
    size_t header = rounded_up(sizeof(struct block));
    size_t capacity = arena->next_capacity;
    if (capacity < header + at_least)
        capacity = header + at_least;
    struct block *block = hl_alloc(1, capacity);
    if (!block)
        return NULL;
    *block = (struct block){.older = arena->newest, .used = header, .capacity = capacity};
    arena->newest = block;
    if (arena->next_capacity < LARGEST_BLOCK)
        arena->next_capacity *= 2;
    return block;
}

void *hl_arena_alloc(struct hl_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 4)
        hl_memory_end(count, size);
    bytes = rounded_up(bytes ? bytes : 1);
    struct block *block = arena->newest;
    if (!block || block->capacity - block->used < bytes)
        block = add_block(arena, bytes);
    if (!block)
        hl_memory_end(count, size);
    void *piece = (char *)block + block->used;
    block->used += bytes;
    return piece;
}

char *hl_arena_strndup(struct hl_arena *arena, const char *text, size_t n)
{
    n = strnlen(text, n);
    char *copy = hl_arena_alloc(arena, n + 1, 1);
    memcpy(copy, text, n);
    return copy;
}

char *hl_arena_strdup(struct hl_arena *arena, const char *text)
{
    return hl_arena_strndup(arena, text, strlen(text));
}

char *hl_arena_printf(struct hl_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    char *text = hl_arena_alloc(arena, n < 0 ? 1 : (size_t)n + 1, 1);
    if (n >= 0)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

void *hl_arena_push(struct hl_arena *arena, void *list, size_t n, size_t *capacity, size_t size)
{
    if (list && n < *capacity)
        return list;
    size_t larger = n < 4 ? 8 : 2 * n;
    void *moved = hl_arena_alloc(arena, larger, size);
    if (list && n > 0)
        memcpy(moved, list, n * size);
    *capacity = larger;
    return moved;
}

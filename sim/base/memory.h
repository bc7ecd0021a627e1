/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory. All allocation of the engine passes through here, so that tests can
 * make it fail. Large arrays (cohorts, trajectories, file images) come from
 * hl_alloc and must be checked for NULL. The many small pieces of a parsed
 * model or study live in an arena and are released together; an arena that
 * runs out of memory cannot be recovered from and says so on stderr before it
 * ends the process with exit code 1. */
#ifndef HL_BASE_MEMORY_H
#define HL_BASE_MEMORY_H

#include <stddef.h>

/* count * size zeroed bytes aligned to 64 (a cache line, the widest vector); NULL when there is none
 * or the product overflows. count or size of 0 gives a valid pointer. */
void *hl_alloc(size_t count, size_t size);

/* The same without zeros, for large arrays that are written before they are read: whoever writes first takes the
 * pages, so threads can do it side by side. */
void *hl_alloc_unset(size_t count, size_t size);

/* Grows or shrinks *array (from hl_alloc, or NULL) from old_count to new_count elements, new ones zeroed;
 * returns the new pointer, or NULL with the old array untouched. */
void *hl_grow(void *array, size_t old_count, size_t new_count, size_t size);

/* Releases memory from hl_alloc, hl_alloc_unset or hl_grow; NULL is allowed. */
void hl_free(void *pointer);

/* From now on memory that has been released stays with the process, to a limit, for whoever asks next: pages that are
 * taken from the system again and again cost more than what is done in them. Called once, at the program's start. */
void hl_memory_keep_pages(void);

/* For tests: the n-th allocation from now (1 = the next) and all later ones fail; 0 switches that off. */
void hl_memory_fail_after(size_t n);

struct hl_arena;

/* A new empty arena; NULL when there is no memory. */
struct hl_arena *hl_arena_create(void);

/* Releases the arena and everything allocated from it; NULL is allowed. */
void hl_arena_free(struct hl_arena *arena);

/* What the process must still do when it ends for want of memory, such as removing a half-written file; NULL: nothing.
 * There is one such act at a time; the last one counts. */
void hl_memory_before_end(void (*act)(void *context), void *context);

/* Says on stderr that count * size bytes are lacking, does what hl_memory_before_end asked for, and ends the
 * process. */
_Noreturn void hl_memory_end(size_t count, size_t size);

/* count * size zeroed bytes that live as long as the arena. Never NULL. */
void *hl_arena_alloc(struct hl_arena *arena, size_t count, size_t size);

/* A copy of text (or of its first n characters) that lives as long as the arena. Never NULL. */
char *hl_arena_strdup(struct hl_arena *arena, const char *text);
char *hl_arena_strndup(struct hl_arena *arena, const char *text, size_t n);

/* printf into the arena. Never NULL. */
char *hl_arena_printf(struct hl_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For growing lists inside an arena: makes room for one more element when n == *capacity
 * (doubling; the old copy stays in the arena) and returns the list, moved or not. */
void *hl_arena_push(struct hl_arena *arena, void *list, size_t n, size_t *capacity, size_t size);

#endif

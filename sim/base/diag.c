/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages are kept in the order they came and found again through a small open-addressing table (so that a data set
 * with a hundred thousand faulty rows doesn't compare every message with every other). The rank of a file is the
 * number of files seen before it. A message for which there is no memory goes straight to standard error: it is
 * counted, and never lost. Adding is guarded, because subjects are worked on by many threads. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct message {
    enum hl_severity severity;
    size_t rank;  /* of the file, in order of appearance */
    size_t order; /* of the message, in order of appearance */
    const char *file; /* an entry of hl_diag.files, or NULL */
    int line, column;
    char *text;
    uint64_t hash;
    bool printed;
};

struct hl_diag {
    struct message *messages;
    size_t n, capacity;
    size_t *slots; /* index + 1 of a message, 0 when free; a power of two of them */
    size_t n_slots;
    char **files; /* NULL stands for "no place" */
    size_t n_files, files_capacity;
    size_t count[HL_ERROR + 1];
};

static const char *const severity_names[] = {[HL_NOTE] = "note", [HL_WARNING] = "warning", [HL_ERROR] = "error"};

struct hl_diag *hl_diag_create(void)
{
    return hl_alloc(1, sizeof(struct hl_diag));
}

void hl_diag_free(struct hl_diag *diag)
{
    if (!diag)
        return;
    for (size_t i = 0; i < diag->n; i++)
        hl_free(diag->messages[i].text);
    for (size_t i = 0; i < diag->n_files; i++)
        hl_free(diag->files[i]);
    hl_free(diag->files);
    hl_free(diag->slots);
    hl_free(diag->messages);
    hl_free(diag);
}

static void print_line(FILE *stream, enum hl_severity severity, const char *file, int line, int column,
                       const char *text)
{
    if (!file)
        fprintf(stream, "halflife: %s: %s\n", severity_names[severity], text);
    else if (line <= 0)
        fprintf(stream, "%s: %s: %s\n", file, severity_names[severity], text);
    else if (column <= 0)
        fprintf(stream, "%s:%d: %s: %s\n", file, line, severity_names[severity], text);
    else
        fprintf(stream, "%s:%d:%d: %s: %s\n", file, line, column, severity_names[severity], text);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Room for one more element of a list from hl_alloc; NULL when there is no memory (the list is then untouched). */
static void *make_room(void *list, size_t n, size_t *capacity, size_t size)
{
    if (list && n < *capacity)
        return list;
    size_t larger = n < 8 ? 16 : 2 * n;
    void *moved = hl_grow(list, n, larger, size);
    if (moved)
        *capacity = larger;
    return moved;
}

/* The rank of a file's name, which is remembered when new; false when there is no memory. */
static bool file_rank(struct hl_diag *diag, const char *file, size_t *rank)
{
    for (*rank = 0; *rank < diag->n_files; ++*rank)
        if (same_text(diag->files[*rank], file))
            return true;
    char **files = make_room(diag->files, diag->n_files, &diag->files_capacity, sizeof *files);
    if (!files)
        return false;
    diag->files = files;
    char *copy = NULL;
    if (file) {
        size_t bytes = strlen(file) + 1;
        copy = hl_alloc(bytes, 1);
        if (!copy)
            return false;
        memcpy(copy, file, bytes);
    }
    files[diag->n_files++] = copy;
    return true;
}

static uint64_t message_hash(const struct message *m)
{
    uint64_t place = m->rank * 0x9E3779B97F4A7C15u + (uint64_t)(unsigned)m->line * 0xC2B2AE3D27D4EB4Fu +
                     (uint64_t)(unsigned)m->column * 0x165667B19E3779F9u + (uint64_t)m->severity;
    return hl_text_hash(m->text) ^ place;
}

static bool same_message(const struct message *a, const struct message *b)
{
    return a->hash == b->hash && a->severity == b->severity && a->rank == b->rank && a->line == b->line &&
           a->column == b->column && strcmp(a->text, b->text) == 0;
}

/* The slot where this message is, or where it would go. */
static size_t find_slot(const struct hl_diag *diag, const struct message *m)
{
    size_t slot = (size_t)m->hash & (diag->n_slots - 1);
    while (diag->slots[slot] && !same_message(&diag->messages[diag->slots[slot] - 1], m))
        slot = (slot + 1) & (diag->n_slots - 1);
    return slot;
}

static bool enlarge_slots(struct hl_diag *diag)
{
    if (diag->slots && 2 * (diag->n + 1) <= diag->n_slots)
        return true;
    size_t larger = diag->n_slots ? 4 * diag->n_slots : 64;
    size_t *slots = hl_alloc(larger, sizeof *slots);
    if (!slots)
        return false;
    hl_free(diag->slots);
    diag->slots = slots;
    diag->n_slots = larger;
    for (size_t i = 0; i < diag->n; i++)
        slots[find_slot(diag, &diag->messages[i])] = i + 1;
    return true;
}

/* Takes over m->text when it returns true; false means there was no memory. */
static bool keep(struct hl_diag *diag, struct message m, const char *file)
{
    if (!file_rank(diag, file, &m.rank) || !enlarge_slots(diag))
        return false;
    m.file = diag->files[m.rank];
    m.hash = message_hash(&m);
    size_t slot = find_slot(diag, &m);
    if (diag->slots[slot]) {
        hl_free(m.text);
        return true;
    }
    struct message *messages = make_room(diag->messages, diag->n, &diag->capacity, sizeof *messages);
    if (!messages)
        return false;
    diag->messages = messages;
    m.order = diag->n;
    messages[diag->n++] = m;
    diag->slots[slot] = diag->n;
    return true;
}

static void add(struct hl_diag *diag, enum hl_severity severity, struct hl_pos pos, char *text)
{
    struct message m = {.severity = severity, .line = pos.line, .column = pos.column, .text = text};
#pragma omp critical(hl_diag_add)
    {
        diag->count[severity]++;
        if (!keep(diag, m, pos.file)) {
            print_line(stderr, severity, pos.file, pos.line, pos.column, text);
            hl_free(text);
        }
    }
}

void hl_diag_add(struct hl_diag *diag, enum hl_severity severity, struct hl_pos pos, const char *format, ...)
{
    if (!diag)
        return;
    char brief[512]; /* serves when there is no memory for the whole text */
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(brief, sizeof brief, format, arguments);
    char *text = hl_alloc(n < 0 ? 1 : (size_t)n + 1, 1);
    if (text && n > 0)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(arguments);
    if (text) {
        add(diag, severity, pos, text);
        return;
    }
#pragma omp critical(hl_diag_add)
    {
        print_line(stderr, severity, pos.file, pos.line, pos.column, n < 0 ? format : brief);
        diag->count[severity]++;
    }
}

size_t hl_diag_count(const struct hl_diag *diag, enum hl_severity at_least)
{
    size_t n = 0;
    if (diag)
        for (int severity = (int)at_least; severity <= HL_ERROR; severity++)
            n += diag->count[severity];
    return n;
}

static int by_place(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void hl_diag_print(struct hl_diag *diag, FILE *stream)
{
    if (!diag || diag->n == 0)
        return;
    qsort(diag->messages, diag->n, sizeof *diag->messages, by_place);
    for (size_t i = 0; i < diag->n; i++) {
        struct message *m = &diag->messages[i];
        if (!m->printed)
            print_line(stream, m->severity, m->file, m->line, m->column, m->text);
        m->printed = true;
    }
    /* The messages have moved: their slots must follow. */
    memset(diag->slots, 0, diag->n_slots * sizeof *diag->slots);
    for (size_t i = 0; i < diag->n; i++)
        diag->slots[find_slot(diag, &diag->messages[i])] = i + 1;
}

struct hl_pos hl_pos_none(void)
{
    return (struct hl_pos){NULL, 0, 0};
}

struct hl_pos hl_pos_shift(struct hl_pos pos, int n)
{
    if (pos.column > 0)
        pos.column += n;
    return pos;
}

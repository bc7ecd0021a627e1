/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML, strictly: libyaml's parser made into a tree in which every scalar is
 * text and every node knows its place. Anchors, aliases, tags, merge keys,
 * several documents and repeated keys are errors; so are keys that aren't
 * scalars. An empty plain value ("a:") is a scalar with empty text and
 * quoted == false. */
#ifndef HL_BASE_YAML_H
#define HL_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/memory.h"
#include "base/status.h"

enum hl_yaml_kind { HL_YAML_SCALAR, HL_YAML_SEQUENCE, HL_YAML_MAPPING };

struct hl_yaml {
    enum hl_yaml_kind kind;
    struct hl_pos pos;      /* of the first character (of the text itself, after an opening quote) */
    bool quoted;            /* scalar: it stood in quotes */
    const char *text;       /* scalar: its text; NULL otherwise */
    size_t n;               /* elements of a sequence, pairs of a mapping */
    struct hl_yaml **key;   /* mapping: n scalar nodes; NULL otherwise */
    struct hl_yaml **item;  /* n values or elements */
};

/* Reads a file. NULL when it can't be opened or isn't YAML at all; the reason is in diag. After a lesser fault (an
 * anchor, a tag, a repeated key, a torn expression) the error is in diag and the tree is handed out nevertheless, so
 * that the rest of the file's faults can be reported in the same pass: ask hl_diag_count before using it. */
struct hl_yaml *hl_yaml_load_file(struct hl_arena *arena, const char *path, struct hl_diag *diag);

/* The same from text; name stands in messages where a file name would. */
struct hl_yaml *hl_yaml_load_text(struct hl_arena *arena, const char *name, const char *text, struct hl_diag *diag);

/* The value of a key in a mapping; NULL when node is NULL, no mapping, or has no such key. */
struct hl_yaml *hl_yaml_get(const struct hl_yaml *node, const char *key);

/* The key node itself (for its position); NULL when absent. */
struct hl_yaml *hl_yaml_key(const struct hl_yaml *node, const char *key);

/* Reports every key of the mapping that isn't among the n known ones, with the nearest right one. what names the
 * mapping in the message ("a study", "arm 'eighths'"). Reports and returns false when node isn't a mapping. */
bool hl_yaml_check_keys(const struct hl_yaml *node, const char *what, const char *const *known, size_t n,
                        struct hl_diag *diag);

/* The text of a scalar; reports "expected ..." and returns NULL otherwise. */
const char *hl_yaml_text(const struct hl_yaml *node, const char *expected, struct hl_diag *diag);

/* A deep copy. */
struct hl_yaml *hl_yaml_clone(struct hl_arena *arena, const struct hl_yaml *node);

/* Sets the scalar or subtree at a dotted path to value (a node). A path element names a mapping's key, the 0-based
 * index of a sequence's element, the value of a sequence element's key "name" (arms.eighths), or is "*" for all. With
 * create, a missing last key of a mapping is added. Keys that themselves contain dots are matched greedily. Returns how
 * many places were set; 0 when the path leads nowhere (nothing is reported). */
size_t hl_yaml_set(struct hl_arena *arena, struct hl_yaml *root, const char *path, struct hl_yaml *value, bool create);

/* The node at such a path, or NULL (the first match of a "*"). */
struct hl_yaml *hl_yaml_at(const struct hl_yaml *root, const char *path);

/* base deep-merged with over: mappings key by key, sequences appended when their key is in append (n names), any other
 * value replaced. Neither input is changed. */
struct hl_yaml *hl_yaml_merge(struct hl_arena *arena, const struct hl_yaml *base, const struct hl_yaml *over,
                              const char *const *append, size_t n);

/* Writes the tree as YAML that hl_yaml_load_text reads back to an equal tree. */
enum hl_status hl_yaml_write(const struct hl_yaml *node, FILE *stream);

/* The same as text in the arena. */
char *hl_yaml_to_text(struct hl_arena *arena, const struct hl_yaml *node);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scalars at the door. Every value of a study is text, read here by the rule its place asks for, and refused with what
 * was found, what was expected and what to write instead. Also the few ways in which trees are built by the program. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "study/inside.h"

/* The text of a scalar that isn't empty, or NULL after a message. */
static const char *scalar_text(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what)
{
    if (!node)
        return NULL;
    if (node->kind != HL_YAML_SCALAR)
        hl_diag_error(reader->diag, node->pos, "%s: expected one value, found a %s", what,
                      node->kind == HL_YAML_MAPPING ? "mapping" : "list");
    else if (!*node->text)
        hl_diag_error(reader->diag, node->pos, "%s has no value; write one after the colon", what);
    else
        return node->text;
    return NULL;
}

static bool parse(struct hl_study_reader *reader, const struct hl_yaml *node, const char *text, double *value,
                  struct hl_unit *unit)
{
    char why[512];
    if (hl_quantity_parse(text, value, unit, why, sizeof why))
        return true;
    hl_diag_error(reader->diag, node->pos, "%s", why);
    return false;
}

bool hl_study_read_quantity(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                            struct hl_dim dim, const char *unit, double *value)
{
    const char *text = scalar_text(reader, node, what);
    double read;
    struct hl_unit found;
    char expected_name[64], found_name[64];
    if (!text || !parse(reader, node, text, &read, &found))
        return false;
    if (hl_dim_equal(found.dim, dim)) {
        *value = read;
        return true;
    }
    hl_dim_name(dim, expected_name, sizeof expected_name);
    hl_dim_name(found.dim, found_name, sizeof found_name);
    if (hl_dim_is_none(dim))
        hl_diag_error(reader->diag, node->pos, "%s: expected a plain number, found '%s' [%s]; write it without a unit",
                      what, text, found_name);
    else if (hl_dim_is_none(found.dim))
        hl_diag_error(reader->diag, node->pos, "%s needs a unit, found '%s'; write '%s %s'", what, text, text, unit);
    else if (hl_dim_equal(dim, hl_dim_of("h")))
        hl_diag_error(reader->diag, node->pos, "%s: expected a time such as '10 %s', found '%s' [%s]", what, unit, text,
                      found_name);
    else
        hl_diag_error(reader->diag, node->pos, "%s: expected a quantity in %s%s, found '%s' [%s]", what, unit,
                      strcmp(unit, expected_name) == 0 ? "" : hl_arena_printf(reader->arena, " [%s]", expected_name),
                      text, found_name);
    return false;
}

bool hl_study_read_share(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, double *value)
{
    const char *text = scalar_text(reader, node, what);
    double read;
    struct hl_unit found;
    if (!text || !parse(reader, node, text, &read, &found))
        return false;
    if (hl_dim_equal(found.dim, hl_dim_of("%")))
        *value = read / 100.0;
    else if (hl_dim_is_none(found.dim))
        *value = read;
    else {
        hl_diag_error(reader->diag, node->pos, "%s: expected a share such as \"20 %%\" or 0.2, found '%s'", what, text);
        return false;
    }
    return true;
}

bool hl_study_read_number(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, double *value)
{
    return hl_study_read_quantity(reader, node, what, hl_dim_none(), "1", value);
}

bool hl_study_read_whole(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, uint64_t *value)
{
    const char *text = scalar_text(reader, node, what);
    double number;
    if (!text)
        return false;
    if (hl_text_integer(text, value))
        return true;
    if (hl_text_number(text, &number) && number >= 0.0 && number <= 9007199254740992.0 && floor(number) == number) {
        *value = (uint64_t)number; /* "1e4": exact, as every whole double up to 2^53 is */
        return true;
    }
    hl_diag_error(reader->diag, node->pos, "%s: expected a whole number such as 1000%s, found '%s'", what,
                  text[strspn(text, "0123456789")] == '\0' ? " and below 2^63" : "", text);
    return false;
}

bool hl_study_read_choice(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                          const char *const *word, size_t n, size_t *index)
{
    const char *text = scalar_text(reader, node, what);
    char hint[128];
    if (!text)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(word[i], text) == 0) {
            *index = i;
            return true;
        }
    const char *list = n ? word[0] : "nothing";
    for (size_t i = 1; i < n; i++)
        list = hl_arena_printf(reader->arena, "%s, %s", list, word[i]);
    hl_diag_error(reader->diag, node->pos, "unknown %s '%s'%s (known: %s)", what, text,
                  hl_text_did_you_mean(text, word, n, hint, sizeof hint), list);
    return false;
}

bool hl_study_read_truth(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what, bool *value)
{
    static const char *const words[] = {"false", "true"};
    size_t index;
    if (!hl_study_read_choice(reader, node, what, words, 2, &index))
        return false;
    *value = index == 1;
    return true;
}

bool hl_study_read_interval(struct hl_study_reader *reader, const struct hl_yaml *node, const char *what,
                            struct hl_dim dim, const char *unit, double *low, double *high)
{
    if (node->kind != HL_YAML_SEQUENCE || node->n != 2) {
        hl_diag_error(reader->diag, node->pos, "%s: expected two values, [lower, upper]", what);
        return false;
    }
    double a, b;
    bool good = hl_study_read_quantity(reader, node->item[0], what, dim, unit, &a);
    good = hl_study_read_quantity(reader, node->item[1], what, dim, unit, &b) && good;
    if (!good)
        return false;
    if (!(a < b)) {
        hl_diag_error(reader->diag, node->pos, "%s is empty: '%s' is not below '%s'; write the lower end first", what,
                      node->item[0]->text, node->item[1]->text);
        return false;
    }
    *low = a;
    *high = b;
    return true;
}

struct hl_yaml **hl_study_items(struct hl_arena *arena, const struct hl_yaml *node, size_t *n)
{
    *n = 0;
    if (!node)
        return NULL;
    if (node->kind == HL_YAML_SEQUENCE) {
        *n = node->n;
        return node->item;
    }
    if (node->kind == HL_YAML_SCALAR && !*node->text && !node->quoted)
        return NULL;
    struct hl_yaml **one = hl_arena_alloc(arena, 1, sizeof *one);
    one[0] = hl_yaml_clone(arena, node);
    *n = 1;
    return one;
}

struct hl_yaml *hl_study_node(struct hl_arena *arena, struct hl_pos pos, enum hl_yaml_kind kind)
{
    struct hl_yaml *node = hl_arena_alloc(arena, 1, sizeof *node);
    node->kind = kind;
    node->pos = pos;
    return node;
}

struct hl_yaml *hl_study_scalar(struct hl_arena *arena, struct hl_pos pos, const char *text)
{
    struct hl_yaml *node = hl_study_node(arena, pos, HL_YAML_SCALAR);
    node->text = hl_arena_strdup(arena, text);
    return node;
}

static struct hl_yaml **with_one_more(struct hl_arena *arena, struct hl_yaml **old, size_t n, struct hl_yaml *last)
{
    struct hl_yaml **list = hl_arena_alloc(arena, n + 1, sizeof *list);
    if (n)
        memcpy(list, old, n * sizeof *list);
    list[n] = last;
    return list;
}

void hl_study_put(struct hl_arena *arena, struct hl_yaml *mapping, struct hl_pos key_pos, const char *key,
                  struct hl_yaml *value)
{
    for (size_t i = 0; i < mapping->n; i++)
        if (strcmp(mapping->key[i]->text, key) == 0) {
            mapping->item[i] = value;
            return;
        }
    mapping->key = with_one_more(arena, mapping->key, mapping->n, hl_study_scalar(arena, key_pos, key));
    mapping->item = with_one_more(arena, mapping->item, mapping->n, value);
    mapping->n++;
}

void hl_study_remove(struct hl_yaml *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->n; i++)
        if (strcmp(mapping->key[i]->text, key) == 0) {
            memmove(&mapping->key[i], &mapping->key[i + 1], (mapping->n - i - 1) * sizeof *mapping->key);
            memmove(&mapping->item[i], &mapping->item[i + 1], (mapping->n - i - 1) * sizeof *mapping->item);
            mapping->n--;
            return;
        }
}

void hl_study_append(struct hl_arena *arena, struct hl_yaml *sequence, struct hl_yaml *item)
{
    sequence->item = with_one_more(arena, sequence->item, sequence->n, item);
    sequence->n++;
}

char *hl_study_safe_name(struct hl_arena *arena, const char *text)
{
    char *name = hl_arena_strdup(arena, text);
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    return name;
}

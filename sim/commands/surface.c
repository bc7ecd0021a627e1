/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking up a model's typical values in a result. A figure must not bring pharmacology of its own: the isoboles it
 * draws are those of the surface that the study used, so the constants are read from the texts of models and study in
 * the file. */
#include "commands/surface.h"

#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "base/yaml.h"

static const char *const names[HL_SURFACE_CONSTANTS] = {
    "R",      "stim",   "n_sed",  "C50B_2",  "C50B_3",  "C50B_4",  "C50B_5",  "C50B_6",  "C50F_2",
    "C50F_3", "C50F_4", "C50F_5", "C50F_6",  "alpha_2", "alpha_3", "alpha_4", "alpha_5", "alpha_6",
};

static const struct hl_yaml *text_of(struct hl_arena *arena, const struct hl_result *result, const char *name)
{
    struct hl_diag *unheard = hl_diag_create(); /* these texts were read without a fault when the result was made */
    const char *object = hl_arena_printf(arena, "/provenance/%s", name);
    const char *text = hl_result_attribute(result, object, "text");
    const struct hl_yaml *root = unheard && text ? hl_yaml_load_text(arena, name, text, unheard) : NULL;
    hl_diag_free(unheard);
    return root;
}

/* A value as a plain number: concentrations in ng/mL, which is 1e-3 of the engine's mg/L. */
static const char *plain_number(struct hl_arena *arena, const struct hl_yaml *node)
{
    struct hl_unit unit;
    char why[200], number[40];
    double value;
    const struct hl_yaml *inner = hl_yaml_get(node, "value");
    const struct hl_yaml *scalar = inner ? inner : node;
    if (!scalar || scalar->kind != HL_YAML_SCALAR || !hl_quantity_parse(scalar->text, &value, &unit, why, sizeof why))
        return NULL;
    if (!hl_dim_is_none(unit.dim))
        value *= 1e3;
    return hl_arena_strdup(arena, hl_text_shortest(value, number, sizeof number));
}

static const char *find(struct hl_arena *arena, const struct hl_yaml *parameters, const char *name)
{
    const struct hl_yaml *node = hl_yaml_get(parameters, name);
    return node ? plain_number(arena, node) : NULL;
}

size_t hl_surface_read(struct hl_arena *arena, const struct hl_result *result, const char *alias,
                       struct hl_surface_constant constant[HL_SURFACE_CONSTANTS])
{
    const char *value[HL_SURFACE_CONSTANTS] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < result->n_texts; i++) {
        bool is_model = strncmp(result->text_name[i], "model_", 6) == 0;
        const struct hl_yaml *root = is_model ? text_of(arena, result, result->text_name[i]) : NULL;
        const struct hl_yaml *parameters = root ? hl_yaml_get(root, "parameters") : NULL;
        for (size_t k = 0; parameters && hl_yaml_get(parameters, "C50B_2") && k < HL_SURFACE_CONSTANTS; k++)
            value[k] = find(arena, parameters, names[k]);
    }
    const struct hl_yaml *study = text_of(arena, result, "study");
    for (size_t k = 0; k < HL_SURFACE_CONSTANTS; k++) {
        const char *changed =
            study ? find(arena, hl_yaml_get(study, "parameters"), hl_arena_printf(arena, "%s.%s", alias, names[k]))
                  : NULL;
        if (changed || value[k])
            constant[n++] = (struct hl_surface_constant){names[k], changed ? changed : value[k]};
    }
    return n;
}

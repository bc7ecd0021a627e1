/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a model that expressions hold together: compartments, flows,
 * routes, effect sites, states, outputs, inputs and residual errors, as read
 * from the file. system.c gives them numbers. An expression that was absent, or
 * had a syntax error (then reported), is NULL. */
#ifndef HL_MODEL_PARTS_H
#define HL_MODEL_PARTS_H

#include "model/expr.h"
#include "model/model.h"
#include "model/system.h"

/* What a name of the model stands for; index into the list of its kind. */
enum hl_symbol_kind {
    HL_SYM_COVARIATE, HL_SYM_PARAMETER, HL_SYM_ETA, HL_SYM_MIXTURE, HL_SYM_INDIVIDUAL, HL_SYM_COMPARTMENT,
    HL_SYM_EFFECT_SITE, HL_SYM_STATE, HL_SYM_OUTPUT, HL_SYM_INPUT
};

struct hl_symbol { const char *name; struct hl_pos pos; enum hl_symbol_kind kind; size_t index; };

struct hl_compartment {
    const char *name; struct hl_pos pos;
    struct hl_expr *volume, *initial; /* volume [L] or NULL; initial [mg] or NULL for 0 */
    bool observe, dose;               /* default: */
    const char *label;
};

struct hl_flow {
    struct hl_pos pos, from_pos, to_pos;
    int from, to;                     /* compartments; to -1: out of the body; -2: unknown, already reported */
    bool both_ways;
    bool clearance;                   /* the expression is a clearance [L/h], not a rate [1/h]; known after checking */
    struct hl_expr *rate;
};

struct hl_route_part_text {
    struct hl_pos pos;
    int into;                         /* compartment, or -2 */
    enum hl_input_kind input;
    struct hl_expr *fraction, *bioavailability, *lag, *given; /* given: zero_order or duration [h], rate [mg/h] */
    struct hl_expr *rate, *duration;  /* as stated under these keys: for the modelled infusions of data sets */
    bool every_dose;                  /* zero_order: stated so, it holds for plain doses of data sets too */
    struct hl_expr *released;         /* the fraction that has entered by tad, or NULL */
};

struct hl_patch_phase_text { struct hl_pos pos; struct hl_expr *until, *release, *loses; };

struct hl_route_text {
    const char *name; struct hl_pos pos;
    const char *label;
    bool is_default;
    size_t n_parts; struct hl_route_part_text *part;
    bool is_patch;
    struct hl_expr *content, *rate, *lag;  /* content of a matrix patch, or rate of a reservoir */
    size_t n_phases; struct hl_patch_phase_text *phase; /* a reservoir has one, with loses only */
    struct hl_unit nominal; const char *nominal_text;
    double wear;                      /* [h], 0 when not stated */
};

struct hl_effect_site {
    const char *name; struct hl_pos pos;
    struct hl_expr *follows, *ke0, *initial;
    bool has_unit; struct hl_unit unit; const char *unit_text;
    const char *label;
    struct hl_evidence evidence;
};

struct hl_free_state {
    const char *name; struct hl_pos pos;
    struct hl_unit unit; const char *unit_text; bool unread; /* the unit couldn't be read */
    struct hl_expr *initial, *rate;
    const char *label;
    struct hl_evidence evidence;
};

struct hl_output_text {
    const char *name; struct hl_pos pos;
    struct hl_expr *value;
    struct hl_unit unit; const char *unit_text; bool unread; /* the unit couldn't be read */
    const char *label, *symbol;
    struct hl_evidence evidence;
};

struct hl_input { const char *name; struct hl_pos pos, target_pos; const char *target; /* "fentanyl.Ce" */ };

/* Standard deviations; additive in the output's engine unit, proportional and log as fractions. */
struct hl_residual {
    const char *output; struct hl_pos pos;
    double additive, proportional; struct hl_dim additive_dim; bool has_additive;
    bool log;
    struct hl_evidence evidence;
};

struct hl_model_parts {
    struct hl_symbol *symbol; size_t n_symbols;
    struct hl_compartment *compartment; size_t n_compartments;
    struct hl_flow *flow; size_t n_flows;
    struct hl_route_text *route; size_t n_routes;
    struct hl_effect_site *effect_site; size_t n_effect_sites;
    struct hl_free_state *state; size_t n_states;
    struct hl_output_text *output; size_t n_outputs;
    struct hl_input *input; size_t n_inputs;
    struct hl_residual *residual; size_t n_residuals;
    const char **note; size_t n_notes;
    const char **file; size_t n_files; /* every file the model was read from: itself, then those it extends */
};

/* The symbol of this name, or NULL. */
const struct hl_symbol *hl_model_symbol(const struct hl_model *model, const char *name);

#endif

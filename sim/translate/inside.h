/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files of this room: the plan of a text (what is said, under which names, in which order), and the
 * writer that turns expressions into a tool's language. plan.c makes the plan, the same for every tool but for
 * names; nonmem.c, mrgsolve.c and rxode2.c each write it down. */
#ifndef HL_TRANSLATE_INSIDE_H
#define HL_TRANSLATE_INSIDE_H

#include <stdarg.h>

#include "base/memory.h"
#include "model/model_parts.h"
#include "translate/translate.h"

/* Where a statement stands: computed per subject, among the differential equations, or at a record's time. */
enum hl_stage { HL_STAGE_SUBJECT, HL_STAGE_RATES, HL_STAGE_OUTPUT };

/* What a symbol of a model is called in the text. */
struct hl_word {
    const char *name;       /* the value in the engine's units */
    const char *shown;      /* outputs and covariates: the same in their own unit; equals name where that is no other */
    const char *rates;      /* outputs: their name among the differential equations */
    bool wanted, in_rates;  /* in_rates: among the differential equations too */
    bool referred;          /* some expression names it */
    bool placed, placed_in_rates;
    int state;              /* compartments, effect sites, states: index into the plan's states */
};

struct hl_voice {           /* one instance of a model */
    const struct hl_system_instance *instance;
    const struct hl_model *model;
    const struct hl_model_parts *parts;
    struct hl_word *word;   /* by symbol */
};

/* name = expr, in the words of one instance. */
struct hl_line { int voice; const char *name; const struct hl_expr *expr; const char *comment; };

struct hl_line_list { struct hl_line *line; size_t n, capacity; };

struct hl_plan_state {
    const struct hl_state *info;
    int voice;
    const char *name;       /* in the text */
    const char *read;       /* how its value is read: "A(2)", "central" */
    const struct hl_expr *rate, *initial; /* NULL: 0 */
};

struct hl_plan_parameter {
    int voice;
    const struct hl_parameter *info;
    const char *dotted, *name, *read; /* read: how its value is read, "TVCL", "THETA(7)" */
    double value;           /* engine's unit */
    bool wanted;
};

struct hl_plan_covariate {
    const struct hl_system_covariate *info;
    const char *column, *name; /* as in the data, and in the engine's unit (the same where the factor is 1) */
    struct hl_unit unit; const char *unit_text; /* of the column: the data's own, or the model's */
    double value;           /* default, in that unit */
    bool wanted, fixed;     /* fixed: no column of the data */
};

struct hl_plan_eta {
    int voice;
    const struct hl_eta *info;
    const char *dotted, *name; /* the effect itself; one per occasion has _1, _2 ... behind it */
    bool wanted;
};

/* Etas drawn together: a block without zeros, or one eta. */
struct hl_plan_omega { size_t n; size_t *eta; double *covariance; bool occasion; int first; /* ETA number, from 1 */ };

struct hl_plan_mixture { int voice; const struct hl_mixture *info; const char *dotted, *name; bool wanted; };

enum hl_item { HL_ITEM_F, HL_ITEM_LAG, HL_ITEM_DURATION, HL_ITEM_RATE, HL_N_ITEMS };

/* One way of a dose into a compartment. code 0: what any dose into this compartment meets; otherwise the value of the
 * data item ROUTE that chooses it. NULL: 1, 0, not stated. */
struct hl_plan_input {
    int voice, state, code;
    const struct hl_route *route; const struct hl_route_text *text; size_t part;
    const struct hl_expr *item[HL_N_ITEMS];
    const char *how;        /* what the record holds: "AMT in mg, RATE=-2" */
};

/* Doses that enter by a course of their own (released:): the last n of one way in are remembered, newest first. */
struct hl_plan_course {
    size_t input;           /* index into the plan's inputs */
    size_t n; const char **time, **amount; /* names of the variables; rxode2 remembers one by itself */
};

/* A comparison of t with a subject's constant: the solver has to stop there. */
struct hl_plan_jump { int voice; const struct hl_expr *comparison, *when; const char *name; };

struct hl_plan_shown {      /* an output with a residual error, or one that a compartment's number shows */
    int output;             /* index into the system's outputs */
    const char *ipred;      /* its name in its own unit */
    double proportional, additive; /* standard deviations, additive in the output's unit */
    bool log;
    const char *eps_proportional, *eps_additive; /* names, or NULL */
    int n_proportional, n_additive;              /* EPS numbers from 1, 0: none */
    const char *apart;      /* name of its simulated observation where no compartment's number asks for it, or NULL */
};

struct hl_translator {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const struct hl_translation *asked;
    const struct hl_system *system;
    enum hl_target target;
    size_t n_voices; struct hl_voice *voice;
    size_t n_states; struct hl_plan_state *state; size_t n_numbered; /* the first are compartments, CMT 1 ... */
    size_t n_parameters; struct hl_plan_parameter *parameter; size_t *first_parameter; /* by voice */
    size_t n_covariates; struct hl_plan_covariate *covariate;
    size_t n_etas; struct hl_plan_eta *eta; size_t *first_eta;
    size_t n_omegas; struct hl_plan_omega *omega; int n_eta_numbers;
    size_t n_mixtures; struct hl_plan_mixture *mixture; size_t *first_mixture;
    struct hl_line_list subject, rates, output; /* in the order in which they can be computed */
    size_t n_inputs, input_capacity; struct hl_plan_input *input; bool coded;
    size_t n_courses, course_capacity; struct hl_plan_course *course;
    size_t n_jumps, jump_capacity; struct hl_plan_jump *jump;
    size_t n_shown; struct hl_plan_shown *shown; int *shown_of_state; int n_eps; int default_shown;
    bool needs_r;           /* mrgsolve: functions of R */
    bool uses_tad, *tad_of_voice; const char *const *tad_name;
    const char **prefix;    /* by voice: what stands before its names, "" for a single model */
    size_t n_limits, limit_capacity; const char **limit; /* sentences: what the text can't say */
    size_t n_taken, taken_capacity; const char **taken;  /* names in use */
    const char *late;       /* statements that follow the rates of change */
    size_t n_renames, rename_capacity; struct { const char *from, *to; } *rename;
};

/* ---- plan.c, want.c, rates.c, inputs.c, courses.c, random.c: making the plan ---- */

/* True when everything could be planned; messages in the translator's diag. */
bool hl_plan_translation(struct hl_translator *t);
bool hl_plan_wanted(struct hl_translator *t); /* false when an output asked for doesn't exist */
void hl_plan_states(struct hl_translator *t);
void hl_plan_flows(struct hl_translator *t, int voice);
void hl_plan_dynamics(struct hl_translator *t, int voice);
void hl_plan_patches(struct hl_translator *t, int voice);
void hl_plan_jumps(struct hl_translator *t);
void hl_plan_inputs(struct hl_translator *t);
void hl_plan_omegas(struct hl_translator *t);
void hl_plan_residuals(struct hl_translator *t);

/* Remembers what the text can't say, and says it as a warning. */
void hl_limit(struct hl_translator *t, struct hl_pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the text says of an item of doses into a state: true when some way in states it. plain gets the expression
 * of a dose without ROUTE and its voice; NULL: the item's usual value. */
bool hl_plan_item(const struct hl_translator *t, int state, enum hl_item item, const struct hl_plan_input **plain);

/* The usual value of an item: F 1, the others 0. */
double hl_plan_usual(enum hl_item item);

bool hl_plan_has_occasions(const struct hl_translator *t);

/* "eta_CL", or "kappa_CL_2" for the second occasion (occasion from 0). */
const char *hl_plan_eta_name(struct hl_translator *t, const struct hl_plan_omega *o, size_t member, size_t occasion);

/* How many times an omega is written: once, or for each occasion. */
size_t hl_plan_times(const struct hl_translator *t, const struct hl_plan_omega *o);

/* The class a typical subject is of. */
size_t hl_plan_likeliest(const struct hl_mixture *mixture);

/* "absent 0, present 1" for comments: codes of categories. */
const char *hl_plan_codes(struct hl_translator *t, const char *const *name, size_t n);

/* The numbers of an instance's first and last state, from 1. */
void hl_plan_range(const struct hl_translator *t, int voice, int *first, int *last);

/* Adds a line to a list. */
void hl_line_add(struct hl_translator *t, struct hl_line_list *list, int voice, const char *name,
                 const struct hl_expr *expr, const char *comment);

/* Marks every symbol an expression needs as wanted, and those they need in turn; in_rates: outputs too are needed
 * among the differential equations. */
void hl_want(struct hl_translator *t, int voice, const struct hl_expr *e, bool in_rates);

/* True when an expression depends on time, a state or an output. */
bool hl_changes(const struct hl_translator *t, int voice, const struct hl_expr *e);

/* The symbol behind a name, through inputs into other instances (*voice then changes); NULL for words of the
 * language. */
const struct hl_symbol *hl_plan_symbol(const struct hl_translator *t, int *voice, const char *name);

/* Which side (0, 1) of a comparison is the name of something with categories, the other being a category; -1: none.
 * */
int hl_plan_category_side(const struct hl_translator *t, int voice, const struct hl_expr *e);

/* What a symbol of an instance is called. */
struct hl_word *hl_plan_word(const struct hl_translator *t, int voice, const struct hl_symbol *symbol);

/* How many values the table has that begins with this parameter. */
size_t hl_plan_entries(const struct hl_voice *v, size_t parameter);

/* Puts the outputs that an expression needs in order, in the list of rates or of outputs. */
void hl_plan_place_outputs(struct hl_translator *t, int voice, const struct hl_expr *e, bool rates);

struct hl_plan_covariate *hl_plan_find_covariate(const struct hl_translator *t, const char *name);

/* A new name in the text for something of one instance. */
const char *hl_plan_name(struct hl_translator *t, int voice, const char *name);

/* An expression that is more than a name or a number gets a line and a name of its own. */
const struct hl_expr *hl_plan_named(struct hl_translator *t, int voice, const struct hl_expr *e, const char *name,
                                    const char *comment);

/* Adds a term to a state's rate of change, or takes it off (HL_OP_ADD, HL_OP_SUB). */
void hl_plan_add_rate(struct hl_translator *t, size_t state, enum hl_op op, const struct hl_expr *term);

/* A copy of a way in that leads into a state of its own choice and is chosen by a number of its own. */
struct hl_plan_input *hl_plan_add_input(struct hl_translator *t, const struct hl_plan_input *like, int state);

/* Writes down one way in with released: (courses.c): the bolus at its beginning as F, the rest as rates of change.
 * False, with a message, when there is no derivative to write. */
bool hl_plan_course(struct hl_translator *t, size_t input, const struct hl_route_part_text *part,
                    const struct hl_release *release);

/* Where a dose goes by this way in, as a condition on CMT and ROUTE; and is what separates two conditions there. */
const char *hl_plan_taken_by(struct hl_translator *t, const struct hl_plan_input *x, const char *equals,
                             const char *and);

/* The state of a compartment of one instance. */
int hl_plan_compartment(const struct hl_translator *t, int voice, int compartment);

/* ---- trees made here ---- */

struct hl_expr *hl_tree_number(struct hl_translator *t, double value);
struct hl_expr *hl_tree_name(struct hl_translator *t, const char *name);
struct hl_expr *hl_tree_text(struct hl_translator *t, const char *text); /* a name of the text itself */
struct hl_expr *hl_tree_state(struct hl_translator *t, size_t state);
/* NULL operands are neutral: 1 in products and quotients, 0 in sums; without a first operand, a difference is -b. */
struct hl_expr *hl_tree_op(struct hl_translator *t, enum hl_op op, const struct hl_expr *a, const struct hl_expr *b);

/* ---- names.c ---- */

/* A name of the target that is free and allowed; the renaming is remembered when it isn't the wanted one. dotted says
 * whose name it is. */
const char *hl_name(struct hl_translator *t, const char *dotted, const char *wanted);

/* Makes a name that the text itself uses unavailable. */
void hl_name_reserve(struct hl_translator *t, const char *name);

/* ---- write.c: statements and comments ---- */

struct hl_writer {
    struct hl_translator *t;
    FILE *out;
    enum hl_stage stage;
    int temporaries;
    int indent;
    const char *into;       /* where the value of the next choice goes instead of a temporary, or NULL */
};

/* The text of an expression; what has no inline form there is written before as statements on temporaries. level: how
 * tightly it has to bind, HL_LOOSE for a whole right-hand side. */
enum { HL_LOOSE = 0, HL_SUM = 5, HL_PRODUCT = 6, HL_SIGN = 7, HL_POWER = 8, HL_ATOM = 9 };
const char *hl_write_expr(struct hl_writer *w, int voice, const struct hl_expr *e, int level);

/* name = expression ; comment */
void hl_write_line(struct hl_writer *w, const struct hl_line *line);
void hl_write_lines(struct hl_writer *w, const struct hl_line_list *list);

/* left = right, as text. */
void hl_write_assign(struct hl_writer *w, const char *left, const char *right, const char *comment);

/* Number in the target's code, and in its data blocks ($THETA, $PARAM, c(...)). */
const char *hl_write_number(struct hl_translator *t, double value);
const char *hl_write_value(struct hl_translator *t, double value);

/* A comment, broken at words; the sign of comments is the target's. */
void hl_write_comment(struct hl_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text without what the target can't read in a comment. */
const char *hl_clean(struct hl_translator *t, const char *text);

/* Title, what it is, units, compartments, doses, limits, renamed names, references. */
void hl_write_header(struct hl_writer *w);

/* "[L/h] measured; crevoisier2003": unit, grade, mark and sources of a number. */
const char *hl_evidence_text(struct hl_translator *t, const char *unit, const struct hl_evidence *evidence);

/* ---- one file per tool ---- */

void hl_write_nonmem(struct hl_translator *t, FILE *stream);
void hl_write_mrgsolve(struct hl_translator *t, FILE *stream);
void hl_write_rxode2(struct hl_translator *t, FILE *stream);

#endif

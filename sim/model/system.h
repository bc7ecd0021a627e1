/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A system: all model instances of a study joined into flat arrays and compiled
 * programs. Everything downstream (cohort, regimen, solve, measure, store)
 * works with this and never sees an expression. The system is immutable once
 * focused, and shared by all threads.
 *
 * One register file holds everything: a lane's value of register r is
 * regs[r * lanes + lane]. Names are dotted, "clonazepam.CL"; covariates are
 * shared by all instances and have no dot ("WT"). All values are in the
 * engine's units (h, mg, L ...), covariates too (their own unit only matters
 * at the doors).
 *
 * The life of a lane:
 *   1. regs <- initial  (constants, typical parameters, defaults; broadcast)
 *   2. cohort/ writes covariates, etas, mixture classes, uncertain parameters
 *   3. hl_program_run(individual): individual parameters, flow coefficients,
 *      initial amounts: everything that is constant in time for this subject
 *   4. solve/ writes the time register, tad registers and state registers, then
 *      runs rhs (derivatives) or outputs at whatever times it likes. */
#ifndef HL_MODEL_SYSTEM_H
#define HL_MODEL_SYSTEM_H

#include "model/model.h"
#include "model/program.h"

enum hl_register_kind {
    HL_REG_CONSTANT, HL_REG_COVARIATE, HL_REG_PARAMETER, HL_REG_ETA, HL_REG_CLASS, HL_REG_INDIVIDUAL,
    HL_REG_COEFFICIENT, HL_REG_STATE, HL_REG_DERIVATIVE, HL_REG_OUTPUT, HL_REG_TIME, HL_REG_TAD, HL_REG_TEMPORARY
};

struct hl_register {
    const char *name;           /* dotted name, or NULL for constants and temporaries */
    enum hl_register_kind kind;
    struct hl_dim dim;
    bool individual;            /* may differ between subjects: depends on a covariate, an eta, a class or a parameter
                                   with a stated uncertainty */
};

struct hl_system_instance {
    const char *alias;          /* "clonazepam" */
    const struct hl_model *model;
    bool is_drug;               /* listed under drugs: (has routes), not an interaction */
    int tad_reg;                /* time after this drug's last dose [h], -1 when no expression uses it */
    int default_route;          /* index into routes, or -1 */
    int default_output;         /* output of the compartment marked default: observe, or -1 */
    size_t n_inputs; const char *const *input_name, *const *input_output; /* bound by the study, over the model's own */
};

struct hl_system_covariate { const char *name; int reg; const struct hl_covariate *info; };
struct hl_system_parameter { const char *name; int reg; int instance; const struct hl_parameter *info; };
struct hl_system_eta { const char *name; int reg; int instance; double sd; int block; /* or -1 */ bool occasion; };
struct hl_system_block { size_t n; int *eta; double *covariance; /* n x n, of normal etas */ struct hl_pos pos; };
struct hl_system_mixture { const char *name; int reg; /* holds the class index */ const struct hl_mixture *info; };
struct hl_system_individual { const char *name; int reg; int instance; };

/* dx[row]/dt += regs[reg] * x[col]; col == -1: a constant input regs[reg] into row. */
struct hl_coefficient { int row, col, reg; };

enum hl_state_kind { HL_COMPARTMENT, HL_EFFECT_SITE, HL_FREE_STATE, HL_PATCH_CONTENT };

struct hl_state {
    const char *name;           /* "clonazepam.central" */
    enum hl_state_kind kind;
    int instance;
    int reg;                    /* where its value stands when programs run */
    int derivative_reg;         /* where rhs programs leave its rate of change */
    int initial_reg;            /* its value at the start (set by the individual program) */
    const char *unit_text; struct hl_unit unit; /* how it is shown */
    bool needed;                /* feeds a requested output (after focus) */
    bool linear;                /* its rate is linear in linear states, with coefficients constant in time */
    bool released, fed;         /* a route with released: leads here; or into a state that feeds this one. Where such a
                                   route is dosed, fed states are integrated even if they are linear */
    struct hl_evidence evidence;
};

enum hl_input_kind { HL_INPUT_BOLUS, HL_INPUT_ZERO_ORDER, HL_INPUT_RATE, HL_INPUT_RELEASE };

#define HL_RELEASE_INPUTS 16

/* How a dose enters over time: the fraction of it that has entered by a time after its arrival, from 0 (or what enters
 * at once) at 0 upwards, never falling, at most 1. Registers: set tad [h] and the inputs, run, read released. */
struct hl_release {
    struct hl_program program;
    int tad_reg, released_reg;
    size_t n_inputs; int input[HL_RELEASE_INPUTS]; /* a subject's own values that the program reads: they hold for a dose
                                                      as they were when it was given */
    struct hl_pos pos;
};

/* One way of a dose into the body. The amount that arrives is dose * fraction * bioavailability. */
struct hl_route_part {
    int state;                  /* where it arrives */
    enum hl_input_kind input;   /* for doses given at once; a regimen's own infusion overrides it */
    int fraction_reg;           /* registers; -1 means 1 */
    int bioavailability_reg;
    int lag_reg;                /* [h]; -1 means 0 */
    int input_reg;              /* duration [h] of a ZERO_ORDER, rate [mg/h] of a RATE input; -1 otherwise */
    bool every_dose;            /* input also holds for the plain doses (RATE 0) of data sets: zero_order: said so */
    int rate_reg, duration_reg; /* rate: [mg/h] and duration: [h] as the model states them, for RATE -1 and -2 of data
                                   sets; -1 when it doesn't. With both, input is BOLUS */
    const struct hl_release *release; /* of a RELEASE; NULL otherwise */
};

/* A removable patch: its content P empties first-order through the phases of wear, P is what remains in it. Phase j
 * is a state of its own (kind HL_PATCH_CONTENT) with its flows into the skin already among the coefficients;
 * removal or a change of phase takes the remaining amount out of that state, which is exact:
 * content * exp(-sum release_j * time in phase j). All of it is delayed by lag.
 * A zero-order (reservoir) patch has n_phases 0 and puts rate_reg [mg/h] * fraction into each part while worn. */
struct hl_patch_phase {
    int state;
    int release_reg;            /* [1/h] */
    int until_reg;              /* [h] after application, -1 in the last phase */
};

struct hl_route {
    const char *name;           /* "oral" */
    int instance;
    struct hl_pos pos;
    size_t n_parts; struct hl_route_part *part;
    bool is_patch;
    size_t n_phases; struct hl_patch_phase *phase;
    int nominal_reg;            /* patch: write the nominal strength here (engine's units), ... */
    struct hl_dim nominal_dim;  /* its dimension (mg/h, or mg) */
    struct hl_program content;  /* ... run this, ... */
    int content_reg;            /* ... and read the content [mg]; -1 for a zero-order patch */
    int rate_reg;               /* zero-order patch: [mg/h] after running content; -1 otherwise */
    int lag_reg;                /* patch: [h]; -1 means 0 */
    struct hl_dim dose_dim;     /* dimension of a dose by this route (mg; nominal_dim for patches) */
    double default_wear;        /* patch: [h], or 0 when the model states none */
};

/* A compartment as data sets number it: CMT n is compartment[n - 1], drug after drug in the study's order, each drug's
 * in the order of its file. */
struct hl_system_compartment {
    const char *name;           /* "clonazepam.central" */
    int state, instance;
    int route;                  /* gives a dose its bioavailability, lag, rate and duration: the default route if all its
                                   parts enter here, else the first route of which that is true (patches apart); -1: a
                                   plain dose */
    int output;                 /* shown for an observation here: the first own output that is a multiple of this amount
                                   alone, else the amount itself */
};

struct hl_output {
    const char *name;           /* "clonazepam.Cp" */
    int instance;
    int reg;
    struct hl_pos pos;
    struct hl_unit unit; const char *unit_text; /* stored = engine value / unit.factor */
    const char *label, *symbol; /* symbol or NULL */
    struct hl_evidence evidence;
    bool linear;                /* = sum regs[coef.reg] * x[coef.col] + regs[offset_reg], linear states only */
    size_t n_coefs; struct hl_coefficient *coef; /* row unused */
    int offset_reg;             /* -1 means 0 */
    double residual_additive, residual_proportional; /* standard deviations; 0 when the model states none */
    bool residual_log;
    bool implicit;              /* a state shown under its own name; the model's own outputs come first */
};

struct hl_system {
    size_t n_regs;
    struct hl_register *reg;
    double *initial;            /* n_regs: starting value of each register */
    int time_reg;

    size_t n_instances;   struct hl_system_instance *instance;
    size_t n_covariates;  struct hl_system_covariate *covariate;
    size_t n_parameters;  struct hl_system_parameter *parameter;
    size_t n_etas;        struct hl_system_eta *eta;
    size_t n_blocks;      struct hl_system_block *block;
    size_t n_mixtures;    struct hl_system_mixture *mixture;
    size_t n_individuals; struct hl_system_individual *individual_value;

    size_t n_states;      struct hl_state *state;
    size_t n_coefs;       struct hl_coefficient *coef;   /* the linear part; rows and columns are state indices */
    size_t n_routes;      struct hl_route *route;
    size_t n_compartments; struct hl_system_compartment *compartment;
    size_t n_outputs;     struct hl_output *output;

    struct hl_program individual;     /* once per subject; inputs: covariates, parameters, etas, classes */
    struct hl_program rhs;            /* derivatives of every needed state (without infusions); inputs: time, tad,
                                         states */
    struct hl_program rhs_integrated; /* ... of the needed states that are not linear only */
    struct hl_program rhs_released;   /* ... of those and the needed states that are fed by a release */
    struct hl_program outputs;        /* the requested outputs; inputs: time, tad, states */
    bool integrated;                  /* some needed state is not linear */

    struct hl_system_graph *graph;    /* the expressions, for hl_system_focus */
};

/* One model under the name the study gives it. input_n pairs bind an interaction's inputs to other outputs, overriding
 * what the model file says. */
struct hl_instance {
    const char *alias;
    struct hl_pos pos;
    const struct hl_model *model;
    bool is_drug;
    size_t n_inputs; const char **input_name; const char **input_output;
    const struct hl_pos *input_name_pos, *input_output_pos; /* where the study wrote them; NULL when it is not known */
};

/* Joins n instances; NULL with messages in diag: undefined names, dimensions that don't fit, circular definitions,
 * inputs that name no output, covariates of one name with different units. */
struct hl_system *hl_system_link(struct hl_arena *arena, const struct hl_instance *instance, size_t n,
                                 struct hl_diag *diag);

/* Links one model alone, with unknown inputs, only to report what is wrong with it. */
void hl_system_check_model(struct hl_arena *arena, const struct hl_model *model, struct hl_diag *diag);

/* Restricts the system to what n outputs (indices) need: marks needed states, builds rhs, rhs_integrated and outputs,
 * sets integrated. Must be called once before a system is solved. */
void hl_system_focus(struct hl_arena *arena, struct hl_system *system, const int *output, size_t n);

/* Whether an output depends on a state of this instance, straight or through other states. Not thread-safe: the graph's
 * memory grows. */
bool hl_system_reads(const struct hl_system *system, int output, int instance);

/* Lookup by dotted name; -1 when absent. "NAME" without a dot is a covariate. */
int hl_system_find_output(const struct hl_system *system, const char *name);
int hl_system_find_parameter(const struct hl_system *system, const char *name);
int hl_system_find_covariate(const struct hl_system *system, const char *name);
int hl_system_find_eta(const struct hl_system *system, const char *name);
int hl_system_find_instance(const struct hl_system *system, const char *alias);
int hl_system_find_route(const struct hl_system *system, int instance, const char *name);
int hl_system_find_state(const struct hl_system *system, const char *name);

/* Fills a register file of lanes lanes with the initial values (step 1 above). */
void hl_system_reset(const struct hl_system *system, double *regs, size_t lanes);

/* A copy whose initial[] may be changed (arms that override parameters); everything else is shared. */
struct hl_system *hl_system_variant(struct hl_arena *arena, const struct hl_system *system);

#endif

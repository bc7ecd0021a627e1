/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the regimen compiler share: the place they have come to, and how an item's keys become times.
 * Only for sim/regimen. */
#ifndef HL_REGIMEN_COMPILE_H
#define HL_REGIMEN_COMPILE_H

#include "regimen/regimen.h"

/* Two times closer than this are the same time [h] (four millionths of a second). */
#define HL_SAME_TIME 1e-9

/* More doses than this in one item is a slip of the unit, not a prescription. */
#define HL_MOST_DOSES 1000000u

struct hl_compiler {
    struct hl_arena *arena;
    const struct hl_study *study;
    const struct hl_system *system;
    struct hl_diag *diag;
    struct hl_regimen *regimen;
    struct hl_dose_list {
        size_t n, capacity;
        struct hl_dose *dose;
    } doses;
    size_t demand_capacity, steady_capacity, reviewed_capacity, crossed_capacity;
    size_t n_owned, owned_capacity;
    struct hl_owned_dose { uint64_t subject; int instance; struct hl_dose dose; } *owned; /* of recorded: */
    int instance;        /* whose prescription is being read */
    const char *drug;    /* its alias */
    int demand_number;   /* of the drug */
    double cursor;       /* where the last item ended [h]; INFINITY after one that runs on */
    const char *runs_on; /* what runs on, for messages; NULL otherwise */
    double base;         /* start of the repetition inside a repeated group, else 0 [h] */
    bool in_group;
    bool in_cycle; /* inside steady_state: times are offsets in [0, period) ... */
    double period; /* ... of a cycle this long [h] */
    bool good;
};

/* start:, gap:, stop:, every:, at:, for:, until:, doses: of an item, all in hours since the origin. */
struct hl_timing {
    const struct hl_yaml *item;
    double start, end; /* [start, end); INFINITY when nothing ends it */
    double stop;       /* INFINITY when not given */
    bool has_end;      /* for: or until: */
    double every;      /* 0 when not given; 24 h with at: alone */
    size_t n_at;
    double *at;   /* hours after the item's start, in the order written */
    size_t doses; /* 0 when not given */
};

/* The times that follow: each with the number of its dose in a list that is cycled. */
struct hl_schedule {
    size_t n;
    double *time;
    size_t *slot;
    double *interval; /* to the next planned time */
    double end;       /* where the next item starts */
};

/* Reads the timing keys. false with messages. */
bool hl_timing_read(struct hl_compiler *c, const struct hl_yaml *item, struct hl_timing *timing);

/* The doses of an item whose list has n_list entries; inside a steady state those of one cycle, counted from the item's
 * start, and c->period. false with messages: never ends, no interval, too many. */
bool hl_timing_schedule(struct hl_compiler *c, const struct hl_timing *timing, size_t n_list,
                        struct hl_schedule *schedule);

/* Adds a dose; notes that something is wrong. */
void hl_compiler_dose(struct hl_compiler *c, struct hl_dose dose);
void hl_compiler_fault(struct hl_compiler *c);

/* Checks an item's keys against n own ones and the timing keys in which, in the order of "start gap stop every at for
 * until doses", one letter each: s g x e a f u n. what names the item in a message. */
bool hl_item_keys(struct hl_compiler *c, const struct hl_yaml *item, const char *what, const char *const *own, size_t n,
                  const char *which);

/* The route named by node (NULL: none is named) that an infusion or a demand takes: "iv" when none is named.
 * -1 with a message. */
int hl_compiler_flow_route(struct hl_compiler *c, const struct hl_yaml *item, const struct hl_yaml *named);

/* The same for an infusion, which a route with released: can't take. */
int hl_compiler_infusion_route(struct hl_compiler *c, const struct hl_yaml *item, const struct hl_yaml *named);

/* A named route of the present drug; -1 with a message. */
int hl_compiler_named_route(struct hl_compiler *c, const struct hl_yaml *named);

/* An amount by a route in the engine's unit: mass, or moles where the model states a molar mass; strength of a patch.
 */
bool hl_compiler_amount(struct hl_compiler *c, const struct hl_yaml *node, int route, double *amount);

struct hl_taper;

/* What is given at each level, that before the taper first where it is known (review.h): n of them, from the arena.
 * start: of the taper [h]. false with messages. */
bool hl_taper_stages(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                     struct hl_stage **stage, size_t *n);

/* review: of a taper; adds it to the regimen's reviewed ones. false with messages. */
bool hl_review_read(struct hl_compiler *c, const struct hl_yaml *node, const struct hl_taper *taper, double start,
                    double stop);

/* The doses up to the first review of the reviewed taper that was added last: everybody's. */
void hl_review_first_stay(struct hl_compiler *c);

/* Adds a dose that one subject (from 1) gets; and at the end, of all of them, regimen->recorded for so many subjects,
 * with a fault when the tables have fewer. */
void hl_compiler_own_dose(struct hl_compiler *c, uint64_t subject, struct hl_dose dose);
void hl_compiler_share_out(struct hl_compiler *c, uint64_t subjects);

/* One item of a kind; each moves the cursor to its end. */
void hl_item_dose(struct hl_compiler *c, const struct hl_yaml *item, int route);
void hl_item_patch(struct hl_compiler *c, const struct hl_yaml *item, int route);
void hl_item_infuse(struct hl_compiler *c, const struct hl_yaml *item);
void hl_item_demand(struct hl_compiler *c, const struct hl_yaml *item);
void hl_item_taper(struct hl_compiler *c, const struct hl_yaml *item);
void hl_item_recorded(struct hl_compiler *c, const struct hl_yaml *item);

#endif

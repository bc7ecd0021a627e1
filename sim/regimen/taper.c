/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tapers. With D0 the start dose and D the present one [mg/day], a protocol says what the next dose is and how many
 * days it is kept; the taper is over when the next dose is zero (clonazepam reference 7.2, fentanyl reference 10):
 *
 *   T0 abrupt          next = 0
 *   T1 us_label        every 3 d   next = D0 - k 0.25                      US label, panic disorder
 *   T2 nardi2010       D > 1: 14 d next = max(1, D - 0.5); else 7 d next = max(0, D - 0.25)
 *   T3 asam2025        every w     next = D (1 - r), over below 0.125 mg/d joint guideline 2025; r of D0 as an option
 *   T4 uk_eighth       every 14 d  next = D0 (1 - k/8)                     UK guidance
 *   T5 crossover       two drugs, see crossover.c; the second then goes down by ashton_steps:
 *   ashton_steps       every 14 d  D - 2 mg/d to 20, D - 1 to 10, D - 1 to 5, D - 1 to 0; never past a knee (20, 10, 5)
 *                      at one step                                        after Ashton 2002, as NICE summarises her
 *   T6 quarter_weekly  every 7 d   next = D0 (1 - k/4)                     Schweizer 1990
 *   T7 hyperbolic      O = D/(D + ED50), every w: O1 = O - dO, over at O1 <= 0; D1 = ED50 O1/(1 - O1),
 *                      at least D (1 - c)^(w/c_days) when capped; over below 0.01 mg/d
 *   cdc_monthly        every 28 d  next = D0 (1 - k/10)                    CDC 2022, a year of use or more
 *   cdc_weekly         every 7 d   next = D0 (1 - k/10) down to 30 % of D0, then D (1 - 1/10)
 *   va_dod2022         every 28 d  5 to 20 % of D0 (or of D)
 *   patch_steps        every 14 d  next = D0 - k 12.5 ug/h
 *   T8 symptom_guided  wraps any of them: whether the next level comes is decided at reviews (review.h)
 *
 * "k" counts steps from 1: linear protocols are computed from D0 and not by repeated subtraction, so that no rounding
 * accumulates. Rounding to tablets applies to what is given; the recursion and the test for the end stay with the
 * unrounded dose. A level lasts the interval of the step that produced it. */
#include "regimen/taper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "regimen/detours.h"
#include "regimen/read.h"

#define MOST_LEVELS 10000u
#define NOTHING     1e-9 /* of the start dose: what is left of D0 - 8 (D0/8) */
#define PER_DAY     24.0 /* hours */

/* How fast ashton_steps goes down. The source allows 2 to 4 mg per week or two down to 20 mg/day, 1 to 2 down to 10, 1
 * to 5, and then 0.5 to 1; its own estimates (30 to 60 weeks from 40 mg/day, 20 to 40 from 20) are steps of 2, 1, 1, 1
 * mg every week (fast) or two (slow). The other two are the ends of what it allows, outside its estimates. */
#define BANDS 4

struct pace {
    const char *name;
    double step[BANDS]; /* [mg/day] above 20, 10, 5 and 0 mg/day */
    double days;
    bool estimated; /* by the source's own durations */
};

static const struct pace paces[] = {
    {"slow", {2, 1, 1, 1}, 14, true},
    {"fast", {2, 1, 1, 1}, 7, true},
    {"slowest", {2, 1, 1, 0.5}, 14, false},
    {"fastest", {4, 2, 1, 1}, 7, false},
};
#define N_PACES (sizeof paces / sizeof paces[0])

static const double band_end[BANDS] = {20, 10, 5, 0}; /* [mg/day] */

struct parameters {
    double from;      /* D0 [mg/day] */
    double reduction; /* of D or of D0 per step */
    bool of_start;
    double days;       /* between steps */
    double step;       /* [mg/day] */
    double stop_below; /* [mg/day] */
    double knee;       /* of D0: below it cdc_weekly goes over to the remainder */
    double dO, ED50;
    const struct pace *pace;
    bool has_cap;
    double cap, cap_days;
    struct hl_pos cap_pos;
};

struct protocol {
    struct hl_taper_protocol info;
    bool needs_from;
    struct parameters usual;
    double low, high, days_low, days_high; /* what the source allows for reduction and days; 0: says nothing */
    /* The dose of step k (1, 2, ...) after D, and its days; zero or less ends the taper. */
    double (*next)(const struct parameters *p, size_t k, double D, double *days);
};

static double next_abrupt(const struct parameters *p, size_t k, double D, double *days)
{
    (void)p, (void)k, (void)D;
    *days = 0;
    return 0;
}

static double next_subtract(const struct parameters *p, size_t k, double D, double *days)
{
    (void)D;
    *days = p->days;
    return p->from - (double)k * p->step;
}

static double next_nardi(const struct parameters *p, size_t k, double D, double *days)
{
    (void)p, (void)k;
    bool above = D > 1 + NOTHING;
    *days = above ? 14 : 7;
    return above ? fmax(1, D - 0.5) : D - 0.25;
}

static double next_ashton(const struct parameters *p, size_t k, double D, double *days)
{
    (void)k;
    *days = p->days > 0 ? p->days : p->pace->days;
    for (size_t i = 0; i < BANDS; i++)
        if (D > band_end[i] + NOTHING)
            return fmax(band_end[i], D - p->pace->step[i]);
    return 0;
}

/* Shared by every "r percent every w days": of the start dose, or of the present one. */
static double next_percent(const struct parameters *p, size_t k, double D, double *days)
{
    *days = p->days;
    double next = p->of_start ? p->from * (1 - (double)k * p->reduction) : D * (1 - p->reduction);
    return next < p->stop_below * (1 - NOTHING) ? 0 : next;
}

static double next_cdc_weekly(const struct parameters *p, size_t k, double D, double *days)
{
    *days = p->days;
    double linear = p->from * (1 - (double)k * p->reduction);
    if (linear >= p->from * (p->knee - NOTHING))
        return linear;
    double next = D * (1 - p->reduction);
    return next < p->stop_below * (1 - NOTHING) ? 0 : next;
}

static double next_hyperbolic(const struct parameters *p, size_t k, double D, double *days)
{
    (void)k;
    *days = p->days;
    double O1 = D / (D + p->ED50) - p->dO;
    if (O1 <= 0)
        return 0;
    double D1 = p->ED50 * O1 / (1 - O1);
    if (p->has_cap)
        D1 = fmax(D1, D * pow(1 - p->cap, p->days / p->cap_days));
    return D1 < p->stop_below * (1 - NOTHING) ? 0 : D1;
}

static const char *const no_keys[] = {NULL};
static const char *const step_keys[] = {"step", "every", "w", NULL};
static const char *const percent_keys[] = {"reduction", "r", "every", "w", "percent_of", "stop_below", NULL};
static const char *const fraction_keys[] = {"fraction", "every", "w", NULL};
static const char *const linear_keys[] = {"reduction", "r", "every", "w", NULL};
static const char *const decay_keys[] = {"reduction", "r", "every", "w", "stop_below", NULL};
static const char *const pace_keys[] = {"pace", "every", "w", NULL};
static const char *const wrapper_keys[] = {"wraps", NULL};
static const char *const hyperbolic_keys[] = {"dO", "ED50", "every", "w", "stop_below", NULL};

/* One entry per protocol. A negative stop_below is a share of D0. */
static const struct protocol protocols[] = {
    {.info = {"abrupt", "T0",
              "no dose from day 0", no_keys}, .next = next_abrupt},
    {.info = {"us_label", "T1",
              "0.25 mg/day less every 3 d (US label, panic disorder)", step_keys},
     .usual = {.step = 0.25, .days = 3}, .needs_from = true, .next = next_subtract},
    {.info = {"nardi2010", "T2",
              "0.5 mg/day less every 14 d down to 1 mg/day, then 0.25 mg/day less every 7 d (Nardi 2010)",
              no_keys},
     .needs_from = true, .next = next_nardi},
    {.info = {"asam2025", "T3",
              "10 % less every 14 d (5-10 %, 14-28 d), over below 0.125 mg/day (joint guideline 2025)",
              percent_keys},
     .usual = {.reduction = 0.10, .days = 14, .stop_below = 0.125}, .low = 0.05, .high = 0.10, .days_low = 14,
     .days_high = 28, .needs_from = true, .next = next_percent},
    {.info = {"uk_eighth", "T4",
              "an eighth of the start dose less every 14 d (UK guidance; 1/10 to 1/4)", fraction_keys},
     .usual = {.reduction = 0.125, .days = 14, .of_start = true}, .low = 0.10, .high = 0.25, .needs_from = true,
     .next = next_percent},
    {.info = {"crossover", "T5",
              "over to another drug, one dose at a time every 7 d, then down (Ashton 2002; see also ashton_steps)",
              no_keys}},
    {.info = {"ashton_steps", NULL,
              "2 mg/day less every 14 d down to 20 mg/day, then 1 mg/day less (Ashton 2002, as NICE summarises her)",
              pace_keys},
     .usual = {.pace = &paces[0]}, .days_low = 7, .days_high = 14, .needs_from = true, .next = next_ashton},
    {.info = {"quarter_weekly", "T6",
              "a quarter of the start dose less every 7 d (Schweizer 1990)", fraction_keys},
     .usual = {.reduction = 0.25, .days = 7, .of_start = true}, .needs_from = true, .next = next_percent},
    {.info = {"hyperbolic", "T7",
              "equal steps of occupancy D/(D + ED50), at most 25 % per 14 d (after the Maudsley approach)",
              hyperbolic_keys},
     .usual = {.dO = 0.05, .ED50 = 0.05, .days = 14, .stop_below = 0.01, .has_cap = true, .cap = 0.25, .cap_days = 14},
     .needs_from = true, .next = next_hyperbolic},
    {.info = {"percent_of_start", NULL,
              "reduction: of the start dose less every: so long", linear_keys},
     .usual = {.of_start = true}, .needs_from = true, .next = next_percent},
    {.info = {"percent_of_current", NULL,
              "reduction: of the present dose less every: so long, until stop_below:", decay_keys},
     .needs_from = true, .next = next_percent},
    {.info = {"cdc_monthly", NULL,
              "opioids, a year of use or more: 10 % of the start dose less every 28 d (CDC 2022)",
              linear_keys},
     .usual = {.reduction = 0.10, .days = 28, .of_start = true}, .high = 0.10, .days_low = 28, .needs_from = true,
     .next = next_percent},
    {.info = {"cdc_weekly", NULL,
              "opioids, weeks to months of use: 10 % of the start dose less every 7 d to 30 %, then 10 % of the rest; "
              "over below 5 % of the start dose (CDC 2022)", decay_keys},
     .usual = {.reduction = 0.10, .days = 7, .knee = 0.30, .stop_below = -0.05}, .high = 0.10, .days_low = 7,
     .needs_from = true, .next = next_cdc_weekly},
    {.info = {"va_dod2022", "va_dod",
              "opioids: 10 % (5-20 %) of the start dose less every 28 d (VA/DoD 2022)", percent_keys},
     .usual = {.reduction = 0.10, .days = 28, .of_start = true}, .low = 0.05, .high = 0.20, .days_low = 28,
     .needs_from = true, .next = next_percent},
    {.info = {"hhs2019_fast", NULL,
              "opioids: 10 % of the start dose less every 7 d (HHS 2019, the faster scheme)", percent_keys},
     .usual = {.reduction = 0.10, .days = 7, .of_start = true}, .high = 0.10, .days_low = 7, .needs_from = true,
     .next = next_percent},
    {.info = {"opioid_label", NULL,
              "opioids: 10 % (10-25 %) of the start dose less every 28 d (14-28 d)", percent_keys},
     .usual = {.reduction = 0.10, .days = 28, .of_start = true}, .low = 0.10, .high = 0.25, .days_low = 14,
     .days_high = 28, .needs_from = true, .next = next_percent},
    {.info = {"patch_steps", NULL,
              "fentanyl patches: 12.5 ug/h less every 14 d (14-28 d)", step_keys},
     .usual = {.step = 0.0125 * PER_DAY, .days = 14}, .days_low = 14, .days_high = 28, .needs_from = true,
     .next = next_subtract},
    {.info = {"symptom_guided", "T8",
              "the protocol under wraps:, but held or taken back at reviews of an output (label and guideline "
              "principle; thresholds 20 and 30 are assumptions)", wrapper_keys}},
};

#define N_PROTOCOLS (sizeof protocols / sizeof protocols[0])

const struct hl_taper_protocol *hl_taper_protocol(size_t n)
{
    return n < N_PROTOCOLS ? &protocols[n].info : NULL;
}

/* Keys that every taper understands; those after cap say how the levels are given and are read by the regimen. */
static const char *const common_keys[] = {"protocol", "list",  "from",          "tablets", "patches", "quantum",
                                          "round",    "halve", "split_tablets", "cap",     "split",   "at",
                                          "route",    "by",    "wear",          "pause",   "reinstate", "review"};
#define N_COMMON (sizeof common_keys / sizeof common_keys[0])

static const struct protocol *find_protocol(const struct hl_yaml *node, struct hl_diag *diag)
{
    const char *names[N_PROTOCOLS];
    char hint[128], all[512] = "";
    const char *text = hl_yaml_text(node, "the name of a taper protocol such as 'uk_eighth'", diag);
    if (!text)
        return NULL;
    for (size_t i = 0; i < N_PROTOCOLS; i++) {
        const struct hl_taper_protocol *info = &protocols[i].info;
        names[i] = info->name;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", info->name);
        if (strcmp(text, info->name) == 0 || (info->id && strcmp(text, info->id) == 0))
            return &protocols[i];
    }
    hl_text_did_you_mean(text, names, N_PROTOCOLS, hint, sizeof hint);
    if (hint[0])
        hl_diag_error(diag, node->pos, "unknown taper protocol '%s'%s", text, hint);
    else
        hl_diag_error(diag, node->pos, "unknown taper protocol '%s'; there are %s, and list: for a table of levels",
                      text, all);
    return NULL;
}

static bool is_wrapper(const struct hl_yaml *name)
{
    return hl_is_word(name, "symptom_guided") || hl_is_word(name, "T8");
}

bool hl_taper_is_reviewed(const struct hl_yaml *node)
{
    const struct hl_yaml *name = hl_yaml_get(node, "protocol");
    return hl_yaml_get(node, "review") || (name && is_wrapper(name));
}

static bool check_keys(const struct hl_yaml *node, const struct protocol *protocol, struct hl_diag *diag)
{
    const char *known[N_COMMON + 16];
    char what[96];
    size_t n = 0;
    for (; n < N_COMMON; n++)
        known[n] = common_keys[n];
    for (size_t i = 0; protocol && protocol->info.keys[i]; i++)
        known[n++] = protocol->info.keys[i];
    const struct hl_yaml *name = hl_yaml_get(node, "protocol");
    if (name && is_wrapper(name))
        known[n++] = wrapper_keys[0];
    snprintf(what, sizeof what, "a taper by %s", protocol ? protocol->info.name : "a list of levels");
    return hl_only_keys(node, what, known, n, diag);
}

/* The value under either of two names; both at once is a fault. */
static const struct hl_yaml *either(const struct hl_yaml *node, const char *name, const char *short_name, bool *good,
                                    struct hl_diag *diag)
{
    const struct hl_yaml *a = hl_yaml_get(node, name), *b = hl_yaml_get(node, short_name);
    if (a && b) {
        hl_diag_error(diag, hl_yaml_key(node, short_name)->pos, "'%s' and '%s' are the same; leave one out", short_name,
                      name);
        *good = false;
    }
    return a ? a : b;
}

/* A daily dose [mg/day] from any mass per time. */
static bool read_daily(const struct hl_yaml *node, const char *what, const char *example, bool may_be_zero,
                       double *daily, struct hl_diag *diag)
{
    double rate;
    struct hl_dim dim = hl_dim_of("mg/h");
    if (may_be_zero ? !hl_item_read_not_negative(node, dim, what, example, &rate, diag)
                    : !hl_item_read_positive(node, dim, what, example, &rate, diag))
        return false;
    *daily = rate * PER_DAY;
    return true;
}

/* "25 % per 14 d". */
static bool read_cap(struct hl_arena *arena, const struct hl_yaml *node, struct parameters *p, struct hl_diag *diag)
{
    p->cap_pos = node->pos;
    p->has_cap = !hl_is_word(node, "none");
    if (!p->has_cap)
        return true;
    const char *text = hl_yaml_text(node, "a cap such as \"25 % per 14 d\", or none", diag);
    const char *per = text ? strstr(text, " per ") : NULL;
    if (!text)
        return false;
    if (!per) {
        hl_diag_error(diag, node->pos, "expected a cap such as \"25 %% per 14 d\", or none, found \"%s\"", text);
        return false;
    }
    struct hl_yaml left = *node, right = *node;
    left.text = hl_arena_strndup(arena, text, (size_t)(per - text));
    right.text = per + strlen(" per ");
    right.pos = hl_pos_shift(node->pos, (int)(right.text - text));
    double hours;
    bool good = hl_item_read_fraction(&left, "a cap", false, &p->cap, diag);
    good = hl_item_read_duration(&right, "the time of a cap", &hours, diag) && good;
    if (good)
        p->cap_days = hours / PER_DAY;
    return good;
}

static bool read_percent_of(const struct hl_yaml *node, struct parameters *p, struct hl_diag *diag)
{
    p->of_start = hl_is_word(node, "start");
    if (p->of_start || hl_is_word(node, "current"))
        return true;
    hl_diag_error(diag, node->pos, "percent_of is 'start' (of the first dose) or 'current' (of the present dose)%s%s",
                  node->text ? ", found " : "", node->text ? node->text : "");
    return false;
}

static bool read_pace(const struct hl_yaml *node, struct parameters *p, struct hl_diag *diag)
{
    const char *names[N_PACES];
    char hint[64];
    const char *text = hl_yaml_text(node, "a pace: slow, fast, slowest or fastest", diag);
    for (size_t i = 0; text && i < N_PACES; i++) {
        names[i] = paces[i].name;
        if (strcmp(text, paces[i].name) == 0) {
            p->pace = &paces[i];
            return true;
        }
    }
    if (text)
        hl_diag_error(diag, node->pos, "pace is one of slow, fast, slowest, fastest, found '%s'%s", text,
                      hl_text_did_you_mean(text, names, N_PACES, hint, sizeof hint));
    return false;
}

/* ED50 is a dose per day; the literature writes plain mg too. */
static bool read_ED50(const struct hl_yaml *node, double *ED50, struct hl_diag *diag)
{
    char why[128];
    double value;
    struct hl_unit unit;
    if (node->kind == HL_YAML_SCALAR && hl_quantity_parse(node->text, &value, &unit, why, sizeof why) &&
        hl_dim_equal(unit.dim, hl_dim_of("mg")) && value > 0) {
        *ED50 = value;
        return true;
    }
    return read_daily(node, "the ED50 of the occupancy curve", "0.05 mg/d", false, ED50, diag);
}

static bool read_parameters(struct hl_arena *arena, const struct hl_yaml *node, struct parameters *p,
                            struct hl_diag *diag)
{
    bool good = true;
    double hours;
    const struct hl_yaml *value;
    if ((value = either(node, "every", "w", &good, diag))) {
        if (hl_item_read_duration(value, "the time between two steps", &hours, diag))
            p->days = hours / PER_DAY;
        else
            good = false;
    }
    if ((value = either(node, "reduction", "r", &good, diag)))
        good = hl_item_read_fraction(value, "the reduction", false, &p->reduction, diag) && good;
    if ((value = hl_yaml_get(node, "fraction")))
        good = hl_item_read_fraction(value, "the fraction", false, &p->reduction, diag) && good;
    if ((value = hl_yaml_get(node, "dO")))
        good = hl_item_read_fraction(value, "the step of occupancy", false, &p->dO, diag) && good;
    if ((value = hl_yaml_get(node, "ED50")))
        good = read_ED50(value, &p->ED50, diag) && good;
    if ((value = hl_yaml_get(node, "step")))
        good = read_daily(value, "a step of the daily dose", "0.25 mg/d", false, &p->step, diag) && good;
    if ((value = hl_yaml_get(node, "stop_below")))
        good = read_daily(value, "the dose below which the taper is over", "0.125 mg/d", false, &p->stop_below, diag) &&
               good;
    if ((value = hl_yaml_get(node, "pace")))
        good = read_pace(value, p, diag) && good;
    if ((value = hl_yaml_get(node, "percent_of")))
        good = read_percent_of(value, p, diag) && good;
    if ((value = hl_yaml_get(node, "cap")))
        good = read_cap(arena, value, p, diag) && good;
    if ((value = hl_yaml_get(node, "from")))
        good = read_daily(value, "the daily dose before the taper", "2 mg/d", false, &p->from, diag) && good;
    return good;
}

/* What the protocol's source wouldn't call by its name. */
static void note_departures(const struct hl_yaml *node, const struct protocol *protocol, const struct parameters *p,
                            struct hl_diag *diag)
{
    const char *name = protocol->info.name;
    if (protocol->high > 0 && (p->reduction > protocol->high + NOTHING || p->reduction < protocol->low - NOTHING))
        hl_diag_note(diag, node->pos, "%s reduces by %g to %g %% in its source; this taper by %g %%", name,
                     100 * protocol->low, 100 * protocol->high, 100 * p->reduction);
    if (p->pace && !p->pace->estimated)
        hl_diag_note(diag, node->pos, "%s at the %s pace lies outside the durations its source estimates", name,
                     p->pace->name);
    if (protocol->days_low > 0 && p->days > 0 && p->days < protocol->days_low - NOTHING)
        hl_diag_note(diag, node->pos, "%s takes at least %g d for a step in its source; this taper %g d", name,
                     protocol->days_low, p->days);
    if (protocol->days_high > 0 && p->days > protocol->days_high + NOTHING)
        hl_diag_note(diag, node->pos, "%s takes at most %g d for a step in its source; this taper %g d", name,
                     protocol->days_high, p->days);
}

/* What the protocol needs and isn't given. */
static bool check_parameters(const struct hl_yaml *node, const struct protocol *protocol, struct parameters *p,
                             struct hl_diag *diag)
{
    const char *name = protocol->info.name;
    bool good = true;
    if (protocol->needs_from && !(p->from > 0)) {
        hl_diag_error(diag, node->pos, "a taper by %s needs the daily dose it starts from, such as 'from: 2 mg/d'",
                      name);
        good = false;
    }
    if (protocol->next == next_percent && !(p->reduction > 0)) {
        hl_diag_error(diag, node->pos, "a taper by %s needs 'reduction:', such as '10 %%'", name);
        good = false;
    }
    if (protocol->next == next_percent && !(p->days > 0)) {
        hl_diag_error(diag, node->pos, "a taper by %s needs 'every:', such as '14 d'", name);
        good = false;
    }
    if (p->stop_below < 0)
        p->stop_below = -p->stop_below * p->from;
    if (protocol->next == next_percent && !p->of_start && !(p->stop_below > 0)) {
        hl_diag_error(diag, node->pos,
                      "a taper by a percentage of the present dose never reaches zero; give the dose below which "
                      "it is over, such as 'stop_below: 0.125 mg/d', or 'percent_of: start'");
        good = false;
    }
    note_departures(node, protocol, p, diag);
    return good;
}

static bool run_protocol(struct hl_arena *arena, const struct hl_yaml *node, const struct protocol *protocol,
                         const struct parameters *p, struct hl_taper *taper, struct hl_diag *diag)
{
    size_t capacity = 0;
    double D = p->from, days;
    for (size_t k = 1;; k++) {
        D = protocol->next(p, k, D, &days);
        if (D <= NOTHING * p->from)
            return true;
        if (taper->n == MOST_LEVELS) {
            hl_diag_error(diag, node->pos,
                          "this taper never ends: after %u levels the dose is still %g mg/d; take larger steps",
                          MOST_LEVELS, D);
            return false;
        }
        taper->level = hl_arena_push(arena, taper->level, taper->n, &capacity, sizeof *taper->level);
        taper->level[taper->n++] = (struct hl_taper_level){.dose = D, .given = D, .days = days};
    }
}

/* list: [{dose: 1 mg/d, for: 14 d}, ...] */
static bool read_list(struct hl_arena *arena, const struct hl_yaml *list, struct hl_taper *taper, struct hl_diag *diag)
{
    static const char *const keys[] = {"dose", "for"};
    if (list->kind != HL_YAML_SEQUENCE || list->n == 0) {
        hl_diag_error(diag, list->pos,
                      "expected a list of levels such as [{dose: 1 mg/d, for: 14 d}, {dose: 0.5 mg/d, for: 14 d}]");
        return false;
    }
    bool good = true;
    taper->level = hl_arena_alloc(arena, list->n, sizeof *taper->level);
    for (size_t i = 0; i < list->n; i++) {
        const struct hl_yaml *level = list->item[i], *dose = hl_yaml_get(level, "dose"),
                             *span = hl_yaml_get(level, "for");
        double daily = 0, hours = 0;
        if (!hl_only_keys(level, "a level of a taper", keys, 2, diag)) {
            good = false;
        } else if (!dose || !span) {
            hl_diag_error(diag, level->pos, "a level needs both dose: and for:, as in {dose: 1 mg/d, for: 14 d}");
            good = false;
        } else {
            good = read_daily(dose, "a daily dose", "1 mg/d", true, &daily, diag) && good;
            good = hl_item_read_duration(span, "the time a level is kept", &hours, diag) && good;
        }
        taper->level[taper->n++] = (struct hl_taper_level){.dose = daily, .given = daily, .days = hours / PER_DAY};
    }
    return good;
}

/* Whether a tablet may be broken, and into how many parts: halve: all | scored | [..], split_tablets: halves | .. */
struct breaking {
    int all;
    bool scored;
    const struct hl_yaml *list;
};

static bool read_breaking(const struct hl_yaml *node, struct breaking *breaking, struct hl_diag *diag)
{
    const struct hl_yaml *halve = hl_yaml_get(node, "halve"), *split = hl_yaml_get(node, "split_tablets");
    *breaking = (struct breaking){.all = 1};
    if (split) {
        breaking->all = hl_is_word(split, "whole")      ? 1
                        : hl_is_word(split, "halves")   ? 2
                        : hl_is_word(split, "quarters") ? 4
                                                        : 0;
        if (breaking->all == 0) {
            hl_diag_error(diag, split->pos, "split_tablets is one of whole, halves, quarters%s%s",
                          split->text ? ", found " : "", split->text ? split->text : "");
            return false;
        }
    }
    if (hl_is_word(halve, "all"))
        breaking->all = breaking->all > 2 ? breaking->all : 2;
    else if (hl_is_word(halve, "scored"))
        breaking->scored = true;
    else if (halve && !hl_is_word(halve, "none"))
        breaking->list = halve;
    return true;
}

/* A strength [mg], with or without the word scored behind it ("0.5 mg scored"); of a patch its nominal rate per day. */
static bool read_strength(struct hl_arena *arena, const struct hl_yaml *node, bool patch, double wear_days,
                          double *strength, bool *scored, struct hl_diag *diag)
{
    static const char mark[] = " scored";
    struct hl_yaml plain = *node;
    size_t length = node->kind == HL_YAML_SCALAR ? strlen(node->text) : 0;
    *scored = length > strlen(mark) && strcmp(node->text + length - strlen(mark), mark) == 0;
    if (*scored)
        plain.text = hl_arena_strndup(arena, node->text, length - strlen(mark));
    char why[128];
    struct hl_unit unit;
    double value;
    if (!patch)
        return hl_item_read_positive(&plain, hl_dim_of("mg"), "a tablet's strength", "0.5 mg", strength, diag);
    if (length > 0 && hl_quantity_parse(plain.text, &value, &unit, why, sizeof why) &&
        hl_dim_equal(unit.dim, hl_dim_of("mg")) && value > 0) {
        *strength = value / wear_days; /* a tape is named by its milligrams: so many per wear */
        return true;
    }
    if (!hl_item_read_positive(&plain, hl_dim_of("mg/h"), "a patch's strength", "12.5 ug/h", &value, diag))
        return false;
    *strength = value * PER_DAY;
    return true;
}

static bool is_listed(struct hl_arena *arena, const struct hl_yaml *list, double strength, struct hl_diag *diag,
                      bool *good)
{
    double value;
    bool scored;
    for (size_t i = 0; i < hl_list_size(list); i++) {
        if (!read_strength(arena, hl_list_item(list, i), false, 1, &value, &scored, diag))
            *good = false;
        else if (fabs(value - strength) <= NOTHING * strength)
            return true;
    }
    return false;
}

/* The strengths of a list [mg, or mg/day of a patch] and into how many parts each may be broken; false with
 * messages. */
static bool read_strengths(struct hl_arena *arena, const struct hl_yaml *node, const struct hl_yaml *list, bool patch,
                           struct hl_taper_strength **strength, size_t *n, struct hl_diag *diag)
{
    struct breaking breaking;
    double wear = PER_DAY;
    const struct hl_yaml *wear_node = hl_yaml_get(node, "wear");
    bool good = read_breaking(node, &breaking, diag);
    if (patch && wear_node)
        good = hl_item_read_duration(wear_node, "the time a patch is worn", &wear, diag) && good;
    if (hl_list_size(list) == 0) {
        hl_diag_error(diag, list->pos, "expected at least one strength, such as [0.5 mg, 1 mg]");
        good = false;
    }
    *strength = hl_arena_alloc(arena, hl_list_size(list) + 1, sizeof **strength);
    for (size_t i = 0; good && i < hl_list_size(list); i++) {
        struct hl_taper_strength *s = &(*strength)[i];
        bool scored;
        if (!read_strength(arena, hl_list_item(list, i), patch, wear / PER_DAY, &s->strength, &scored, diag))
            return false;
        s->parts = breaking.all;
        if ((breaking.scored && scored) || (breaking.list && is_listed(arena, breaking.list, s->strength, diag, &good)))
            s->parts = s->parts > 2 ? s->parts : 2;
        *n = i + 1;
    }
    return good;
}

/* Strengths and their parts into piece. */
static bool read_pieces(struct hl_arena *arena, const struct hl_yaml *node, const struct hl_yaml *list, bool patch,
                        double **piece, size_t *n, struct hl_diag *diag)
{
    struct hl_taper_strength *strength;
    size_t capacity = 0, n_strengths = 0;
    bool good = read_strengths(arena, node, list, patch, &strength, &n_strengths, diag);
    *piece = NULL;
    for (size_t i = 0; i < n_strengths; i++)
        for (int d = 1; d <= strength[i].parts; d *= 2) {
            *piece = hl_arena_push(arena, *piece, *n, &capacity, sizeof **piece);
            (*piece)[(*n)++] = strength[i].strength / d;
        }
    return good;
}

bool hl_taper_strengths(struct hl_arena *arena, const struct hl_yaml *node, struct hl_taper_strength **strength,
                        size_t *n, struct hl_diag *diag)
{
    const struct hl_yaml *tablets = hl_yaml_get(node, "tablets");
    *n = 0;
    *strength = NULL;
    return !tablets || read_strengths(arena, node, tablets, false, strength, n, diag);
}

/* A quantum [mg per day]: of a daily dose in mg, of patches in ug/h. */
static bool read_quantum(const struct hl_yaml *node, double *quantum, struct hl_diag *diag)
{
    char why[128];
    struct hl_unit unit;
    if (node->kind == HL_YAML_SCALAR && hl_quantity_parse(node->text, quantum, &unit, why, sizeof why) &&
        hl_dim_equal(unit.dim, hl_dim_of("mg/h"))) {
        *quantum *= PER_DAY;
        if (*quantum > 0)
            return true;
    }
    return hl_item_read_positive(node, hl_dim_of("mg"), "a quantum", "0.125 mg", quantum, diag);
}

static double largest_dose(const struct hl_taper *taper, double from)
{
    double largest = from;
    for (size_t i = 0; i < taper->n; i++)
        largest = fmax(largest, taper->level[i].dose);
    return largest;
}

/* What can be made of tablets:, patches: and quantum:. */
static bool read_tablets(struct hl_arena *arena, const struct hl_yaml *node, double from, struct hl_taper *taper,
                         struct hl_diag *diag)
{
    const struct hl_yaml *tablets = hl_yaml_get(node, "tablets"), *patches = hl_yaml_get(node, "patches");
    const struct hl_yaml *list = tablets ? tablets : patches, *quantum_node = hl_yaml_get(node, "quantum");
    double quantum = 0, *piece;
    size_t n = 0;
    if (tablets && patches) {
        hl_diag_error(diag, hl_yaml_key(node, "patches")->pos, "a taper has tablets: or patches:, not both");
        return false;
    }
    if (quantum_node && !read_quantum(quantum_node, &quantum, diag))
        return false;
    taper->from_tablets = list || quantum_node;
    taper->tablets = hl_tablets_quantum(quantum);
    if (!list)
        return true;
    if (!read_pieces(arena, node, list, patches != NULL, &piece, &n, diag))
        return false;
    if (hl_tablets_make(arena, piece, n, quantum, largest_dose(taper, from), &taper->tablets))
        return true;
    hl_diag_error(diag, list->pos, "these strengths are too fine for a dose of %g mg/d; give 'quantum:' instead",
                  largest_dose(taper, from));
    return false;
}

enum rounding { ROUND_NEAREST, ROUND_NONE, ROUND_UP, ROUND_DOWN };

static bool read_rounding(const struct hl_yaml *node, enum rounding *rounding, struct hl_diag *diag)
{
    static const char *const names[] = {"nearest", "none", "up", "down"};
    const struct hl_yaml *value = hl_yaml_get(node, "round");
    char hint[64];
    *rounding = ROUND_NEAREST;
    if (!value)
        return true;
    const char *text = hl_yaml_text(value, "one of nearest, none, up, down", diag);
    if (!text)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *rounding = (enum rounding)i;
            return true;
        }
    hl_diag_error(diag, value->pos, "round is one of nearest, none, up, down, found '%s'%s", text,
                  hl_text_did_you_mean(text, names, 4, hint, sizeof hint));
    return false;
}

/* "0.75 mg/d or 1 mg/d": what could be made instead of dose. */
static const char *neighbours(const struct hl_tablets *tablets, double dose, char *text, size_t size)
{
    double low = hl_tablets_below(tablets, dose), high = hl_tablets_above(tablets, dose);
    if (isfinite(high))
        snprintf(text, size, "%g mg/d or %g mg/d", low, high);
    else
        snprintf(text, size, "%g mg/d", low);
    return text;
}

static bool round_levels(const struct hl_yaml *node, struct hl_taper *taper, struct hl_diag *diag)
{
    enum rounding rounding;
    char text[96];
    if (!read_rounding(node, &rounding, diag))
        return false;
    if (!taper->from_tablets)
        return true;
    const struct hl_yaml *tablets = hl_yaml_get(node, "tablets"), *patches = hl_yaml_get(node, "patches");
    const struct hl_yaml *stated = tablets ? tablets : patches ? patches : hl_yaml_get(node, "quantum");
    for (size_t i = 0; i < taper->n; i++) {
        struct hl_taper_level *level = &taper->level[i];
        double low = hl_tablets_below(&taper->tablets, level->dose),
               high = hl_tablets_above(&taper->tablets, level->dose);
        bool exact = fabs(level->dose - hl_tablets_nearest(&taper->tablets, level->dose)) <= 1e-6 * taper->tablets.unit;
        if (rounding == ROUND_NONE && !exact) {
            hl_diag_error(diag, stated->pos,
                          "level %zu, %g mg/d, can't be made of the stated strengths; the nearest are %s "
                          "(round: nearest takes them)",
                          i + 1, level->dose, neighbours(&taper->tablets, level->dose, text, sizeof text));
            return false;
        }
        level->given = rounding == ROUND_UP && isfinite(high) ? high
                       : rounding == ROUND_DOWN               ? low
                                                              : hl_tablets_nearest(&taper->tablets, level->dose);
    }
    return true;
}

/* A tail that rounds to nothing ends the drug before the protocol does: worth a word. */
static void warn_of_nothing(const struct hl_yaml *node, const struct hl_taper *taper, struct hl_diag *diag)
{
    for (size_t i = 0; i < taper->n; i++) {
        if (taper->level[i].given > 0 || !(taper->level[i].dose > 0))
            continue;
        hl_diag_warning(diag, node->pos,
                        "level %zu of %zu, %g mg/d, rounds to no dose at all; smaller strengths or a solution would "
                        "be needed to follow the protocol to its end",
                        i + 1, taper->n, taper->level[i].dose);
        return;
    }
}

static void sum_up(struct hl_taper *taper)
{
    for (size_t i = 0; i < taper->n; i++) {
        const struct hl_taper_level *level = &taper->level[i];
        taper->total_days += level->days;
        taper->days += level->given > 0 ? level->days : 0;
        taper->cumulative += level->given * level->days;
    }
}

size_t hl_taper_check_cap(double from, const struct hl_taper_level *level, size_t n_levels, double fraction,
                          double days, struct hl_taper_breach *breach, size_t n)
{
    size_t found = 0;
    double before = from;
    for (size_t i = 0; i < n_levels; i++) {
        double ratio = before > 0 ? level[i].given / before : 1;
        double allowed = pow(1 - fraction, hl_taper_step_days(&level[i]) / days);
        if (level[i].given > 0 && ratio < allowed * (1 - NOTHING)) {
            if (found < n)
                breach[found] = (struct hl_taper_breach){.level = i, .ratio = ratio, .allowed = allowed};
            found++;
        }
        before = level[i].given;
    }
    return found;
}

#define SHOWN_BREACHES 8

static void report_breaches(const struct parameters *p, const struct hl_taper *taper, struct hl_diag *diag)
{
    struct hl_taper_breach breach[SHOWN_BREACHES];
    char text[512];
    int used = 0;
    size_t n = hl_taper_check_cap(p->from, taper->level, taper->n, p->cap, p->cap_days, breach, SHOWN_BREACHES);
    if (n == 0)
        return;
    for (size_t i = 0; i < n && i < SHOWN_BREACHES; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s level %zu: %.0f %%", i ? "," : "",
                         breach[i].level + 1, 100 * (breach[i].ratio - 1));
    if (n > SHOWN_BREACHES)
        snprintf(text + used, sizeof text - (size_t)used, " and %zu more", n - SHOWN_BREACHES);
    hl_diag_warning(diag, p->cap_pos, "exceeds %g %% per %g d at%s", 100 * p->cap, p->cap_days, text);
}

/* The node that names the protocol whose levels are made: of symptom_guided the one it wraps. NULL with a message. */
static const struct hl_yaml *wrapped(const struct hl_yaml *node, const struct hl_yaml *name, struct hl_diag *diag)
{
    const struct hl_yaml *inner = hl_yaml_get(node, "wraps");
    if (!is_wrapper(name))
        return name;
    if (!inner)
        hl_diag_error(diag, name->pos, "%s needs the protocol it wraps, such as 'wraps: asam2025'", name->text);
    else if (is_wrapper(inner))
        hl_diag_error(diag, inner->pos, "symptom_guided can't wrap itself; name the protocol whose levels are meant");
    return inner && !is_wrapper(inner) ? inner : NULL;
}

static bool make_levels(struct hl_arena *arena, const struct hl_yaml *node, struct parameters *p,
                        struct hl_taper *taper, struct hl_diag *diag)
{
    const struct hl_yaml *name = hl_yaml_get(node, "protocol"), *list = hl_yaml_get(node, "list");
    if (name && !list && !(name = wrapped(node, name, diag)))
        return false;
    if (!name == !list) {
        hl_diag_error(diag, list ? hl_yaml_key(node, "list")->pos : node->pos,
                      "a taper has either 'protocol:', such as uk_eighth, or 'list:' of levels%s",
                      name ? ", not both; leave one out" : "");
        return false;
    }
    const struct protocol *protocol = name ? find_protocol(name, diag) : NULL;
    if (name && !protocol)
        return false;
    if (name && !protocol->next) {
        hl_diag_error(diag, name->pos, "%s is given to two drugs and stands alone in its item, under the drug that "
                      "goes", protocol->info.name);
        return false;
    }
    bool good = check_keys(node, protocol, diag);
    if (protocol)
        *p = protocol->usual;
    p->cap_pos = node->pos;
    good = read_parameters(arena, node, p, diag) && good;
    if (list)
        return read_list(arena, list, taper, diag) && good;
    return good && check_parameters(node, protocol, p, diag) && run_protocol(arena, node, protocol, p, taper, diag);
}

struct hl_taper *hl_taper_make(struct hl_arena *arena, const struct hl_yaml *node, struct hl_diag *diag)
{
    struct parameters p = {0};
    struct hl_taper *taper = hl_arena_alloc(arena, 1, sizeof *taper);
    if (node->kind != HL_YAML_MAPPING) {
        hl_diag_error(diag, node->pos, "expected a taper such as {protocol: uk_eighth, from: 2 mg/d, split: 12 h}");
        return NULL;
    }
    if (!make_levels(arena, node, &p, taper, diag) || !hl_detours_apply(arena, node, p.from, taper, diag))
        return NULL;
    if (!read_tablets(arena, node, p.from, taper, diag) || !round_levels(node, taper, diag))
        return NULL;
    warn_of_nothing(node, taper, diag);
    sum_up(taper);
    taper->before = (struct hl_taper_level){.dose = p.from, .given = p.from,
                                            .days = taper->n > 0 ? taper->level[0].days : 0};
    if (taper->from_tablets && p.from > 0)
        taper->before.given = hl_tablets_nearest(&taper->tablets, p.from);
    if (p.has_cap)
        report_breaches(&p, taper, diag);
    return taper;
}

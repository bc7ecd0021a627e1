/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prescriptions become doses, doses become events. A regimen is compiled once
 * per arm from the study's YAML; events are made once per subject, because lags,
 * bioavailabilities, infusion times, patch contents and a pump's demands are a
 * subject's own. Times are hours since the study's origin. */
#ifndef HL_REGIMEN_REGIMEN_H
#define HL_REGIMEN_REGIMEN_H

#include "base/status.h"
#include "regimen/adherence.h"
#include "regimen/review.h"
#include "study/study.h"

enum hl_dose_kind { HL_DOSE_GIVEN, HL_DOSE_INFUSION, HL_DOSE_PATCH };

/* What bioavailability changes of an infusion: how fast it arrives, how long it runs (NONMEM; one that never ends keeps
 * its rate), or nothing (one that has been running for ever, where F would change its duration). */
enum hl_scaled { HL_SCALED_RATE, HL_SCALED_DURATION, HL_SCALED_NOTHING };

/* One administration, as prescribed. */
struct hl_dose {
    double time;
    int route;                  /* index into system->route */
    enum hl_dose_kind kind;
    double amount;              /* [mg]; of an endless infusion 0; of a patch its nominal strength (engine's unit) */
    double rate;                /* infusion [mg/h] */
    double duration;            /* infusion or wear [h]; INFINITY when it runs on */
    double repeat_interval;     /* the II it came from [h], 0 when single: accumulation and steady state metrics */
    enum hl_scaled scaled;      /* infusion */
};

/* A window in which the patient may press the button: demands are a Poisson process of rate per_hour. */
struct hl_demand {
    double start, stop;         /* [h] */
    int route;
    double bolus;               /* [mg] */
    double per_hour;            /* [1/h] */
    double lockout;             /* [h] */
    double hourly_limit;        /* boluses in any 60 minutes; INFINITY for none */
    int number;                 /* distinguishes windows in the random stream */
};

/* "On this regimen since long before time": the state is periodic with this cycle up to time. */
struct hl_steady {
    int instance;
    double time;                /* the next dose of the cycle would be given here */
    double period;              /* [h] */
    size_t n; struct hl_dose *dose; /* of one cycle, times in [0, period) */
};

/* Doses each subject has of its own, from a table: subject k those from first[k - 1] to first[k], in order of time. n:
 * of all. */
struct hl_recorded { size_t n_subjects, n; size_t *first; struct hl_dose *dose; };

/* A crossover that was given: milligrams of the second drug per milligram of the first, and how the second one's taper
 * would be written alone (its tablets:). */
struct hl_crossed { int first, second; double ratio; const struct hl_yaml *target; };

struct hl_regimen {
    size_t n_doses;   struct hl_dose *dose;     /* sorted by time; everybody's */
    size_t n_reviewed; struct hl_reviewed *reviewed; /* tapers whose levels are decided for each subject */
    struct hl_recorded recorded;                /* n_subjects 0: there are none */
    size_t n_demands; struct hl_demand *demand;
    size_t n_steady;  struct hl_steady *steady; /* at most one per instance */
    size_t n_crossed; struct hl_crossed *crossed;
    double end;                                 /* time of the last planned event, 0 when there is none */
    const struct hl_adherence **adherence;      /* by instance: how its planned doses are missed, NULL: none is; NULL
                                                   where nobody misses any */
};

/* Compiles an arm's prescriptions. NULL with messages in diag: regimens and tapers that never end or can't be made,
 * unknown routes and protocols, units that don't fit. */
struct hl_regimen *hl_regimen_compile(struct hl_arena *arena, const struct hl_study *study, const struct hl_arm *arm,
                                      struct hl_diag *diag);

/* How many times one subject takes each planned dose (n_doses values): 0, 1 or 2. Infusions, patches put on and doses
 * of drugs without a rule count 1; nobody wears a patch twice. */
void hl_regimen_taken(const struct hl_regimen *regimen, const struct hl_system *system, uint64_t seed,
                      uint64_t subject, unsigned char *taken);

/* Whether a dose can be missed: it is a dose or a patch, of something, of a drug with a rule. */
bool hl_regimen_may_miss(const struct hl_regimen *regimen, const struct hl_system *system, const struct hl_dose *dose);

/* When a patch that is due off at time until [h] really comes off: a change that is missed leaves it on until the one
 * that was missed would have come off. Looks at doses from number first on; taken: of hl_regimen_taken, NULL for all.
 */
double hl_regimen_worn_until(const struct hl_regimen *regimen, const unsigned char *taken, size_t first, int route,
                             double until);

enum hl_event_kind {
    HL_EVENT_ADD,    /* x[state] += value [mg] */
    HL_EVENT_RATE,   /* infusion into state changes by value [mg/h] */
    HL_EVENT_GIVEN,  /* a dose is given now (no state changes): instance, value = amount [mg], of a patch its content,
                        of a reservoir or an endless infusion 0; for tad, troughs and /doses */
    HL_EVENT_REFUSED, /* a demand was refused by lockout or limit */
    HL_EVENT_RELEASE /* a dose of value [mg] begins to enter state by the course of release */
};

struct hl_event {
    double time;
    enum hl_event_kind kind;
    int state;                  /* -1 for GIVEN and REFUSED */
    double value;
    int route;                  /* where it came from */
    int instance;
    double interval;            /* GIVEN: the dosing interval it belongs to [h], 0 unknown */
    double rate;                /* GIVEN: of an infusion [mg/h], else 0 */
    const struct hl_release *release; /* RELEASE: of the route's part; else NULL */
};

struct hl_events { size_t n, capacity; struct hl_event *event; };

/* Makes to the same list as from; to->event grows as needed (hl_grow). HL_ERR_MEMORY. */
enum hl_status hl_events_copy(const struct hl_events *from, struct hl_events *to);

/* Events of one subject in time order, of the doses the subject takes: a dose that is missed leaves no trace, one that
 * is made up for is given with twice its amount (ties: GIVEN and REFUSED first, then rate changes off before on, then
 * ADD and RELEASE; otherwise order of prescription) from lane lane of the register file (read only, except the
 * nominal/content registers of patches, which it uses as scratch). Reuses events->event (hl_grow); HL_ERR_MEMORY on
 * failure. Of the doses of a steady-state cycle before steady->time everything still to come at or after it is
 * included: delayed arrivals, removals of patches, starts of delayed infusions, and the ends of those that are running
 * then. What is running just before steady->time is rate_at_start of hl_regimen_cycle; the list goes on from there.
 * Doses that are being released then aren't in the list: they follow from the cycle's RELEASE events. */
enum hl_status hl_regimen_events(const struct hl_regimen *regimen, const struct hl_system *system, double *regs,
                                 size_t lanes, size_t lane, uint64_t seed, uint64_t subject, struct hl_events *events);

/* Where the n-th event in the order of prescription stands in a list in order of time. */
struct hl_event_order { size_t capacity; size_t *place; };

/* A regimen as one subject has it: with n own doses (any order) in their places in time among everybody's. own[i]:
 * number of dose i among them, SIZE_MAX for everybody's (NULL when there are no own ones). HL_ERR_MEMORY; to be cleared
 * in any case. It borrows from the regimen. */
struct hl_planned { struct hl_regimen regimen; size_t n; struct hl_dose *dose; size_t *own; };
enum hl_status hl_planned_make(const struct hl_regimen *regimen, const struct hl_system *system,
                               const struct hl_dose *own, size_t n, struct hl_planned *planned);
void hl_planned_clear(struct hl_planned *planned);

/* The same as hl_regimen_events, with these doses as the subject's own in place of those recorded. */
enum hl_status hl_regimen_events_with(const struct hl_regimen *regimen, const struct hl_dose *own, size_t n,
                                      const struct hl_system *system, double *regs, size_t lanes, size_t lane,
                                      uint64_t seed, uint64_t subject, struct hl_events *events);

/* The list has the events of everybody's doses and of the first `known` own ones, and everything before number from
 * has happened: adds those of the other own doses, as far as they are taken, and puts what is left in order.
 * HL_ERR_MEMORY. */
enum hl_status hl_regimen_append(const struct hl_regimen *regimen, const struct hl_dose *own, size_t n, size_t known,
                                 const struct hl_system *system, double *regs, size_t lanes, size_t lane,
                                 uint64_t seed, uint64_t subject, size_t from, struct hl_events *events);

/* A subject's recorded doses (from 1), and how many. */
const struct hl_dose *hl_regimen_recorded(const struct hl_regimen *regimen, uint64_t subject, size_t *n);

/* How many doses of an instance a subject can get at most. */
size_t hl_regimen_most_doses(const struct hl_regimen *regimen, const struct hl_system *system, int instance);

/* For arms whose subjects have events at common times (hl_regimen_is_common) and no steady regimen: the same list, and
 * its order. order->place grows as needed (hl_grow). HL_ERR_MEMORY. */
enum hl_status hl_regimen_order(const struct hl_regimen *regimen, const struct hl_system *system, double *regs,
                                size_t lanes, size_t lane, struct hl_events *events, struct hl_event_order *order);

/* Makes the list of one subject of the arm the list of another one: only values differ, times may since have been moved
 * to output times. Several times as fast as making it anew. False when they don't fit: an infusion's change has another
 * sign (which would order it differently), a value is not finite. The list is then of no use. */
bool hl_regimen_refill(const struct hl_regimen *regimen, const struct hl_system *system, double *regs, size_t lanes,
                       size_t lane, const struct hl_event_order *order, struct hl_events *events);

/* What a dose holds [mg] for one subject: its amount; of a patch the content the model gives it (of a reservoir, rate
 * times wear). Writes the nominal and content registers of the patch. */
double hl_regimen_amount(const struct hl_dose *dose, const struct hl_system *system, double *regs, size_t lanes,
                         size_t lane);

/* One steady-state cycle for one subject, wrapped into [0, period): its events, and the rates already running just
 * before its start (by state, n_states values, zero-filled first). An input that never pauses has a rate, no events. */
enum hl_status hl_regimen_cycle(const struct hl_steady *steady, const struct hl_system *system, double *regs,
                                size_t lanes, size_t lane, struct hl_events *events, double *rate_at_start);

/* True when every subject of the arm has the same event times (no individual lag, duration or demand, no missed dose).
 */
bool hl_regimen_is_common(const struct hl_regimen *regimen, const struct hl_system *system);

/* True when every subject of the arm has the very same events, times and values: nothing of a subject's own (a
 * bioavailability, a lag, a patch's content, a demand, a missed dose) goes into them. One list then serves all. */
bool hl_regimen_is_shared(const struct hl_regimen *regimen, const struct hl_system *system);

#endif

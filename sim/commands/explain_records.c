/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The expanded event list of an individual of a data set. The course tells what happens while the individual is really
 * carried through; nothing is reconstructed here. */
#include "commands/explain_records.h"

#include <inttypes.h>
#include <math.h>

#include "solve/course.h"

struct teller {
    const struct hl_system *system;
    const struct hl_individual *who;
    uint64_t lines, most; /* most 0: all */
    double *last;         /* individual parameters as told last */
    bool told;
};

const struct hl_individual *hl_explain_find(const struct hl_prepared *p, uint64_t subject, enum hl_status *status,
                                            struct hl_diag *diag)
{
    *status = hl_data_rewind(p->data, diag);
    const struct hl_individual *who = NULL;
    while (*status == HL_OK && (who = hl_data_next(p->data, status, diag)) != NULL)
        if (who->number == subject)
            return who;
    return NULL;
}

/* Counts a line; false when no more are wanted. */
static bool may_tell(struct teller *t)
{
    t->lines++;
    return t->most == 0 || t->lines <= t->most;
}

/* "dose of line 2", "2nd additional dose of line 2", "earlier dose of the steady state of line 2". */
static const char *origin(const struct teller *t, const struct hl_happening *h, char *text, size_t size)
{
    unsigned long long row = (unsigned long long)t->who->record[h->record].row;
    if (h->earlier)
        snprintf(text, size, "implied dose before the steady state of line %llu", row);
    else if (h->dose > 0)
        snprintf(text, size, "additional dose %llu of line %llu", (unsigned long long)h->dose, row);
    else
        snprintf(text, size, "line %llu", row);
    return text;
}

static const char *place(const struct teller *t, const struct hl_happening *h)
{
    return h->state >= 0 ? t->system->state[h->state].name : h->route >= 0 ? t->system->route[h->route].name : "";
}

/* Individual parameters that differ from those told before. */
static void tell_parameters(struct teller *t, const struct hl_happening *h)
{
    char unit[64];
    for (size_t i = 0; i < t->system->n_individuals; i++) {
        const struct hl_system_individual *v = &t->system->individual_value[i];
        double value = h->regs[v->reg];
        if (t->told && value != t->last[i] && may_tell(t)) /* any change at all */
            printf("  %12.6g h    %s is now %.6g %s\n", h->time, v->name, value,
                   hl_dim_name(t->system->reg[v->reg].dim, unit, sizeof unit));
        t->last[i] = value;
    }
    t->told = true;
}

static void tell_read(const struct hl_happening *h, const char *from, const char *where)
{
    printf("  %12.6g h    dose read (%s): %.6g mg into %s, F %.6g", h->time, from, h->amount, where, h->F);
    if (h->lag != 0)
        printf(", lag %.6g h", h->lag);
    if (h->rate != 0)
        printf(", %.6g mg/h over %.6g h", h->rate, h->duration);
    putchar('\n');
}

static void tell_steady(const struct teller *t, const struct hl_happening *h, const char *from)
{
    const struct hl_record *record = &t->who->record[h->record];
    if (record->II > 0)
        printf("  %12.6g h    %s: SS %d, one dose every %.6g h since ever\n", h->time, from, record->SS, record->II);
    else
        printf("  %12.6g h    %s: SS %d, infused since ever\n", h->time, from, record->SS);
}

static void tell_reset(const struct hl_happening *h, const char *from)
{
    printf("  %12.6g h    %s: all amounts back to their initial values, %zu pending or running input%s cancelled\n",
           h->time, from, h->cancelled, h->cancelled == 1 ? "" : "s");
}

static void tell_record(const struct teller *t, const struct hl_happening *h)
{
    const struct hl_record *r = &t->who->record[h->record];
    printf("  %12.6g h  line %llu: EVID %d", r->TIME, (unsigned long long)r->row, r->EVID);
    if (r->CMT != 0)
        printf(", CMT %d", r->CMT);
    if (r->AMT != 0)
        printf(", AMT %.6g mg", r->AMT);
    if (r->RATE != 0)
        printf(", RATE %.6g", r->RATE);
    if (r->SS != 0)
        printf(", SS %d", r->SS);
    if (r->II != 0)
        printf(", II %.6g h", r->II);
    if (r->ADDL != 0)
        printf(", ADDL %llu", (unsigned long long)r->ADDL);
    if (r->OCC != 0)
        printf(", OCC %.6g", r->OCC);
    putchar('\n');
}

static void tell(void *context, const struct hl_happening *h)
{
    struct teller *t = context;
    char text[96];
    if (h->kind == HL_HAPPEN_PARAMETERS) {
        tell_parameters(t, h);
        return;
    }
    if (!may_tell(t))
        return;
    const char *from = origin(t, h, text, sizeof text), *where = place(t, h);
    switch (h->kind) {
    case HL_HAPPEN_READ: tell_read(h, from, where); break;
    case HL_HAPPEN_BOLUS: printf("  %12.6g h    %.6g mg enter %s (%s)\n", h->time, h->amount, where, from); break;
    case HL_HAPPEN_RELEASE:
        printf("  %12.6g h    %.6g mg begin to enter %s by their own course (%s)\n", h->time, h->amount, where, from);
        break;
    case HL_HAPPEN_START:
        printf("  %12.6g h    infusion into %s starts (%s): %.6g mg/h for %.6g h\n", h->time, where, from, h->rate,
               h->duration);
        break;
    case HL_HAPPEN_END: printf("  %12.6g h    infusion into %s ends (%s)\n", h->time, where, from); break;
    case HL_HAPPEN_STEADY: tell_steady(t, h, from); break;
    case HL_HAPPEN_RESET: tell_reset(h, from); break;
    case HL_HAPPEN_REPLACE:
        printf("  %12.6g h    %s: the amount in %s becomes %.6g mg\n", h->time, from, where, h->amount);
        break;
    case HL_HAPPEN_OFF: printf("  %12.6g h    %s: %s is switched off\n", h->time, from, where); break;
    case HL_HAPPEN_ON: printf("  %12.6g h    %s: %s is switched on\n", h->time, from, where); break;
    case HL_HAPPEN_SHOWN: tell_record(t, h); break;
    case HL_HAPPEN_PARAMETERS: break;
    }
}

static enum hl_status carry(const struct hl_prepared *p, size_t arm, const struct hl_individual *who,
                            struct teller *teller, struct hl_course_fault *fault)
{
    const struct hl_study *study = p->study;
    struct hl_course *course = hl_course_create(p->plan[arm], p->cohort[arm], study->data);
    double *value = hl_alloc(who->n * study->n_outputs, sizeof *value);
    struct hl_course_listener listener = {.context = teller, .happening = tell};
    enum hl_status status = course && value ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK)
        status = hl_course_run(course, who, study->output, study->n_outputs, value, fault, &listener);
    hl_free(value);
    hl_course_free(course);
    return status;
}

enum hl_status hl_explain_records(const struct hl_prepared *p, size_t arm, uint64_t subject, uint64_t most,
                                  struct hl_diag *diag)
{
    enum hl_status status;
    const struct hl_individual *who = hl_explain_find(p, subject, &status, diag);
    if (!who)
        return status == HL_OK ? HL_ERR_INPUT : status;
    const struct hl_system *system = p->study->arm[arm].system;
    struct teller teller = {.system = system, .who = who, .most = most};
    struct hl_course_fault fault = {0};
    teller.last = hl_alloc(system->n_individuals, sizeof *teller.last);
    if (!teller.last)
        return HL_ERR_MEMORY;
    printf("records of ID %s (%zu) and what happens up to each\n", who->id_text, who->n);
    status = carry(p, arm, who, &teller, &fault);
    if (teller.most && teller.lines > teller.most)
        printf("  ... %" PRIu64 " more lines (--events 0 lists all)\n", teller.lines - teller.most);
    if (status == HL_OK && fault.status != HL_SUBJECT_GOOD) {
        struct hl_pos pos = {.file = p->study->data->path, .line = (int)who->record[fault.record].row, .column = 1};
        hl_diag_error(diag, pos, "ID %s at TIME %.10g: %s", who->id_text, who->record[fault.record].TIME, fault.text);
        status = HL_ERR_SUBJECTS;
    }
    hl_free(teller.last);
    return status;
}

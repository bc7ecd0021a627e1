/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A regimen as one subject has it: everybody's doses and its own in one list, in order of time; at one time by drug,
 * everybody's first, else as they came. What follows, missed doses too, needn't know where a dose comes from. */
#include <string.h>

#include "regimen/order.h"
#include "regimen/regimen.h"

struct placed { struct hl_dose dose; int instance; size_t own; };

static bool placed_before(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return x->dose.time < y->dose.time || (!(y->dose.time < x->dose.time) && x->instance < y->instance);
}

static void place_all(const struct hl_regimen *regimen, const struct hl_system *system, const struct hl_dose *own,
                      size_t n, struct placed *list)
{
    for (size_t i = 0; i < regimen->n_doses + n; i++) {
        bool common = i < regimen->n_doses;
        const struct hl_dose *dose = common ? &regimen->dose[i] : &own[i - regimen->n_doses];
        list[i] = (struct placed){*dose, system->route[dose->route].instance, common ? SIZE_MAX : i - regimen->n_doses};
    }
}

enum hl_status hl_planned_make(const struct hl_regimen *regimen, const struct hl_system *system,
                               const struct hl_dose *own, size_t n, struct hl_planned *planned)
{
    size_t all = regimen->n_doses + n;
    *planned = (struct hl_planned){.regimen = *regimen, .n = regimen->n_doses};
    if (n == 0)
        return HL_OK;
    struct placed *list = hl_alloc(2 * all, sizeof *list);
    planned->dose = hl_alloc(all, sizeof *planned->dose);
    planned->own = hl_alloc(all, sizeof *planned->own);
    bool good = list && planned->dose && planned->own;
    if (good) {
        place_all(regimen, system, own, n, list);
        hl_sort_stable(list, all, sizeof *list, placed_before, list + all);
    }
    for (size_t i = 0; good && i < all; i++) {
        planned->dose[i] = list[i].dose;
        planned->own[i] = list[i].own;
    }
    hl_free(list);
    planned->n = planned->regimen.n_doses = all;
    planned->regimen.dose = planned->dose;
    return good ? HL_OK : HL_ERR_MEMORY;
}

void hl_planned_clear(struct hl_planned *planned)
{
    hl_free(planned->dose);
    hl_free(planned->own);
    *planned = (struct hl_planned){.n = 0};
}

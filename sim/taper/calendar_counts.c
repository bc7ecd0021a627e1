/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many tablets. An amount becomes the fewest pieces (taper/products.h).
 *
 * Who has taken c pieces of a tablet that breaks into q has begun ceil(c / q) tablets. So days from a to b need
 * ceil(c_b / q) - ceil(c_a / q) new ones when a half that is left over is used first; months add up to the whole. */
#include "taper/calendar.h"

#include <math.h>

#include "taper/products.h"

bool hl_calendar_pieces(struct hl_arena *arena, size_t n_products, const struct hl_product *product, double amount,
                        long *count)
{
    struct hl_taper_drug drug = {.n_products = n_products};
    struct hl_doses doses;
    long units;
    drug.product = hl_arena_alloc(arena, n_products + 1, sizeof *drug.product);
    for (size_t p = 0; p < n_products; p++) {
        drug.product[p] = product[p];
        count[p] = 0;
    }
    return n_products > 0 && hl_products_unit(&drug) && hl_products_units(&drug, amount, &units) &&
           hl_doses_make(arena, &drug, units, &doses) == HL_OK && hl_doses_count(&doses, &drug, units, count);
}

long hl_calendar_count(const struct hl_calendar *calendar, size_t drug, size_t product, long first, long n)
{
    long sum = 0;
    for (size_t i = 0; i < calendar->n_takes; i++) {
        const struct hl_calendar_take *take = &calendar->take[i];
        if (take->drug == drug && take->count && !take->removal && take->day >= first && take->day < first + n)
            sum += take->count[product];
    }
    return sum;
}

static long begun(long pieces, int of)
{
    return (pieces + of - 1) / of;
}

long hl_calendar_whole(const struct hl_calendar *calendar, size_t drug, size_t product, long first, long n)
{
    int of = calendar->drug[drug].product[product].pieces;
    long before = hl_calendar_count(calendar, drug, product, 0, first),
         until = hl_calendar_count(calendar, drug, product, 0, first + n);
    return begun(until, of) - begun(before, of);
}

double hl_calendar_amount(const struct hl_calendar *calendar, size_t drug, long first, long n)
{
    double sum = 0;
    for (size_t i = 0; i < calendar->n_takes; i++) {
        const struct hl_calendar_take *take = &calendar->take[i];
        double time = (double)take->day * 24 + take->minute / 60.0;
        double from = (double)first * 24, to = (double)(first + n) * 24;
        if (take->drug != drug || take->removal)
            continue;
        if (take->kind == HL_CALENDAR_DOSE && take->day >= first && take->day < first + n)
            sum += take->amount;
        if (take->kind == HL_CALENDAR_INFUSION)
            sum += take->rate * fmax(0, fmin(time + take->hours, to) - fmax(time, from));
    }
    return sum;
}

bool hl_calendar_month(const struct hl_calendar *calendar, size_t m, long *first, long *n)
{
    *first = 28 * (long)m;
    *n = 28;
    if (calendar->options.dated) {
        struct hl_date start = calendar->options.start;
        int months = start.month - 1 + (int)m, year = start.year + months / 12, month = months % 12 + 1;
        long begin = hl_date_number((struct hl_date){year, month, 1}) - calendar->start;
        *first = begin > 0 ? begin : 0;
        *n = begin + hl_month_days(year, month) - *first;
    }
    return *first < calendar->n_days;
}

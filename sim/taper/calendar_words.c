/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A calendar in words: "1 1/2 x 0.5 mg + 1 x 0.125 mg", "12 drops", "put on 25 ug/h". Written as people read them:
 * halves and quarters as fractions in lowest terms, forms named only where a drug has more than one. */
#include "taper/calendar.h"

#include <math.h>
#include <string.h>

#include "base/whole.h"

const char *hl_calendar_number_text(struct hl_arena *arena, long pieces, int of, bool fancy)
{
    static const struct { long n, of; const char *sign; } signs[] = {{1, 2, "½"}, {1, 4, "¼"}, {3, 4, "¾"}};
    long whole = pieces / of, rest = pieces % of, common = (long)hl_gcd((uint64_t)rest, (uint64_t)of);
    if (rest == 0)
        return hl_arena_printf(arena, "%ld", whole);
    const char *part = hl_arena_printf(arena, "%ld/%ld", rest / common, of / common);
    for (size_t i = 0; fancy && i < sizeof signs / sizeof *signs; i++)
        if (signs[i].n == rest / common && signs[i].of == of / common)
            part = signs[i].sign;
    return whole ? hl_arena_printf(arena, "%ld %s", whole, part) : part;
}

const char *hl_calendar_amount_text(struct hl_arena *arena, const struct hl_calendar_drug *drug, double amount,
                                    bool is_rate)
{
    return hl_arena_printf(arena, "%.7g %s", amount / (is_rate ? drug->rate_scale : drug->scale),
                           is_rate ? drug->rate_unit : drug->unit);
}

static bool is_form(const struct hl_product *product, const char *form)
{
    return product->form && strcmp(product->form, form) == 0;
}

/* More than one form: then a strength alone doesn't say which tablet is meant. */
static bool has_forms(const struct hl_calendar_drug *drug)
{
    for (size_t p = 1; p < drug->n_products; p++)
        if (strcmp(drug->product[p].form, drug->product[0].form) != 0)
            return true;
    return false;
}

const char *hl_calendar_product_text(struct hl_arena *arena, const struct hl_calendar_drug *drug, size_t product)
{
    const struct hl_product *p = &drug->product[product];
    bool is_rate = is_form(p, "patch") && strcmp(drug->rate_unit, drug->unit) != 0;
    const char *strength = hl_calendar_amount_text(arena, drug, p->strength, is_rate);
    if (p->measured && p->name)
        return p->name;
    return has_forms(drug) && !is_form(p, "tablet") ? hl_arena_printf(arena, "%s %s", strength, p->form) : strength;
}

/* "1 1/2 x 0.5 mg"; of drops and solutions the number and what they hold. */
static const char *count_text(struct hl_arena *arena, const struct hl_calendar_drug *drug, size_t p, long count,
                              bool fancy)
{
    const struct hl_product *product = &drug->product[p];
    const char *sign = fancy ? "×" : "x";
    if (product->measured) {
        double held = (double)count * product->strength / product->pieces;
        return hl_arena_printf(arena, "%ld %s %s (%s)", count, sign, hl_calendar_product_text(arena, drug, p),
                               hl_calendar_amount_text(arena, drug, held, false));
    }
    return hl_arena_printf(arena, "%s %s %s", hl_calendar_number_text(arena, count, product->pieces, fancy), sign,
                           hl_calendar_product_text(arena, drug, p));
}

/* All products of a take, "+" between them; the bare amount where none are known. */
static const char *what_text(struct hl_arena *arena, const struct hl_calendar_drug *drug,
                             const struct hl_calendar_take *take, bool fancy)
{
    const char *text = "";
    for (size_t p = 0; take->count && p < drug->n_products; p++)
        if (take->count[p])
            text = hl_arena_printf(arena, "%s%s%s", text, *text ? " + " : "",
                                   count_text(arena, drug, p, take->count[p], fancy));
    return *text ? text : hl_calendar_amount_text(arena, drug, take->amount, take->kind == HL_CALENDAR_PATCH);
}

/* "over 30 min" */
static const char *span_text(struct hl_arena *arena, double hours)
{
    return hours < 2 ? hl_arena_printf(arena, "%.4g min", hours * 60) : hl_arena_printf(arena, "%.4g h", hours);
}

const char *hl_calendar_take_text(struct hl_arena *arena, const struct hl_calendar *calendar,
                                  const struct hl_calendar_take *take, bool fancy)
{
    const struct hl_calendar_drug *drug = &calendar->drug[take->drug];
    if (take->kind == HL_CALENDAR_INFUSION && take->removal)
        return "stop infusion";
    if (take->kind == HL_CALENDAR_INFUSION && take->hours < 24 - 1e-6)
        return hl_arena_printf(arena, "%s over %s",
                               hl_calendar_amount_text(arena, drug, take->rate * take->hours, false),
                               span_text(arena, take->hours));
    if (take->kind == HL_CALENDAR_INFUSION)
        return hl_arena_printf(arena, "infuse %s", hl_calendar_amount_text(arena, drug, take->rate, true));
    if (take->kind == HL_CALENDAR_PATCH)
        return take->removal ? "take off patch"
                             : hl_arena_printf(arena, "put on %s", what_text(arena, drug, take, fancy));
    return what_text(arena, drug, take, fancy);
}

const char *hl_calendar_day_text(struct hl_arena *arena, const struct hl_calendar *calendar, long day)
{
    if (!calendar->options.dated)
        return hl_arena_printf(arena, "day %ld", day + 1);
    struct hl_date date = hl_date_of(calendar->start + day);
    return hl_arena_printf(arena, "%s %04d-%02d-%02d", hl_weekday_short(hl_date_weekday(calendar->start + day)),
                           date.year, date.month, date.day);
}

const char *hl_calendar_month_text(struct hl_arena *arena, const struct hl_calendar *calendar, size_t m)
{
    long first, n;
    (void)hl_calendar_month(calendar, m, &first, &n);
    if (!calendar->options.dated)
        return hl_arena_printf(arena, "days %ld-%ld", first + 1, first + n);
    struct hl_date date = hl_date_of(calendar->start + first);
    return hl_arena_printf(arena, "%s %d", hl_month_name(date.month), date.year);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A calendar as two tables (docs/calendar.md): days, and numbers of tablets. Numbers are plain, texts quoted only
 * where they need it (RFC 4180). Without dates the columns date and weekday are empty. */
#include <string.h>

#include "taper/calendar.h"

static void put_text(const char *text, FILE *stream)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

static void put_date(const struct hl_calendar *c, long day, FILE *stream)
{
    struct hl_date date = hl_date_of(c->start + day);
    if (c->options.dated)
        fprintf(stream, "%04d-%02d-%02d", date.year, date.month, date.day);
}

/* "08:00 1 x 0.5 mg; 20:00 1 1/2 x 0.5 mg" */
static const char *taken_text(struct hl_arena *arena, const struct hl_calendar *c, long day, size_t drug)
{
    const char *text = "";
    for (size_t i = c->first_take[day]; i < c->first_take[day + 1]; i++)
        if (c->take[i].drug == drug)
            text = hl_arena_printf(arena, "%s%s%02d:%02d %s", text, *text ? "; " : "", c->take[i].minute / 60,
                                   c->take[i].minute % 60, hl_calendar_take_text(arena, c, &c->take[i], false));
    return text;
}

static void put_day(struct hl_arena *arena, const struct hl_calendar *c, long day, size_t d, FILE *stream)
{
    const struct hl_calendar_entry *entry = &c->entry[(size_t)day * c->n_drugs + d];
    const struct hl_calendar_drug *drug = &c->drug[d];
    bool is_rate = entry->level >= 0 && c->level[entry->level].is_rate;
    fprintf(stream, "%ld,", day + 1);
    put_date(c, day, stream);
    fprintf(stream, ",%s,", c->options.dated ? hl_weekday_name(hl_date_weekday(c->start + day)) : "");
    put_text(drug->name, stream);
    fprintf(stream, ",%zu,%d,", entry->level < 0 ? 0 : c->level[entry->level].number, entry->changes);
    put_text(taken_text(arena, c, day, d), stream);
    fprintf(stream, ",%.10g,%s\n", entry->total / (is_rate ? drug->rate_scale : drug->scale),
            is_rate ? drug->rate_unit : drug->unit);
}

enum hl_status hl_calendar_write_days(const struct hl_calendar *calendar, FILE *stream)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    fputs("day,date,weekday,drug,level,new_level,taken,total,unit\n", stream);
    for (long day = 0; day < calendar->n_days; day++)
        for (size_t d = 0; d < calendar->n_drugs; d++)
            put_day(arena, calendar, day, d, stream);
    hl_arena_free(arena);
    return fflush(stream) != 0 || ferror(stream) ? HL_ERR_IO : HL_OK;
}

/* One span of one drug: its days on the calendar, from 0. */
struct span { const char *what, *label; long first, n; size_t drug; };

static void put_start(const struct hl_calendar *c, const struct span *span, FILE *stream)
{
    fprintf(stream, "%s,", span->what);
    put_text(span->label, stream);
    fprintf(stream, ",%ld,%ld,", span->first + 1, span->first + span->n);
    put_text(c->drug[span->drug].name, stream);
    putc(',', stream);
}

/* A row per product, or one with the amount where there are none. */
static void put_span(struct hl_arena *arena, const struct hl_calendar *c, const struct span *span, FILE *stream)
{
    size_t d = span->drug;
    const struct hl_calendar_drug *drug = &c->drug[d];
    for (size_t p = 0; p < drug->n_products; p++) {
        const struct hl_product *product = &drug->product[p];
        long used = hl_calendar_count(c, d, p, span->first, span->n);
        bool is_rate = product->form && strcmp(product->form, "patch") == 0;
        double wholes = (double)used / product->pieces;
        put_start(c, span, stream);
        put_text(hl_calendar_product_text(arena, drug, p), stream);
        fprintf(stream, ",%d,%ld,%.10g,%ld,", product->pieces, used, wholes,
                hl_calendar_whole(c, d, p, span->first, span->n));
        if (is_rate)
            fputs(",\n", stream);
        else
            fprintf(stream, "%.10g,%s\n", wholes * product->strength / drug->scale, drug->unit);
    }
    if (drug->n_products == 0) {
        put_start(c, span, stream);
        fprintf(stream, ",,,,,%.10g,%s\n", hl_calendar_amount(c, d, span->first, span->n) / drug->scale, drug->unit);
    }
}

static void put_levels(struct hl_arena *arena, const struct hl_calendar *c, size_t drug, FILE *stream)
{
    for (size_t i = 0; i < c->n_levels; i++) {
        const struct hl_calendar_level *level = &c->level[i];
        const char *label = hl_arena_printf(arena, "%zu", level->number);
        if (level->drug == drug)
            put_span(arena, c, &(struct span){"level", label, level->first_day, level->n_days, drug}, stream);
    }
}

enum hl_status hl_calendar_write_counts(const struct hl_calendar *calendar, FILE *stream)
{
    struct hl_arena *arena = hl_arena_create();
    if (!arena)
        return HL_ERR_MEMORY;
    fputs("span,label,first_day,last_day,drug,product,pieces_per_whole,pieces,used,fetch,amount,unit\n", stream);
    for (size_t d = 0; d < calendar->n_drugs; d++) {
        struct span span = {"all", "all", 0, calendar->n_days, d};
        put_span(arena, calendar, &span, stream);
        put_levels(arena, calendar, d, stream);
        span.what = "month";
        for (size_t m = 0; hl_calendar_month(calendar, m, &span.first, &span.n); m++) {
            span.label = hl_calendar_month_text(arena, calendar, m);
            put_span(arena, calendar, &span, stream);
        }
    }
    hl_arena_free(arena);
    return fflush(stream) != 0 || ferror(stream) ? HL_ERR_IO : HL_OK;
}

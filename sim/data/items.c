/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data items by name, and the bounded table of a column's distinct texts. The table is open addressing over twice
 * as many slots as there may be texts; the texts themselves stand in one pool. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "data/inside.h"

const struct hl_item_info hl_items[HL_N_ITEMS] = {
    [HL_ITEM_ID] = {"ID", HL_ITEM_PLAIN, false},     [HL_ITEM_TIME] = {"TIME", HL_ITEM_HOURS, false},
    [HL_ITEM_DATE] = {"DATE", HL_ITEM_PLAIN, true},  [HL_ITEM_EVID] = {"EVID", HL_ITEM_PLAIN, false},
    [HL_ITEM_AMT] = {"AMT", HL_ITEM_AMOUNT, false},  [HL_ITEM_RATE] = {"RATE", HL_ITEM_AMOUNT_RATE, false},
    [HL_ITEM_DUR] = {"DUR", HL_ITEM_HOURS, true},    [HL_ITEM_CMT] = {"CMT", HL_ITEM_PLAIN, false},
    [HL_ITEM_ADDL] = {"ADDL", HL_ITEM_PLAIN, false}, [HL_ITEM_II] = {"II", HL_ITEM_HOURS, false},
    [HL_ITEM_SS] = {"SS", HL_ITEM_PLAIN, false},     [HL_ITEM_MDV] = {"MDV", HL_ITEM_PLAIN, false},
    [HL_ITEM_DV] = {"DV", HL_ITEM_ANY_UNIT, false},  [HL_ITEM_DVID] = {"DVID", HL_ITEM_PLAIN, true},
    [HL_ITEM_OCC] = {"OCC", HL_ITEM_PLAIN, false},   [HL_ITEM_COMMENT] = {"C", HL_ITEM_PLAIN, true}};

enum hl_item hl_item_find(const char *name, enum hl_date_order *order)
{
    static const struct {
        const char *name;
        enum hl_date_order order;
    } dates[] = {{"DATE", HL_DATE_ISO_OR_MDY}, {"DAT1", HL_DATE_MDY}, {"DAT2", HL_DATE_YMD}, {"DAT3", HL_DATE_YDM}};
    for (size_t i = 0; i < 4; i++)
        if (strcasecmp(name, dates[i].name) == 0) {
            *order = dates[i].order;
            return HL_ITEM_DATE;
        }
    if (strcasecmp(name, "COMMENT") == 0)
        return HL_ITEM_COMMENT;
    for (int i = 0; i < HL_N_ITEMS; i++)
        if (strcasecmp(name, hl_items[i].name) == 0)
            return (enum hl_item)i;
    return HL_N_ITEMS;
}

/* The slot where a text is, or where it would go. */
static size_t find_slot(const struct hl_texts *texts, const char *text)
{
    size_t mask = 2 * HL_MAX_TEXTS - 1, slot = (size_t)hl_text_hash(text) & mask;
    while (texts->slot[slot] && strcmp(texts->text[texts->slot[slot] - 1], text) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

int hl_texts_code(const struct hl_texts *texts, const char *text)
{
    return texts->too_many ? -1 : (int)texts->slot[find_slot(texts, text)] - 1;
}

void hl_texts_add(struct hl_texts *texts, const char *text)
{
    if (texts->too_many)
        return;
    size_t slot = find_slot(texts, text), bytes = strlen(text) + 1;
    if (texts->slot[slot])
        return;
    if (texts->n == HL_MAX_TEXTS || texts->bytes + bytes > sizeof texts->pool) {
        texts->too_many = true;
        return;
    }
    char *copy = texts->pool + texts->bytes;
    memcpy(copy, text, bytes);
    texts->bytes += bytes;
    texts->text[texts->n++] = copy;
    texts->slot[slot] = (unsigned short)texts->n;
}

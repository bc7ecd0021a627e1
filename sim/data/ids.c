/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which IDs have been: a set of 64-bit hashes that grows with the number of individuals (16 bytes each at most) and
 * stops at a million of them. Two IDs with one hash would give a warning that isn't deserved; among a million that has
 * a chance of 3e-8. */
#include "base/memory.h"
#include "data/inside.h"

#define MOST_IDS ((size_t)1000000)

/* Where the search for a hash begins. The bits of small whole numbers differ only near the top, so they are brought
 * down before the multiplication and after it. */
static size_t home(uint64_t hash, size_t n_slots)
{
    hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 32) & (n_slots - 1);
}

static void put(uint64_t *slot, size_t n_slots, uint64_t hash)
{
    size_t i = home(hash, n_slots);
    while (slot[i] && slot[i] != hash)
        i = (i + 1) & (n_slots - 1);
    slot[i] = hash;
}

static bool holds(const struct hl_ids *ids, uint64_t hash)
{
    if (!ids->n_slots)
        return false;
    size_t i = home(hash, ids->n_slots);
    while (ids->slot[i] && ids->slot[i] != hash)
        i = (i + 1) & (ids->n_slots - 1);
    return ids->slot[i] == hash;
}

static bool enlarge(struct hl_ids *ids)
{
    size_t larger = ids->n_slots ? 2 * ids->n_slots : 64;
    uint64_t *slot = hl_alloc(larger, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < ids->n_slots; i++)
        if (ids->slot[i])
            put(slot, larger, ids->slot[i]);
    hl_free(ids->slot);
    ids->slot = slot;
    ids->n_slots = larger;
    return true;
}

bool hl_ids_seen(struct hl_ids *ids, uint64_t hash, bool *lost)
{
    hash = hash ? hash : 1; /* 0 is a free slot */
    if (holds(ids, hash))
        return true;
    ids->full = ids->full || ids->n == MOST_IDS;
    if (ids->full)
        return false;
    if (2 * (ids->n + 1) > ids->n_slots && !enlarge(ids)) {
        *lost = true;
        return false;
    }
    put(ids->slot, ids->n_slots, hash);
    ids->n++;
    return false;
}

void hl_ids_clear(struct hl_ids *ids)
{
    hl_free(ids->slot);
    *ids = (struct hl_ids){0};
}

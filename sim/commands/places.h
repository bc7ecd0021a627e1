/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the program's own files are: models, studies to start from, figure scripts. Looked for in HALFLIFE_DATA, beside
 * the program in a checkout (build/halflife), under ../share/halflife of an installation, and in the prefix it was
 * built for. */
#ifndef HL_COMMANDS_PLACES_H
#define HL_COMMANDS_PLACES_H

#include <stdbool.h>
#include <stddef.h>

/* The directory that holds sub ("models", "configs", "scripts/figures"), or NULL when there is none. The text belongs
 * to the program. */
const char *hl_place(const char *sub);

/* Where a model that is named is looked for: here, in ./models, in the library if there is one. Returns how many places;
 * the last is the one to list. */
size_t hl_place_models(const char *directory[3]);

/* The path of the running program itself, or "halflife" when the system won't tell. */
const char *hl_place_of_program(void);

/* True when both names are of one file that exists. */
bool hl_place_is_same(const char *a, const char *b);

#endif

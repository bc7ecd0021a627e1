/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units at the door. A unit is text such as "ng/mL", "L/h/kg^0.75" or "%" and
 * becomes a factor to the engine's own units and a dimension. Inside the engine
 * everything is in h, mg, L (body mass in kg, amount of substance in nmol,
 * pressure in mmHg, age in year, per cent in %). Atoms come from a whitelist and
 * their factors from UDUNITS-2.
 *
 * Body mass (kg) and drug mass (g, mg, ug = mcg, ng) are different dimensions, so
 * that mg/kg is not a plain number; % is a dimension of its own for the same
 * reason. year is for age only and is not convertible to h; months and mega
 * prefixes are refused with a sentence that says what to write instead. */
#ifndef HL_BASE_UNITS_H
#define HL_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>

enum hl_dimension {
    HL_DRUG_MASS, /* mg */
    HL_LENGTH,    /* dm, so that its cube is L */
    HL_TIME,      /* h */
    HL_SUBSTANCE, /* nmol */
    HL_BODY_MASS, /* kg */
    HL_PRESSURE,  /* mmHg */
    HL_AGE,       /* year */
    HL_PERCENT,   /* % */
    HL_N_DIMENSIONS
};

/* A dimension: a product of powers, each a reduced fraction num/den with den >= 1. L is length^3. */
struct hl_dim {
    struct { signed char num, den; } e[HL_N_DIMENSIONS];
};

struct hl_unit {
    struct hl_dim dim;
    double factor; /* a value in this unit times factor is the value in the engine's unit */
};

/* Prepares the UDUNITS system. Must be called once before the others and from one thread; false if its database can't
 * be read (a message is printed by the caller). */
bool hl_units_start(void);
void hl_units_stop(void);

/* Reads a unit: names joined by '/' or '.', '*' too, with integer or fractional powers written ^2, ^-1, ^0.75 or
 * trailing digits (h-1 is refused), "1" alone or as a numerator ("1/h"). On failure false, *unit untouched, and why
 * (size bytes) holds a phrase such as "unknown unit 'mgg'; did you mean 'mg'?". */
bool hl_unit_parse(const char *text, struct hl_unit *unit, char *why, size_t size);

/* Reads "0.5 mg", "20 %", "3", "1e3 ng/mL": a number, at most one space, and a unit. A plain number gets the
 * dimensionless unit. *value is in the engine's units. */
bool hl_quantity_parse(const char *text, double *value, struct hl_unit *unit, char *why, size_t size);

struct hl_dim hl_dim_none(void);
bool hl_dim_equal(struct hl_dim a, struct hl_dim b);
bool hl_dim_is_none(struct hl_dim a);
struct hl_dim hl_dim_multiply(struct hl_dim a, struct hl_dim b);
struct hl_dim hl_dim_divide(struct hl_dim a, struct hl_dim b);

/* a to the power num/den. */
struct hl_dim hl_dim_power(struct hl_dim a, int num, int den);

/* The dimension of common engine units by name; the text must be a valid unit: hl_dim_of("L/h"). */
struct hl_dim hl_dim_of(const char *unit);

/* A readable name of the dimension in the engine's units ("L/h", "mg", "1" for none), into buffer; returns buffer. */
const char *hl_dim_name(struct hl_dim dim, char *buffer, size_t size);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units at the door. UDUNITS-2 knows the size of every atom; the whitelist says which atoms a study may use, to which
 * of the engine's own units each converts, and which dimension it has here. Volume is length^3 with the decimetre as
 * the engine's length, so that cm^3 is mL and 1 L is the unit volume.
 *
 * Every factor of the whitelist is an integer or the reciprocal of one (1 g = 1000 mg, 1 min = 1/60 h). Atoms are
 * kept as such a fraction and a compound multiplies numerators and denominators apart, with one division at the end:
 * the factor of ng/mL is 0.001 to the last bit, which a product of rounded factors would miss. */
#include "base/units.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <udunits2.h>

#include "base/text.h"

#define LONGEST_UNIT 128
#define LONGEST_ATOM 32

struct atom {
    const char *name;    /* as a study writes it */
    const char *udunits; /* as UDUNITS-2 reads it */
    const char *engine;  /* the engine's unit for it, as UDUNITS-2 reads it */
    enum hl_dimension dimension;
    int power;
    int per_volume; /* 1 for molarities: amount per litre */
};

static const struct atom atoms[] = {
    {"h", "hour", "hour", HL_TIME, 1, 0},
    {"min", "minute", "hour", HL_TIME, 1, 0},
    {"s", "second", "hour", HL_TIME, 1, 0},
    {"d", "day", "hour", HL_TIME, 1, 0},
    {"week", "week", "hour", HL_TIME, 1, 0},
    {"mg", "milligram", "milligram", HL_DRUG_MASS, 1, 0},
    {"g", "gram", "milligram", HL_DRUG_MASS, 1, 0},
    {"ug", "microgram", "milligram", HL_DRUG_MASS, 1, 0},
    {"mcg", "microgram", "milligram", HL_DRUG_MASS, 1, 0},
    {"ng", "nanogram", "milligram", HL_DRUG_MASS, 1, 0},
    {"pg", "picogram", "milligram", HL_DRUG_MASS, 1, 0},
    {"kg", "kilogram", "kilogram", HL_BODY_MASS, 1, 0},
    {"L", "liter", "liter", HL_LENGTH, 3, 0},
    {"dL", "deciliter", "liter", HL_LENGTH, 3, 0},
    {"mL", "milliliter", "liter", HL_LENGTH, 3, 0},
    {"uL", "microliter", "liter", HL_LENGTH, 3, 0},
    {"m", "meter", "decimeter", HL_LENGTH, 1, 0},
    {"dm", "decimeter", "decimeter", HL_LENGTH, 1, 0},
    {"cm", "centimeter", "decimeter", HL_LENGTH, 1, 0},
    {"mm", "millimeter", "decimeter", HL_LENGTH, 1, 0},
    {"mol", "mole", "nanomole", HL_SUBSTANCE, 1, 0},
    {"mmol", "millimole", "nanomole", HL_SUBSTANCE, 1, 0},
    {"umol", "micromole", "nanomole", HL_SUBSTANCE, 1, 0},
    {"nmol", "nanomole", "nanomole", HL_SUBSTANCE, 1, 0},
    {"pmol", "picomole", "nanomole", HL_SUBSTANCE, 1, 0},
    {"M", "mole/liter", "nanomole/liter", HL_SUBSTANCE, 1, 1},
    {"mM", "millimole/liter", "nanomole/liter", HL_SUBSTANCE, 1, 1},
    {"uM", "micromole/liter", "nanomole/liter", HL_SUBSTANCE, 1, 1},
    {"nM", "nanomole/liter", "nanomole/liter", HL_SUBSTANCE, 1, 1},
    {"pM", "picomole/liter", "nanomole/liter", HL_SUBSTANCE, 1, 1},
    {"mmHg", "mmHg", "mmHg", HL_PRESSURE, 1, 0},
    {"year", "year", "year", HL_AGE, 1, 0},
    {"%", "percent", "percent", HL_PERCENT, 1, 0},
};

#define N_ATOMS (sizeof atoms / sizeof atoms[0])

static struct {
    bool ready;
    long double num[N_ATOMS], den[N_ATOMS]; /* factor = num / den, both whole */
    const char *names[N_ATOMS];
} table;

/* Spellings that people try, each with what to say after "unit 'word'" (or "unknown unit 'word'" before a ';'). */
static const struct {
    const char *words; /* between spaces */
    const char *sentence;
} refusals[] = {
    {" month months mo mon ", " has no fixed length; say 28 d or 30 d"},
    {" hour hours hr hrs H ", "; did you mean 'h'?"},
    {" day days D ", "; did you mean 'd'?"},
    {" minute minutes mins ", "; did you mean 'min'?"},
    {" second seconds sec secs ", "; did you mean 's'?"},
    {" weeks wk wks w ", "; did you mean 'week'?"},
    {" years yr yrs y a ", "; did you mean 'year'? (for ages only)"},
    {" drop drops gtt ", " is of no fixed size: its volume depends on the dropper; say how many mL or mg"},
    {" Mg MG megagram ", " is a million grams, and mega prefixes are refused; did you mean 'mg'?"},
    {" ML megalitre megaliter ", " is a million litres, and mega prefixes are refused; did you mean 'mL'?"},
    {" Mmol MM ", " has a mega prefix, which is refused; did you mean 'mmol' or 'mM'?"},
    {" l lt liter litre liters litres ", "; did you mean 'L'?"},
    {" cc ml ccm milliliter millilitre ", "; did you mean 'mL'?"},
    {" gram grams gm G ", "; did you mean 'g'?"},
    {" milligram milligrams ", "; did you mean 'mg'?"},
    {" microgram micrograms gamma ", "; did you mean 'ug'?"},
    {" nanogram nanograms ", "; did you mean 'ng'?"},
    {" kilogram kilograms kilo kilos ", "; did you mean 'kg'?"},
    {" mole moles ", "; did you mean 'mol'?"},
    {" percent pct ", "; did you mean '%'?"},
    {" degC celsius degF K ", " is a unit with an offset or a temperature, which the engine does not use"},
    {" IU U iu ", " (a unit of activity) has no fixed mass; say mg"},
};

struct hl_dim hl_dim_none(void)
{
    struct hl_dim dim;
    for (int i = 0; i < HL_N_DIMENSIONS; i++) {
        dim.e[i].num = 0;
        dim.e[i].den = 1;
    }
    return dim;
}

bool hl_dim_equal(struct hl_dim a, struct hl_dim b)
{
    for (int i = 0; i < HL_N_DIMENSIONS; i++)
        if (a.e[i].num != b.e[i].num || a.e[i].den != b.e[i].den)
            return false;
    return true;
}

bool hl_dim_is_none(struct hl_dim a)
{
    return hl_dim_equal(a, hl_dim_none());
}

static int common_divisor(int a, int b)
{
    while (b != 0) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* Reduces num/den into one exponent. Beyond a signed char it saturates: such a dimension equals no sensible one, so the
 * checks that follow refuse it. */
static void set_exponent(struct hl_dim *dim, int i, int num, int den)
{
    int divisor = common_divisor(num, den);
    if (den < 0)
        divisor = -divisor;
    num /= divisor;
    den /= divisor;
    if (num > 127 || num < -127 || den > 127) {
        num = num < 0 ? -127 : 127;
        den = 1;
    }
    dim->e[i].num = (signed char)num;
    dim->e[i].den = (signed char)den;
}

static struct hl_dim combine(struct hl_dim a, struct hl_dim b, int sign)
{
    struct hl_dim c = hl_dim_none();
    for (int i = 0; i < HL_N_DIMENSIONS; i++)
        set_exponent(&c, i, a.e[i].num * b.e[i].den + sign * b.e[i].num * a.e[i].den, a.e[i].den * b.e[i].den);
    return c;
}

struct hl_dim hl_dim_multiply(struct hl_dim a, struct hl_dim b)
{
    return combine(a, b, 1);
}

struct hl_dim hl_dim_divide(struct hl_dim a, struct hl_dim b)
{
    return combine(a, b, -1);
}

struct hl_dim hl_dim_power(struct hl_dim a, int num, int den)
{
    struct hl_dim c = hl_dim_none();
    const int most = 1 << 20; /* keeps the products below within an int; far beyond what an exponent can hold */
    if (den == 0 || num > most || num < -most || den > most || den < -most) {
        for (int i = 0; i < HL_N_DIMENSIONS; i++)
            if (a.e[i].num != 0)
                set_exponent(&c, i, 127, 1);
        return c;
    }
    for (int i = 0; i < HL_N_DIMENSIONS; i++)
        if (a.e[i].num != 0)
            set_exponent(&c, i, a.e[i].num * num, a.e[i].den * den);
    return c;
}

/* The factor of an atom from UDUNITS-2, as a fraction of whole numbers. */
static bool look_up(ut_system *system, size_t i)
{
    ut_unit *from = ut_parse(system, atoms[i].udunits, UT_ASCII);
    ut_unit *to = ut_parse(system, atoms[i].engine, UT_ASCII);
    cv_converter *converter = from && to ? ut_get_converter(from, to) : NULL;
    bool found = converter != NULL;
    if (found) {
        double factor = cv_convert_double(converter, 1.0);
        table.num[i] = factor >= 0.5 ? roundl((long double)factor) : 1.0L;
        table.den[i] = factor >= 0.5 ? 1.0L : roundl(1.0L / (long double)factor);
        /* UDUNITS rounds its own products; more than that would mean that a factor isn't such a fraction. */
        found = fabsl(table.num[i] / table.den[i] / (long double)factor - 1.0L) < 1e-12L;
        cv_free(converter);
    }
    ut_free(from);
    ut_free(to);
    return found;
}

bool hl_units_start(void)
{
    if (table.ready)
        return true;
    ut_set_error_message_handler(ut_ignore);
    ut_system *system = ut_read_xml(NULL);
    if (!system)
        return false;
    bool all = true;
    for (size_t i = 0; i < N_ATOMS; i++) {
        all = look_up(system, i) && all;
        table.names[i] = atoms[i].name;
    }
    ut_free_system(system);
    table.ready = all;
    return all;
}

void hl_units_stop(void)
{
    table.ready = false;
}

/* What is being read: the place, where to put the reason of a failure, and the whole text for it. */
struct reader {
    const char *at;
    const char *whole;
    char *why;
    size_t size;
    struct hl_dim dim;
    long double num, den;
};

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '%' || (c & 0x80) != 0;
}

/* Writes the reason as "'word' in "whole"": the whole text only where it says more than the word. */
static bool refuse(struct reader *r, const char *before, const char *word, const char *after)
{
    bool same = strcmp(word, r->whole) == 0;
    snprintf(r->why, r->size, "%s'%s'%s%s%s%s", before, word, same ? "" : " in \"", same ? "" : r->whole,
             same ? "" : "\"", after);
    return false;
}

/* The first candidate that differs in nothing but capitals: 'MG' is nearer to 'mg' than to any other. */
static const char *other_capitals(const char *word)
{
    for (size_t i = 0; i < N_ATOMS; i++)
        if (hl_text_nearest(word, &table.names[i], 1) && strlen(word) == strlen(atoms[i].name)) {
            size_t k = 0;
            while (word[k] && (word[k] | 0x20) == (atoms[i].name[k] | 0x20))
                k++;
            if (!word[k])
                return atoms[i].name;
        }
    return NULL;
}

static bool refuse_atom(struct reader *r, const char *word)
{
    char spaced[LONGEST_ATOM + 2], after[80];
    snprintf(spaced, sizeof spaced, " %s ", word);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (strstr(refusals[i].words, spaced)) {
            bool unknown = refusals[i].sentence[0] == ';';
            return refuse(r, unknown ? "unknown unit " : "unit ", word, refusals[i].sentence);
        }
    const char *capitals = other_capitals(word);
    if (capitals)
        snprintf(after, sizeof after, "; did you mean '%s'?", capitals);
    else
        hl_text_did_you_mean(word, table.names, N_ATOMS, after, sizeof after);
    return refuse(r, "unknown unit ", word, after);
}

/* Copies the name at the reader's place, with either micro sign written as u. */
static bool take_name(struct reader *r, char name[LONGEST_ATOM])
{
    size_t n = 0;
    while (is_name_character(*r->at)) {
        bool micro = strncmp(r->at, "\xC2\xB5", 2) == 0 || strncmp(r->at, "\xCE\xBC", 2) == 0;
        if (n + 2 >= LONGEST_ATOM - 2)
            return false;
        name[n++] = micro ? 'u' : *r->at;
        r->at += micro ? 2 : 1;
    }
    name[n] = '\0';
    return n > 0;
}

/* The fraction of small whole numbers that a decimal power stands for; 0.333333 is 1/3. */
static bool as_fraction(double power, int *num, int *den)
{
    for (*den = 1; *den <= 16; ++*den) {
        double whole = round(power * *den);
        if (fabs(whole / *den - power) < 1e-6 && fabs(whole) <= 100.0) {
            *num = (int)whole;
            return true;
        }
    }
    return false;
}

/* A power after a name: nothing, trailing digits, or ^ and a number. */
static bool take_power(struct reader *r, const char *name, int *num, int *den)
{
    char text[LONGEST_ATOM];
    bool caret = *r->at == '^';
    const char *start = r->at + caret;
    *num = *den = 1;
    if (!caret && (*start == '-' || *start == '+'))
        return refuse(r, "a power after ", name, " needs '^', as in h^-1 or 1/h");
    if (!caret && !(*start >= '0' && *start <= '9'))
        return true;
    size_t n = 0;
    if (caret)
        n = hl_text_number_length(start);
    else
        n = strspn(start, "0123456789");
    /* "kg^2.mg": the point belongs to the product, not to the number */
    if (n > 0 && start[n - 1] == '.')
        n--;
    double power = 0.0;
    snprintf(text, sizeof text, "%.*s", (int)n, start);
    if (n == 0 || n >= sizeof text || !hl_text_number(text, &power))
        return refuse(r, "expected a power such as 2, -1 or 0.75 after ", name, "");
    if (!as_fraction(power, num, den))
        return refuse(r, "the power of ", name, " is not a fraction of small whole numbers");
    r->at = start + n;
    return true;
}

static void multiply_atom(struct reader *r, size_t i, int num, int den)
{
    struct hl_dim dim = hl_dim_none();
    dim.e[atoms[i].dimension].num = (signed char)atoms[i].power;
    if (atoms[i].per_volume)
        dim.e[HL_LENGTH].num = -3;
    r->dim = hl_dim_multiply(r->dim, hl_dim_power(dim, num, den));
    long double power = (long double)(num < 0 ? -num : num) / den;
    long double up = powl(num < 0 ? table.den[i] : table.num[i], power);
    long double down = powl(num < 0 ? table.num[i] : table.den[i], power);
    r->num *= up;
    r->den *= down;
}

/* One name and its power, multiplied in (sign 1) or divided by (sign -1). */
static bool take_atom(struct reader *r, int sign)
{
    char name[LONGEST_ATOM];
    int num, den;
    if (!take_name(r, name)) {
        snprintf(r->why, r->size, "expected the name of a unit %s%s%s in \"%s\"", *r->at ? "at '" : "at the end",
                 *r->at ? r->at : "", *r->at ? "'" : "", r->whole);
        return false;
    }
    size_t i = 0;
    while (i < N_ATOMS && strcmp(name, atoms[i].name) != 0)
        i++;
    if (i == N_ATOMS)
        return refuse_atom(r, name);
    if (!take_power(r, name, &num, &den))
        return false;
    multiply_atom(r, i, sign * num, den);
    return true;
}

static bool take_unit(struct reader *r)
{
    const char *text = r->at;
    if (strchr(text, ' '))
        return refuse(r, "a unit contains no space: ", text, "");
    if (strpbrk(text, "()"))
        return refuse(r, "a unit contains no parentheses: ", text, "; write mg/L/h for mg/(L*h)");
    if (text[0] == '1' && (text[1] == '/' || text[1] == '\0'))
        r->at++;
    else if (!take_atom(r, 1))
        return false;
    while (*r->at) {
        char joint = *r->at;
        if (joint != '/' && joint != '.' && joint != '*')
            return refuse(r, "expected '/' or '.' between units in ", text, "");
        r->at++;
        if (!take_atom(r, joint == '/' ? -1 : 1))
            return false;
    }
    return true;
}

/* Reads a unit that ends with the text; whole is what a message quotes. */
static bool read_unit(const char *text, const char *whole, struct hl_unit *unit, char *why, size_t size)
{
    assert(table.ready); /* hl_units_start comes first */
    struct reader r = {.at = text, .whole = whole, .why = why, .size = size, .dim = hl_dim_none(), .num = 1, .den = 1};
    if (strlen(text) > LONGEST_UNIT) {
        snprintf(why, size, "a unit of more than %d characters", LONGEST_UNIT);
        return false;
    }
    if (!take_unit(&r))
        return false;
    double factor = (double)(r.num / r.den);
    if (!isnormal(factor)) {
        refuse(&r, "the size of the unit is beyond all numbers: ", text, "");
        return false;
    }
    unit->dim = r.dim;
    unit->factor = factor;
    return true;
}

bool hl_unit_parse(const char *text, struct hl_unit *unit, char *why, size_t size)
{
    if (text[0] == '\0') {
        snprintf(why, size, "expected a unit such as \"mg/L\", or \"1\" for none");
        return false;
    }
    return read_unit(text, text, unit, why, size);
}

/* A unit may stand in brackets: "10 [mg/L]". */
static bool strip_brackets(const char *text, char bare[LONGEST_UNIT + 1])
{
    size_t n = strlen(text);
    if (n > LONGEST_UNIT || (text[0] == '[' && (n < 3 || text[n - 1] != ']')))
        return false;
    bool bracketed = text[0] == '[';
    snprintf(bare, LONGEST_UNIT + 1, "%.*s", (int)(n - (bracketed ? 2 : 0)), text + bracketed);
    return true;
}

bool hl_quantity_parse(const char *text, double *value, struct hl_unit *unit, char *why, size_t size)
{
    char word[64], bare[LONGEST_UNIT + 1];
    double number;
    size_t n = hl_text_number_length(text);
    snprintf(word, sizeof word, "%.*s", (int)n, text);
    if (n == 0 || n >= sizeof word || !hl_text_number(word, &number)) {
        snprintf(why, size, "expected a number with a unit such as \"0.5 mg\", found \"%s\"", text);
        return false;
    }
    struct hl_unit read = {hl_dim_none(), 1.0};
    const char *rest = text + n;
    if (*rest == ' ' && rest[1] != '\0')
        rest++;
    if (*rest == ' ' || *rest == '\t') {
        snprintf(why, size, "expected at most one space and then a unit after the number in \"%s\"", text);
        return false;
    }
    if (!strip_brackets(rest, bare)) {
        snprintf(why, size, "expected a unit, found \"%s\" in \"%s\"", rest, text);
        return false;
    }
    if (*bare && !read_unit(bare, text, &read, why, size))
        return false;
    if (!isfinite(number * read.factor)) {
        snprintf(why, size, "\"%s\" is too large", text);
        return false;
    }
    *value = number * read.factor;
    *unit = read;
    return true;
}

struct hl_dim hl_dim_of(const char *unit)
{
    char why[256];
    struct hl_unit read = {hl_dim_none(), 1.0};
    bool valid = hl_unit_parse(unit, &read, why, sizeof why);
    assert(valid && "hl_dim_of: the unit is written in the program and must be right");
    (void)valid;
    return read.dim;
}

/* Appends to a text of limited size. */
static void append(char *buffer, size_t size, const char *text)
{
    size_t n = strlen(buffer);
    if (n + 1 < size)
        snprintf(buffer + n, size - n, "%s", text);
}

/* Appends name^(num/den) with num > 0, after joint unless the buffer is empty. */
static void append_factor(char *buffer, size_t size, const char *joint, const char *name, int num, int den)
{
    char text[48];
    if (*buffer)
        append(buffer, size, joint);
    if (num == den)
        snprintf(text, sizeof text, "%s", name);
    else if (den == 1)
        snprintf(text, sizeof text, "%s^%d", name, num);
    else
        snprintf(text, sizeof text, "%s^%.6g", name, (double)num / den);
    append(buffer, size, text);
}

const char *hl_dim_name(struct hl_dim dim, char *buffer, size_t size)
{
    static const enum hl_dimension order[] = {HL_DRUG_MASS, HL_SUBSTANCE, HL_PERCENT,   HL_PRESSURE,
                                              HL_AGE,       HL_LENGTH,    HL_TIME,      HL_BODY_MASS};
    static const char *const names[] = {
        [HL_DRUG_MASS] = "mg", [HL_LENGTH] = "dm",     [HL_TIME] = "h",    [HL_SUBSTANCE] = "nmol",
        [HL_BODY_MASS] = "kg", [HL_PRESSURE] = "mmHg", [HL_AGE] = "year", [HL_PERCENT] = "%"};
    if (size == 0)
        return buffer;
    buffer[0] = '\0';
    for (int sign = 1; sign >= -1; sign -= 2)
        for (size_t i = 0; i < HL_N_DIMENSIONS; i++) {
            int num = sign * dim.e[order[i]].num, den = dim.e[order[i]].den;
            bool volume = order[i] == HL_LENGTH && num % 3 == 0;
            if (num > 0 && sign < 0 && *buffer == '\0')
                append(buffer, size, "1");
            if (num > 0)
                append_factor(buffer, size, sign > 0 ? "*" : "/", volume ? "L" : names[order[i]],
                              volume ? num / 3 : num, den);
        }
    if (*buffer == '\0')
        append(buffer, size, "1");
    return buffer;
}

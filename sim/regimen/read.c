/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the scalars of a prescription. Messages name what stands there, what was expected and an example, because the
 * commonest mistakes are a forgotten unit ("every: 12"), a rate where an amount belongs ("oral: 1 mg/d") and a clock
 * time that isn't one ("25:00"). */
#include "regimen/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool is_scalar(const struct hl_yaml *node, const char *what, const char *example, struct hl_diag *diag)
{
    if (node->kind == HL_YAML_SCALAR && node->text[0] != '\0')
        return true;
    const char *found = node->kind == HL_YAML_SCALAR     ? "nothing"
                        : node->kind == HL_YAML_SEQUENCE ? "a list"
                                                         : "a mapping";
    hl_diag_error(diag, node->pos, "expected %s such as '%s', found %s", what, example, found);
    return false;
}

bool hl_item_read_quantity(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                           double *value, struct hl_diag *diag)
{
    if (!is_scalar(node, what, example, diag))
        return false;
    char why[256], found[64], expected[64];
    struct hl_unit unit;
    double read;
    if (!hl_quantity_parse(node->text, &read, &unit, why, sizeof why)) {
        hl_diag_error(diag, node->pos, "%s; expected %s such as '%s'", why, what, example);
        return false;
    }
    if (hl_dim_equal(unit.dim, dim)) {
        *value = read;
        return true;
    }
    hl_dim_name(dim, expected, sizeof expected);
    if (hl_dim_is_none(unit.dim))
        hl_diag_error(diag, node->pos, "\"%s\" has no unit; expected %s in %s, such as '%s'", node->text, what,
                      expected, example);
    else
        hl_diag_error(diag, node->pos, "\"%s\" is a quantity in %s; expected %s in %s, such as '%s'", node->text,
                      hl_dim_name(unit.dim, found, sizeof found), what, expected, example);
    return false;
}

bool hl_item_read_not_negative(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                               double *value, struct hl_diag *diag)
{
    double read;
    if (!hl_item_read_quantity(node, dim, what, example, &read, diag))
        return false;
    if (read < 0) {
        hl_diag_error(diag, node->pos, "%s can't be negative, found \"%s\"", what, node->text);
        return false;
    }
    *value = read;
    return true;
}

bool hl_item_read_positive(const struct hl_yaml *node, struct hl_dim dim, const char *what, const char *example,
                           double *value, struct hl_diag *diag)
{
    double read;
    if (!hl_item_read_quantity(node, dim, what, example, &read, diag))
        return false;
    if (!(read > 0)) {
        hl_diag_error(diag, node->pos, "%s must be above zero, found \"%s\"; give something like '%s'", what,
                      node->text, example);
        return false;
    }
    *value = read;
    return true;
}

bool hl_item_read_time(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag)
{
    return hl_item_read_quantity(node, hl_dim_of("h"), what, "12 h", hours, diag);
}

bool hl_item_read_wait(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag)
{
    return hl_item_read_not_negative(node, hl_dim_of("h"), what, "24 h", hours, diag);
}

bool hl_item_read_duration(const struct hl_yaml *node, const char *what, double *hours, struct hl_diag *diag)
{
    return hl_item_read_positive(node, hl_dim_of("h"), what, "12 h", hours, diag);
}

/* "1/8": two plain numbers around a slash. */
static bool parse_ratio(const char *text, double *value)
{
    const char *slash = strchr(text, '/');
    char left[32];
    double a, b;
    if (!slash || (size_t)(slash - text) >= sizeof left)
        return false;
    memcpy(left, text, (size_t)(slash - text));
    left[slash - text] = '\0';
    if (!hl_text_number(left, &a) || !hl_text_number(slash + 1, &b) || !(b > 0))
        return false;
    *value = a / b;
    return true;
}

/* "10 %", "0.1" or "1/10". */
static bool read_share(const struct hl_yaml *node, const char *what, double *share, struct hl_diag *diag)
{
    if (!is_scalar(node, what, "10 %", diag))
        return false;
    char why[256] = "";
    struct hl_unit unit;
    if (parse_ratio(node->text, share))
        return true;
    if (!hl_quantity_parse(node->text, share, &unit, why, sizeof why)) {
        hl_diag_error(diag, node->pos, "%s; expected %s such as '10 %%', '0.1' or '1/10'", why, what);
        return false;
    }
    if (hl_dim_equal(unit.dim, hl_dim_of("%"))) {
        *share /= 100;
    } else if (!hl_dim_is_none(unit.dim)) {
        hl_diag_error(diag, node->pos, "\"%s\" is not a fraction; expected %s such as '10 %%', '0.1' or '1/10'",
                      node->text, what);
        return false;
    }
    return true;
}

bool hl_item_read_fraction(const struct hl_yaml *node, const char *what, bool including_one, double *fraction,
                           struct hl_diag *diag)
{
    double value = 0;
    if (!read_share(node, what, &value, diag))
        return false;
    if (!(value > 0) || value > 1 || (!including_one && value >= 1)) {
        hl_diag_error(diag, node->pos, "%s must lie between 0 and 1 (0 %% and 100 %%), found \"%s\"%s", what,
                      node->text, value <= 0 ? ": it would never end" : "");
        return false;
    }
    *fraction = value;
    return true;
}

bool hl_item_read_probability(const struct hl_yaml *node, const char *what, double *probability, struct hl_diag *diag)
{
    double value = 0;
    if (!read_share(node, what, &value, diag))
        return false;
    if (!(value >= 0 && value <= 1)) {
        hl_diag_error(diag, node->pos, "%s is a probability, from 0 %% to 100 %%, found \"%s\"", what, node->text);
        return false;
    }
    *probability = value;
    return true;
}

static bool two_digits(const char *text, int *value)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

bool hl_item_read_clock(const struct hl_yaml *node, double *hours, struct hl_diag *diag)
{
    int h, m;
    if (!is_scalar(node, "a clock time", "20:00", diag))
        return false;
    const char *text = node->text;
    if (strlen(text) == 5 && text[2] == ':' && two_digits(text, &h) && two_digits(text + 3, &m) && h < 24 && m < 60) {
        *hours = h + m / 60.0;
        return true;
    }
    hl_diag_error(diag, node->pos,
                  "'%s' is not a clock time; expected one from \"00:00\" to \"23:59\", such as \"20:00\"", text);
    return false;
}

bool hl_item_read_count(const struct hl_yaml *node, const char *what, size_t *count, struct hl_diag *diag)
{
    uint64_t value;
    if (!is_scalar(node, what, "14", diag))
        return false;
    if (hl_text_integer(node->text, &value) && value > 0) {
        *count = (size_t)value;
        return true;
    }
    hl_diag_error(diag, node->pos, "expected %s, a whole number of at least 1 such as '14', found \"%s\"", what,
                  node->text);
    return false;
}

bool hl_only_keys(const struct hl_yaml *node, const char *what, const char *const *known, size_t n,
                  struct hl_diag *diag)
{
    if (!hl_yaml_check_keys(node, what, known, n, diag))
        return false;
    for (size_t i = 0; i < node->n; i++) {
        bool found = false;
        for (size_t j = 0; j < n; j++)
            found = found || strcmp(node->key[i]->text, known[j]) == 0;
        if (!found)
            return false;
    }
    return true;
}

size_t hl_list_size(const struct hl_yaml *node)
{
    return node->kind == HL_YAML_SEQUENCE ? node->n : 1;
}

const struct hl_yaml *hl_list_item(const struct hl_yaml *node, size_t i)
{
    return node->kind == HL_YAML_SEQUENCE ? node->item[i] : node;
}

bool hl_is_word(const struct hl_yaml *node, const char *word)
{
    return node && node->kind == HL_YAML_SCALAR && strcmp(node->text, word) == 0;
}

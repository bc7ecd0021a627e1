/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names. Each tool has words of its own that a model may use freely here:
 *
 *   NONMEM     at most 20 letters, digits and underscores, capitals and small letters the same; reserved are items of
 *              data and PREDPP (TIME, CMT, F1, ALAG2, S1 ...), arrays of generated code (A, P, DADT ...), functions
 *              (NONMEM Users Guides IV and VIII)
 *   mrgsolve   C++: its keywords, functions of <math.h> and the C library (variables of blocks become globals and would
 *              be ambiguous), macros of the generated file (dxdt_X, X_0, F_X ...), mrgsolve's own reserved words
 *   rxode2     items of event tables, constants, functions, whatever begins with rx or nlmixr (rxode2's page on
 *              syntax), R's and C's keywords
 *
 * A name that can't stay is given a tail: _X for reserved words (or x_ before it), _2, _3 ... for two names that would
 * be one, the first letters and _1, _2 ... for long ones. Every such change is listed in the text's header. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "translate/inside.h"

#define LONGEST_OF_NONMEM 20

static const char *const nonmem_words[] = {
    "ID", "L1", "L2", "DV", "MDV", "RAW_", "MRG_", "RPT_", "TIME", "DATE", "DAT1", "DAT2", "DAT3", "DROP", "SKIP",
    "EVID", "AMT", "RATE", "SS", "II", "ADDL", "CMT", "PCMT", "CALL", "CONT", "ROUTE", "OCC", "DUR", "A", "P", "T",
    "F", "G", "HH", "Y", "E", "THETA", "ETA", "EPS", "ERR", "OMEGA", "SIGMA", "DADT", "DA", "DP", "DT", "IR",
    "A_0", "A_0FLG", "A_INITIAL", "TSTATE", "DOSTIM", "DOSREC", "NEWIND", "NEWL2", "ICALL", "IREP", "NPROB",
    "NREP", "MIXNUM", "MIXEST", "MIXP", "NSPOP", "COMACT", "COMRES", "COMSAV", "CALLFL", "COM", "MTIME", "MNEXT",
    "MPAST", "MNOW", "MTDIFF", "I_SS", "ISSMOD", "SKIP_", "TEMPLT", "LIREC", "NDREC", "NINDR", "INDR1", "INDR2",
    "SC", "SO", "FO", "XD", "DEN_", "CDEN_", "PRED", "RES", "WRES", "NPRED", "NRES", "NWRES", "CPRED", "CRES",
    "CWRES", "CWRESI", "CIPRED", "CIRES", "CIWRES", "EPRED", "ERES", "EWRES", "ECWRES", "NPDE", "NPD", "OBJI",
    "IPRED", "IRES", "IWRES", "EXP", "LOG", "LOG10", "SQRT", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "ABS",
    "INT", "MIN", "MAX", "MOD", "PHI", "GAMLN", "DEXP", "DLOG", "DABS", "DMIN1", "DMAX1", "IF", "THEN", "ELSE",
    "ELSEIF", "ENDIF", "DO", "WHILE", "ENDDO", "WRITE", "PRINT", "RETURN", "OPEN", "CLOSE", "REWIND", "EXIT",
    "INCLUDE", "EQ", "NE", "LT", "LE", "GT", "GE", "AND", "OR", "NOT", "INITIALOFF", "NOOFF", "NODOSE",
    "EQUILIBRIUM", "EXCLUDE", "DEFOBSERVATION", "DEFDOSE", "TSCALE", "XSCALE", "PK", "DES", "ERROR", "TDOS",
};

static const char *const mrgsolve_words[] = {
    "ID", "amt", "cmt", "ii", "ss", "evid", "addl", "rate", "time", "SOLVERTIME", "table", "ETA", "EPS", "AMT",
    "CMT", "TIME", "EVID", "simeps", "self", "simeta", "NEWIND", "DONE", "CFONSTOP", "DXDTZERO", "INITSOLV",
    "SETINIT", "report", "VARS", "II", "SS", "ADDL", "RATE", "double", "int", "bool", "capture", "DV", "dv", "OCC",
    "ROUTE", "THETA", "SIGMA", "SS_ADVANCE", "END_OF_INFUSION", "CHECK_MODELED_INFUSIONS", "STOPADVANCING",
    "IPRED", "databox", "mrg", "mrgsolve", "local_double", "local_int", "local_bool", "localdouble", "localint",
    "localbool", "dvec", "refun", "alignas", "alignof", "and", "asm", "auto", "break", "case", "catch", "char",
    "class", "const", "constexpr", "continue", "decltype", "default", "delete", "do", "else", "enum", "explicit",
    "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "long", "mutable", "namespace",
    "new", "noexcept", "not", "nullptr", "operator", "or", "private", "protected", "public", "register", "return",
    "short", "signed", "sizeof", "static", "std", "struct", "switch", "template", "this", "throw", "true", "try",
    "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor",
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "drem",
    "erf", "erfc", "exp", "exp10", "exp2", "expm1", "fabs", "fdim", "finite", "floor", "fma", "fmax", "fmin",
    "fmod", "frexp", "gamma", "hypot", "ilogb", "isinf", "isnan", "j0", "j1", "jn", "ldexp", "lgamma", "llrint",
    "llround", "log", "log10", "log1p", "log2", "logb", "lrint", "lround", "modf", "nan", "nearbyint", "nextafter",
    "nexttoward", "pow", "pow10", "remainder", "remquo", "rint", "round", "scalb", "scalbln", "scalbn", "signbit",
    "signgam", "significand", "sin", "sincos", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc", "y0", "y1", "yn",
    "NAN", "INFINITY", "clock", "index", "div", "abs", "labs", "signal", "select", "read", "write", "link",
    "sleep", "pause", "system", "random", "srandom", "rand", "srand", "exit", "abort", "free", "malloc", "calloc",
    "realloc", "access", "alarm", "brk", "close", "daemon", "dup", "environ", "errno", "fork", "kill", "nice",
    "open", "pipe", "raise", "remove", "rename", "rindex", "stdin", "stdout", "stderr", "swab", "sync", "times",
    "truncate", "unlink", "wait", "daylight", "timezone", "optarg", "opterr", "optind", "optopt", "crypt",
    "encrypt", "bsearch", "qsort", "ffs", "strlen", "setkey", "initstate", "setstate", "printf", "puts", "scanf",
    "step", "advance", "update", "R", "tdose",
};

static const char *const rxode2_words[] = {
    "t", "time", "podo", "tlast", "pi", "NA", "NaN", "Inf", "newind", "NEWIND", "cmt", "dvid", "addl", "ss", "amt",
    "dur", "rate", "Rprintf", "print", "printf", "id", "evid", "ii", "dv", "mdv", "sim.id", "mixest", "mixnum",
    "mixunif", "OCC", "ROUTE", "IPRED", "DV", "F", "f", "alag", "lag", "mtime", "linCmt", "TRUE", "FALSE", "NULL",
    "function", "if", "else", "while", "for", "in", "next", "break", "repeat", "ifelse", "param", "locf", "nocb",
    "linear", "midpoint", "labels", "mix", "gamma", "lgamma", "digamma", "trigamma", "tetragamma", "pentagamma",
    "psigamma", "beta", "lbeta", "sign", "fsign", "abs", "fabs", "sin", "cos", "tan", "factorial", "lfactorial",
    "log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "dnorm", "pnorm", "qnorm", "phi", "normcdf",
    "norminv", "probit", "acos", "asin", "atan", "atan2", "sinh", "cosh", "tanh", "floor", "ceil", "logit",
    "expit", "gammap", "gammaq", "erf", "erfc", "tad", "tafd", "dosenum", "prod", "sum", "max", "min", "lead",
    "diff", "first", "last", "transit", "delay", "simeps", "simeta", "theta", "omega", "sigma", "typical", "model",
    "events", "double", "int", "char", "void", "float", "long", "short", "static", "struct", "switch", "case",
    "default", "return", "const", "do", "goto", "union", "enum", "register", "auto", "extern", "signed",
    "unsigned", "volatile", "sizeof", "typedef", "continue", "M_E", "M_PI", "M_LN2",
};

static bool in_list(const char *word, const char *const *list, size_t n, bool any_case)
{
    for (size_t i = 0; i < n; i++)
        if (any_case ? strcasecmp(word, list[i]) == 0 : strcmp(word, list[i]) == 0)
            return true;
    return false;
}

/* prefix and then digits only. */
static bool is_numbered(const char *word, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(word, prefix, n) == 0 && word[n] != '\0' && strspn(word + n, "0123456789") == strlen(word + n);
}

static bool reserved_of_nonmem(const char *word)
{
    static const char *const numbered[] = {"A", "F", "R", "D", "S", "P", "ALAG", "MU_", "XVID", "HLP", "HLD", "HLE",
                                           "MT", "TDOS", "TADD", "TADE", "TLAD", "TLAE", "TDOQ", "ETA", "EPS", "THETA"};
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
        if (is_numbered(word, numbered[i]))
            return true;
    if (strncmp(word, "HLT", 3) == 0 || strncmp(word, "HLA", 3) == 0)
        return true;
    return in_list(word, nonmem_words, sizeof nonmem_words / sizeof *nonmem_words, true);
}

/* dxdt_gut, gut_0, F_gut ... of the states' names, and pred_CL and the like. */
static bool reserved_of_mrgsolve(const struct hl_translator *t, const char *word)
{
    static const char *const before[] = {"dxdt_", "F_", "R_", "D_", "ALAG_"};
    char text[300];
    for (size_t i = 0; i < t->n_states && t->state[i].name; i++) {
        for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
            snprintf(text, sizeof text, "%s%s", before[k], t->state[i].name);
            if (strcmp(text, word) == 0)
                return true;
        }
        snprintf(text, sizeof text, "%s_0", t->state[i].name);
        if (strcmp(text, word) == 0)
            return true;
    }
    return strncmp(word, "pred_", 5) == 0 || word[0] == '_' || is_numbered(word, "THETA") || is_numbered(word, "ETA") ||
           is_numbered(word, "EPS") || is_numbered(word, "mt") || is_numbered(word, "tdose_") ||
           is_numbered(word, "tdoseq_") ||
           strncmp(word, "HLT", 3) == 0 || strncmp(word, "HLA", 3) == 0 ||
           in_list(word, mrgsolve_words, sizeof mrgsolve_words / sizeof *mrgsolve_words, false);
}

static bool reserved_of_rxode2(const char *word)
{
    return strncasecmp(word, "rx", 2) == 0 || strncasecmp(word, "nlmixr", 6) == 0 || word[0] == '_' ||
           is_numbered(word, "hl_") || is_numbered(word, "mt") ||
           in_list(word, rxode2_words, sizeof rxode2_words / sizeof *rxode2_words, true);
}

static bool is_reserved(const struct hl_translator *t, const char *word)
{
    return t->target == HL_TO_NONMEM     ? reserved_of_nonmem(word)
           : t->target == HL_TO_MRGSOLVE ? reserved_of_mrgsolve(t, word)
                                         : reserved_of_rxode2(word);
}

static bool is_taken(const struct hl_translator *t, const char *word)
{
    return in_list(word, t->taken, t->n_taken, t->target == HL_TO_NONMEM);
}

void hl_name_reserve(struct hl_translator *t, const char *name)
{
    t->taken = hl_arena_push(t->arena, t->taken, t->n_taken, &t->taken_capacity, sizeof *t->taken);
    t->taken[t->n_taken++] = name;
}

/* The first letters of word and a tail, as long as the target allows. */
static const char *with_tail(const struct hl_translator *t, const char *word, const char *tail)
{
    size_t most = t->target == HL_TO_NONMEM ? LONGEST_OF_NONMEM : 200, n = strlen(word);
    if (n + strlen(tail) > most)
        n = most - strlen(tail);
    return hl_arena_printf(t->arena, "%.*s%s", (int)n, word, tail);
}

static bool is_good(const struct hl_translator *t, const char *word)
{
    bool too_long = t->target == HL_TO_NONMEM && strlen(word) > LONGEST_OF_NONMEM;
    return !too_long && !is_reserved(t, word) && !is_taken(t, word);
}

const char *hl_name(struct hl_translator *t, const char *dotted, const char *wanted)
{
    char *own = hl_arena_strdup(t->arena, wanted), tail[16];
    for (char *c = own; *c && t->target == HL_TO_NONMEM; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *word = own, *name = word;
    if (is_reserved(t, name))
        name = with_tail(t, word, "_X");
    if (is_reserved(t, name)) /* its beginning is */
        name = word = with_tail(t, t->target == HL_TO_NONMEM ? "X_" : "x_", word);
    for (int k = strlen(word) > LONGEST_OF_NONMEM ? 1 : 2; !is_good(t, name); k++) {
        snprintf(tail, sizeof tail, "_%d", k);
        name = with_tail(t, word, tail);
    }
    if (strcasecmp(name, wanted) != 0 || (t->target != HL_TO_NONMEM && strcmp(name, wanted) != 0)) {
        t->rename = hl_arena_push(t->arena, t->rename, t->n_renames, &t->rename_capacity, sizeof *t->rename);
        t->rename[t->n_renames].from = dotted;
        t->rename[t->n_renames++].to = name;
    }
    hl_name_reserve(t, name);
    return name;
}

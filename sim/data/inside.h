/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of data/ share; nobody else includes it. A row of the file passes through them in this order: cells
 * (text, number or missing), the record (items resolved, cells.h and clock.h), its examination against the rules, the
 * individual it belongs to. Both readings take the same way; only the first one complains and counts. */
#ifndef HL_DATA_INSIDE_H
#define HL_DATA_INSIDE_H

#include "base/csv.h"
#include "base/digest.h"
#include "data/data_set.h"

/* The data items that mean something here; the order is that of items[] in items.c. */
enum hl_item {
    HL_ITEM_ID, HL_ITEM_TIME, HL_ITEM_DATE, HL_ITEM_EVID, HL_ITEM_AMT, HL_ITEM_RATE, HL_ITEM_DUR, HL_ITEM_CMT,
    HL_ITEM_ADDL, HL_ITEM_II, HL_ITEM_SS, HL_ITEM_MDV, HL_ITEM_DV, HL_ITEM_DVID, HL_ITEM_OCC, HL_ITEM_COMMENT,
    HL_N_ITEMS
};

enum hl_item_unit { HL_ITEM_PLAIN, HL_ITEM_HOURS, HL_ITEM_AMOUNT, HL_ITEM_AMOUNT_RATE, HL_ITEM_ANY_UNIT };

struct hl_item_info {
    const char *name;
    enum hl_item_unit unit;
    bool yields;    /* a covariate of the same name in the model takes the column */
};
extern const struct hl_item_info hl_items[HL_N_ITEMS];

/* In which order the components of a calendar date stand. */
enum hl_date_order { HL_DATE_ISO_OR_MDY, HL_DATE_MDY, HL_DATE_YMD, HL_DATE_YDM };

/* The item of this name (HL_N_ITEMS: none); *order is set for the four names of dates. */
enum hl_item hl_item_find(const char *name, enum hl_date_order *order);

/* ---- Distinct texts of a column, up to a bound ---- */

#define HL_MAX_TEXTS 256

struct hl_texts {
    size_t n, bytes;
    const char *text[HL_MAX_TEXTS];
    unsigned short slot[2 * HL_MAX_TEXTS]; /* index + 1; 0: free */
    bool too_many;
    char pool[16384];
};

/* The code of a text, -1 when it isn't among them; add takes it in unless there are too many. */
int hl_texts_code(const struct hl_texts *texts, const char *text);
void hl_texts_add(struct hl_texts *texts, const char *text);

/* ---- Messages ---- */

#define HL_FAULTS_SHOWN 100

/* A warning or note that is said once, at the first place that deserves it, with the number of all places. */
struct hl_remark {
    size_t n;
    enum hl_severity severity;
    struct hl_pos pos;
    char text[600];
};

enum hl_remark_kind {
    HL_REMARK_NO_ID, HL_REMARK_NO_AMT, HL_REMARK_RETURNS, HL_REMARK_IDLE_II, HL_REMARK_MIDNIGHT, HL_REMARK_LEFT_OUT,
    HL_REMARK_EVID, HL_REMARK_MONTH_OR_DAY, HL_REMARK_LONG_DAY, HL_REMARK_OTHER_COMMENT, HL_N_REMARKS
};

/* ---- The data set ---- */

enum hl_cell_kind { HL_CELL_MISSING, HL_CELL_NUMBER, HL_CELL_TEXT };
struct hl_cell { enum hl_cell_kind kind; double number; const char *text; };

struct hl_column {
    struct hl_pos pos;              /* of its header */
    enum hl_item item;              /* HL_N_ITEMS: none */
    enum hl_date_order order;
    const char *unit_text;          /* stated in the header, or NULL */
    double factor;                  /* to the engine's unit: h, mg, mg/h; nmol and nmol/h with moles */
    bool moles;
    bool is_covariate;
    bool missing, number, fraction; /* what the first reading has seen */
    struct hl_texts *texts;         /* of a column with texts, else NULL */
    bool numbers_first;             /* numbers stood before the first text: they have no code yet */
    struct hl_remark many;          /* too many texts */
};

/* A covariate of the system that the file holds. */
struct hl_data_covariate {
    int column;                     /* -1: not in the file */
    double factor;                  /* to the engine's unit */
    enum hl_covariate_rule rule;    /* of its gaps; never INTERPOLATE for categories */
    double last;                    /* last known value of this individual, NaN before */
    uint64_t known, gaps;           /* of this individual so far */
    uint64_t filled, individuals;   /* gaps of all, and individuals with some */
    struct hl_pos first, first_gap; /* cells: of this individual's first record; of the file's first gap */
    struct hl_remark outside;       /* the range its model states */
};

/* The clock of one individual, in seconds while clock times are used. */
struct hl_clock {
    bool begun;
    double origin, previous;        /* [s] */
    double day;                     /* added to clock times without date [s] */
    double before; uint64_t row;    /* TIME and line of the record before [h] */
    bool has_before;
};

enum hl_time_kind { HL_TIME_UNKNOWN, HL_TIME_HOURS, HL_TIME_CLOCK };
enum hl_day_kind { HL_DAY_UNKNOWN, HL_DAY_CALENDAR, HL_DAY_NUMBER };

/* IDs seen so far, as hashes. */
struct hl_ids { uint64_t *slot; size_t n, n_slots; bool full; };

struct hl_data_set {
    struct hl_arena *arena;
    struct hl_diag *diag;           /* of the call that is being answered */
    const char *path;
    const struct hl_data_spec *spec;
    const struct hl_system *system; /* NULL: a file alone */
    struct hl_csv *csv;
    struct hl_digest *digest;
    bool first_reading, ended;
    size_t faults;                  /* errors of the first reading, shown or not */
    bool broken;                    /* the second reading met what the first one would have refused */
    bool without_memory;
    struct hl_remark remark[HL_N_REMARKS];

    size_t n_columns;
    struct hl_column *column;
    struct hl_data_column_info *info;
    int at[HL_N_ITEMS];             /* column of an item, -1: none */
    size_t n_covariates;
    struct hl_data_covariate *covariate;
    double *missing_number; bool *missing_is_number; /* of spec->missing */
    bool occasions;                 /* the model has between-occasion etas */
    bool *said_rate, *said_duration; /* by compartment + 1: its route's lack was reported */
    bool said_patch, said_moles;

    enum hl_time_kind time_kind; uint64_t time_kind_row;
    enum hl_day_kind day_kind;
    bool dates_certain;             /* a DAT1 with a day above 12 was seen */

    struct hl_cell *cell;           /* of the current row */
    double *column_value, *covariate_value;
    bool bad[HL_N_ITEMS];           /* present, but unreadable: reported already */
    struct hl_record record;
    bool starts;                    /* the row begins an individual */
    bool pending;                   /* the row waits to be taken by the next individual */
    char *id; size_t id_capacity;   /* ID of the individual being read */
    double id_number; bool id_is_number, has_id;
    struct hl_clock clock;
    struct hl_ids ids;
    uint64_t n_individual;          /* records of the individual being read */

    struct hl_individual individual; /* handed out */
    struct hl_record *records;
    double *columns, *covariates;
    char *individual_id; size_t individual_id_capacity;
    struct hl_data_facts facts;
};

/* ---- messages.c ---- */

/* An error at the column's cell of the current row, with the record in words behind it; column -1: at the row's
 * beginning. In the second reading it only sets broken. */
void hl_data_fault(struct hl_data_set *set, int column, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* An error at pos, counted among the others. */
void hl_data_fault_at(struct hl_data_set *set, struct hl_pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One more occasion for a remark; the first one gives place and text. Nothing in the second reading. */
void hl_data_remark(struct hl_data_set *set, struct hl_remark *remark, enum hl_severity severity, struct hl_pos pos,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Hands a remark to diag; more is what its further occasions are called ("records"). */
void hl_data_say(struct hl_data_set *set, const struct hl_remark *remark, const char *more);

/* The record in words, as written: "ID 1, TIME 24, AMT 100". */
const char *hl_data_words(const struct hl_data_set *set, char *buffer, size_t size);

/* The place of a column's cell in the current row (-1: of the row). */
struct hl_pos hl_data_pos(const struct hl_data_set *set, int column);

/* ---- header.c ---- */

/* Finds items and covariates among the columns and settles units; faults are reported and counted. */
void hl_data_read_header(struct hl_data_set *set);

/* ---- cells.c ---- */

/* Sorts the current row's cells into missing, number and text, writes column_value, and notes kinds in the first
 * reading. */
void hl_data_read_cells(struct hl_data_set *set);

/* The number of an item: false when the file has no such column, the cell is missing, or it is no number (which is
 * reported, and bad[item] is set). */
bool hl_data_number(struct hl_data_set *set, enum hl_item item, double *value);

/* Whether a cell with this text is missing. */
bool hl_data_is_missing(const struct hl_data_set *set, const char *text);

/* Gives a kind and texts to every column after the first reading. */
void hl_data_settle_columns(struct hl_data_set *set);

/* ---- clock.c ---- */

/* A clock time "H:MM" or "H:MM:SS" in seconds, negative after a minus. */
bool hl_clock_read(const char *text, double *seconds);

/* Days since 1970-01-01 of a date of the Gregorian calendar; false when there is no such day. */
bool hl_calendar_days(int year, int month, int day, long *days);

/* TIME of the current row [h] into record.TIME; false after a fault. EVID must be known. */
bool hl_data_read_time(struct hl_data_set *set);

/* ---- record.c, examine.c ---- */

/* The current row as a record. */
void hl_data_read_record(struct hl_data_set *set);

/* The rules of a record, first reading only. */
void hl_data_examine(struct hl_data_set *set);

/* The compartment that a dose without CMT enters, -1 when it is not a single one; its route, or -1. */
int hl_data_default_compartment(const struct hl_system *system, int *route);

/* ---- covariates.c ---- */

void hl_data_read_covariates(struct hl_data_set *set);
/* First reading: at the end of an individual. */
void hl_data_count_gaps(struct hl_data_set *set);
/* Second reading: fills the gaps of the individual in set->individual. */
void hl_data_fill_gaps(struct hl_data_set *set);

/* ---- ids.c ---- */

/* Whether an individual with this hash has been before; remembers it. false without memory sets *lost. */
bool hl_ids_seen(struct hl_ids *ids, uint64_t hash, bool *lost);
void hl_ids_clear(struct hl_ids *ids);

#endif

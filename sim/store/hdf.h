/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thin layer over the HDF5 library: the five element types a result file may
 * hold, attributes as text or numbers, and the library's own words when it
 * fails. The writer and the reader share it. HDF5 is serial: one thread at a
 * time. */
#ifndef HL_STORE_HDF_H
#define HL_STORE_HDF_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

enum hl_hdf_type { HL_FLOAT32, HL_FLOAT64, HL_INT8, HL_INT32, HL_TEXT, HL_OTHER_TYPE };

/* Called first by everything that touches HDF5: no messages printed by the library, and no work of its own when the
 * process exits (after a full disk that work can only crash). Any number of calls. */
void hl_hdf_start(void);

/* "float32", ... */
const char *hl_hdf_type_name(enum hl_hdf_type type);

/* Bytes of one element; of a text the size of a pointer. */
size_t hl_hdf_size(enum hl_hdf_type type);

/* The library's types, to be closed by the caller with H5Tclose; negative on failure. */
hid_t hl_hdf_file_type(enum hl_hdf_type type);
hid_t hl_hdf_memory_type(enum hl_hdf_type type);

/* Which of our types a dataset has. */
enum hl_hdf_type hl_hdf_dataset_type(hid_t dataset);

/* Why the last HDF5 call failed: the innermost description of the error stack, or the operating system's sentence when
 * there is one in it. Clears the stack. Returns buffer. */
const char *hl_hdf_reason(char *buffer, size_t size);

/* Attributes: one variable-length UTF-8 text, or n numbers of one type. An attribute of that name is replaced. False
 * when HDF5 fails. */
bool hl_hdf_set_text(hid_t object, const char *name, const char *text);
bool hl_hdf_set_numbers(hid_t object, const char *name, enum hl_hdf_type type, size_t n, const void *values);

/* The text of an attribute (fixed or variable length), into the arena; NULL when there is none. */
const char *hl_hdf_text(struct hl_arena *arena, hid_t object, const char *name);

/* The first of an attribute's numbers; false, and *value untouched, when there is none. */
bool hl_hdf_first_number(struct hl_arena *arena, hid_t object, const char *name, double *value);

/* No messages of the library's own from the calling thread; a library made for threads keeps that for each of them. */
void hl_hdf_quiet(void);

/* How many attributes an open object has; UINT64_MAX when that can't be told. */
uint64_t hl_hdf_attributes(hid_t object);

#endif

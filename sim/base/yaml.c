/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML, strictly. libyaml turns the text into events with marks (line and column from 0, in code points); this file
 * turns the events into a tree and adds our own rules. What YAML itself can't read (a syntax error) ends the load;
 * every other fault (an anchor, a tag, a repeated key, a torn expression) is reported, and the tree is still handed
 * out, so that whoever reads it can report the rest of the file's faults in the same pass.
 *
 * Torn expressions. In {F: min(1, TVF)} YAML ends the value at the comma and makes a second key "TVF)" without a
 * value. A parenthesis that is opened in one piece and closed in a later one gives it away; the pieces are put back
 * together, so that the message can show the text as it was meant and no nonsense about a key "TVF)" follows.
 *
 * Writing is block style, two spaces deep, plain where the scalar was plain and safe, double-quoted otherwise. */
#include "base/yaml.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

#define DEEPEST 64
#define LONGEST_KEY 200 /* libyaml allows 1024 characters for a key after escapes */
#define LARGEST_FILE ((size_t)64 << 20)

struct loader {
    struct hl_arena *arena;
    struct hl_diag *diag;
    const char *name;
    const char *source;
    size_t length;
    size_t cursor_character, cursor_byte; /* the same place, counted both ways; only moves on */
    yaml_parser_t parser;
};

static bool equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- Places ---- */

static struct hl_pos pos_at(const struct loader *l, yaml_mark_t mark)
{
    return (struct hl_pos){l->name, (int)mark.line + 1, (int)mark.column + 1};
}

/* The text from a mark on. */
static const char *source_at(struct loader *l, yaml_mark_t mark)
{
    if (mark.index < l->cursor_character)
        l->cursor_character = l->cursor_byte = 0;
    while (l->cursor_character < mark.index && l->cursor_byte < l->length) {
        do
            l->cursor_byte++;
        while (((unsigned char)l->source[l->cursor_byte] & 0xC0) == 0x80);
        l->cursor_character++;
    }
    return l->source + l->cursor_byte;
}

/* The place of the first character of a block scalar, which begins below its '|' or '>'. */
static struct hl_pos block_text_pos(struct loader *l, yaml_mark_t start)
{
    const char *at = source_at(l, start);
    struct hl_pos pos = pos_at(l, start);
    at += strcspn(at, "\r\n");
    while (*at == '\r' || *at == '\n' || *at == ' ') {
        if (*at == '\n' || (*at == '\r' && at[1] != '\n')) {
            pos.line++;
            pos.column = 0;
        }
        if (*at != '\r' || at[1] != '\n')
            pos.column++;
        at++;
    }
    return pos;
}

static struct hl_pos scalar_pos(struct loader *l, const yaml_event_t *event)
{
    switch (event->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return hl_pos_shift(pos_at(l, event->start_mark), 1);
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return block_text_pos(l, event->start_mark);
    default:
        return pos_at(l, event->start_mark);
    }
}

/* ---- libyaml's own errors ---- */

/* What to do about the syntax errors that pharmacologists' text runs into. */
static const char *remedy(const char *problem)
{
    static const struct {
        const char *part, *remedy;
    } remedies[] = {
        {"mapping values are not allowed", "; a text that contains ': ' must stand in quotes"},
        {"did not find expected ',' or", "; quote an expression or unit that contains brackets or quotes"},
        {"cannot start any token", "; put the text in quotes, as in \"%\" (and indent with spaces, not tabs)"},
        {"did not find expected alphabetic", "; a text that begins with '*' or '&' must stand in quotes"},
        {"could not find expected ':'", "; write key: value, with a space after the colon"},
        {"did not find expected key", "; check the indentation, and put text that follows a quote into the quotes"},
        {"tab character", "; indent with spaces"},
        {"unexpected end of stream", "; close the quotation mark"},
        {"did not find expected '-'", "; check the indentation of the list"},
    };
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strstr(problem, remedies[i].part))
            return remedies[i].remedy;
    return "";
}

/* The place of a byte of the source, for errors that come without a mark. */
static struct hl_pos pos_of_byte(const struct loader *l, size_t byte)
{
    struct hl_pos pos = {l->name, 1, 1};
    for (size_t i = 0; i < byte && i < l->length; i++) {
        if (l->source[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else if (((unsigned char)l->source[i] & 0xC0) != 0x80) {
            pos.column++;
        }
    }
    return pos;
}

static void report_parser(const struct loader *l)
{
    const yaml_parser_t *p = &l->parser;
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        hl_diag_error(l->diag, (struct hl_pos){l->name, 0, 0}, "not enough memory to read it");
    else if (p->error == YAML_READER_ERROR)
        hl_diag_error(l->diag, pos_of_byte(l, p->problem_offset), "%s; the file must be UTF-8 text", problem);
    else if (strstr(problem, "could not find expected ':'")) /* the word itself says more than where it was missed */
        hl_diag_error(l->diag, pos_at(l, p->context_mark), "%s%s", problem, remedy(problem));
    else if (p->context && p->context_mark.index != p->problem_mark.index)
        hl_diag_error(l->diag, pos_at(l, p->problem_mark), "%s %s that began in line %d, column %d%s", problem,
                      p->context, (int)p->context_mark.line + 1, (int)p->context_mark.column + 1, remedy(problem));
    else
        hl_diag_error(l->diag, pos_at(l, p->problem_mark), "%s%s", problem, remedy(problem));
}

static bool next_event(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    report_parser(l);
    return false;
}

/* ---- Nodes ---- */

static struct hl_yaml *new_node(struct hl_arena *arena, enum hl_yaml_kind kind, struct hl_pos pos)
{
    struct hl_yaml *node = hl_arena_alloc(arena, 1, sizeof *node);
    node->kind = kind;
    node->pos = pos;
    if (kind == HL_YAML_SCALAR)
        node->text = "";
    return node;
}

/* Lists grow by doubling from 8; how much room there is follows from n, so that nodes needn't carry it. */
static void add_item(struct hl_arena *arena, struct hl_yaml *node, struct hl_yaml *key, struct hl_yaml *item)
{
    size_t n = node->n;
    bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);
    size_t capacity = full ? n : n + 1;
    node->item = hl_arena_push(arena, node->item, n, &capacity, sizeof *node->item);
    capacity = full ? n : n + 1;
    if (key)
        node->key = hl_arena_push(arena, node->key, n, &capacity, sizeof *node->key);
    node->item[n] = item;
    if (key)
        node->key[n] = key;
    node->n = n + 1;
}

static void refuse_decoration(struct loader *l, yaml_mark_t mark, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        hl_diag_error(l->diag, pos_at(l, mark),
                      "anchor '&%s': anchors are not used here; write the value out, or quote a text that begins "
                      "with '&'",
                      (const char *)anchor);
    if (tag)
        hl_diag_error(l->diag, pos_at(l, mark),
                      "tag '%s': tags are not used here; leave it out, or quote a text that begins with '!'",
                      (const char *)tag);
}

static struct hl_yaml *scalar_node(struct loader *l, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    struct hl_yaml *node = new_node(l->arena, HL_YAML_SCALAR, scalar_pos(l, event));
    refuse_decoration(l, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text, '\0', event->data.scalar.length))
        hl_diag_error(l->diag, node->pos, "a NUL character inside a text");
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = hl_arena_strdup(l->arena, text);
    return node;
}

static struct hl_yaml *alias_node(struct loader *l, const yaml_event_t *event)
{
    hl_diag_error(l->diag, pos_at(l, event->start_mark),
                  "alias '*%s': aliases are not used here; write the value out, or quote a text that begins with '*'",
                  (const char *)event->data.alias.anchor);
    return new_node(l->arena, HL_YAML_SCALAR, pos_at(l, event->start_mark));
}

/* Opened minus closed parentheses of a plain scalar; 0 for anything else. */
static int open_parentheses(const struct hl_yaml *node)
{
    int open = 0;
    if (node->kind == HL_YAML_SCALAR && !node->quoted)
        for (const char *c = node->text; *c; c++)
            open += (*c == '(') - (*c == ')');
    return open;
}

/* ---- Torn expressions in flow style ---- */

/* whole is the text put back together, NULL when that didn't help. */
static void report_torn(struct loader *l, const struct hl_yaml *piece, const char *whole)
{
    if (whole)
        hl_diag_error(l->diag, piece->pos,
                      "unbalanced parenthesis in '%s': YAML splits it at a comma; quote this expression: \"%s\"",
                      piece->text, whole);
    else
        hl_diag_error(l->diag, piece->pos,
                      "unbalanced parenthesis in '%s'; close it, and quote this expression if it contains a comma",
                      piece->text);
}

/* Appends ", piece" to text. */
static const char *joined(struct loader *l, const char *text, const char *piece)
{
    return hl_arena_printf(l->arena, "%s, %s", text, piece);
}

/* [min(1, b), 3] has become min(1 | b) | 3: joins pieces until the parentheses close, or leaves them as they are. */
static void mend_sequence(struct loader *l, struct hl_yaml *node)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->n; i++) {
        struct hl_yaml *first = node->item[i];
        int open = open_parentheses(first);
        node->item[kept++] = first;
        if (open == 0)
            continue;
        const char *whole = first->text;
        size_t last = i;
        int depth = open;
        while (depth > 0 && last + 1 < node->n && node->item[last + 1]->kind == HL_YAML_SCALAR) {
            depth += open_parentheses(node->item[++last]);
            whole = joined(l, whole, node->item[last]->text);
        }
        report_torn(l, first, depth == 0 ? whole : NULL);
        if (depth == 0) {
            first->text = whole;
            i = last;
        }
    }
    node->n = kept;
}

/* Joins the stray keys after pair i to its value until the parentheses close; returns the last pair used up. */
static size_t mend_value(struct loader *l, struct hl_yaml *node, size_t i, const bool *stray)
{
    struct hl_yaml *value = node->item[i];
    const char *whole = value->text;
    int depth = open_parentheses(value);
    size_t last = i;
    while (depth > 0 && last + 1 < node->n && stray[last + 1]) {
        last++;
        depth += open_parentheses(node->key[last]);
        whole = joined(l, whole, node->key[last]->text);
    }
    report_torn(l, value, depth == 0 ? whole : NULL);
    if (depth != 0)
        return i;
    value->text = whole;
    return last;
}

/* {F: min(1, b), c: 2} has become F: min(1 | b) | c: 2, where stray says which keys stand without a colon. */
static void mend_mapping(struct loader *l, struct hl_yaml *node, const bool *stray)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->n; i++) {
        struct hl_yaml *key = node->key[i], *value = node->item[i];
        node->key[kept] = key;
        node->item[kept++] = value;
        if (open_parentheses(value) != 0)
            i = mend_value(l, node, i, stray);
        else if (open_parentheses(key) != 0)
            report_torn(l, key, NULL);
        else if (stray[i])
            hl_diag_error(l->diag, key->pos,
                          "'%s' has no value: YAML splits at a comma; quote this expression, or write \"%s: value\"",
                          key->text, key->text);
    }
    node->n = kept;
}

/* ---- The tree ---- */

static struct hl_yaml *read_node(struct loader *l, yaml_event_t *event, int depth);

/* The next node of a collection; *end says that the collection is over (NULL is then no failure). */
static struct hl_yaml *read_next(struct loader *l, int depth, yaml_event_type_t closing, bool *end, yaml_mark_t *mark)
{
    yaml_event_t event;
    *end = false;
    if (!next_event(l, &event))
        return NULL;
    if (mark)
        *mark = event.end_mark;
    *end = event.type == closing;
    struct hl_yaml *node = *end ? NULL : read_node(l, &event, depth + 1);
    yaml_event_delete(&event);
    return node;
}

static struct hl_yaml *read_sequence(struct loader *l, const yaml_event_t *start, int depth)
{
    bool end, flow = start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    struct hl_yaml *node = new_node(l->arena, HL_YAML_SEQUENCE, pos_at(l, start->start_mark)), *item;
    refuse_decoration(l, start->start_mark, start->data.sequence_start.anchor, start->data.sequence_start.tag);
    while ((item = read_next(l, depth, YAML_SEQUENCE_END_EVENT, &end, NULL)))
        add_item(l->arena, node, NULL, item);
    if (flow)
        mend_sequence(l, node);
    return end ? node : NULL;
}

static void check_key(struct loader *l, const struct hl_yaml *node, struct hl_yaml *key)
{
    if (key->kind != HL_YAML_SCALAR) {
        hl_diag_error(l->diag, key->pos, "a key must be a word, found a %s; text with brackets must stand in quotes",
                      key->kind == HL_YAML_MAPPING ? "mapping" : "list");
        *key = (struct hl_yaml){.kind = HL_YAML_SCALAR, .pos = key->pos, .text = ""};
        return;
    }
    if (equal(key->text, "<<") && !key->quoted)
        hl_diag_error(l->diag, key->pos, "merge key '<<': merge keys are not used here; write the values out");
    if (!*key->text && !key->quoted) {
        hl_diag_error(l->diag, key->pos, "a value without a key; write key: value");
        return;
    }
    if (strlen(key->text) > LONGEST_KEY)
        hl_diag_error(l->diag, key->pos, "a key of more than %d characters", LONGEST_KEY);
    const struct hl_yaml *first = hl_yaml_key(node, key->text);
    if (first)
        hl_diag_error(l->diag, key->pos, "key '%s' is repeated; it stands in line %d, column %d already: keep one",
                      key->text, first->pos.line, first->pos.column);
}

/* In flow style, a key that isn't followed by a colon: {a: 1, b}. */
static bool is_stray(struct loader *l, const struct hl_yaml *value, yaml_mark_t key_end)
{
    if (value->kind != HL_YAML_SCALAR || value->quoted || *value->text)
        return false;
    const char *at = source_at(l, key_end);
    at += strspn(at, " \t\r\n");
    return *at == ',' || *at == '}' || *at == '#';
}

static struct hl_yaml *read_mapping(struct loader *l, const yaml_event_t *start, int depth)
{
    bool end, flow = start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, *stray = NULL;
    size_t capacity = 0;
    yaml_mark_t key_end;
    struct hl_yaml *node = new_node(l->arena, HL_YAML_MAPPING, pos_at(l, start->start_mark)), *key;
    refuse_decoration(l, start->start_mark, start->data.mapping_start.anchor, start->data.mapping_start.tag);
    while ((key = read_next(l, depth, YAML_MAPPING_END_EVENT, &end, &key_end))) {
        bool no_end;
        struct hl_yaml *value = read_next(l, depth, YAML_NO_EVENT, &no_end, NULL);
        if (!value)
            return NULL;
        stray = hl_arena_push(l->arena, stray, node->n, &capacity, sizeof *stray);
        stray[node->n] = flow && is_stray(l, value, key_end);
        if (!stray[node->n])
            check_key(l, node, key); /* a stray piece of an expression may well repeat */
        add_item(l->arena, node, key, value);
    }
    if (flow)
        mend_mapping(l, node, stray);
    return end ? node : NULL;
}

/* NULL after a fault that ends the load. */
static struct hl_yaml *read_node(struct loader *l, yaml_event_t *event, int depth)
{
    if (depth > DEEPEST) {
        hl_diag_error(l->diag, pos_at(l, event->start_mark), "nested more than %d levels deep", DEEPEST);
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return scalar_node(l, event);
    case YAML_ALIAS_EVENT:
        return alias_node(l, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_sequence(l, event, depth);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(l, event, depth);
    default:
        hl_diag_error(l->diag, pos_at(l, event->start_mark), "expected a value");
        return NULL;
    }
}

/* Takes the next event and says whether it is of the given type; false at a syntax error. */
static bool expect(struct loader *l, yaml_event_type_t type, bool *found)
{
    yaml_event_t event;
    if (!next_event(l, &event))
        return false;
    *found = event.type == type;
    if (!*found && type == YAML_STREAM_END_EVENT)
        hl_diag_error(l->diag, pos_at(l, event.start_mark), "a second document; only one is allowed in a file");
    yaml_event_delete(&event);
    return true;
}

static struct hl_yaml *read_document(struct loader *l)
{
    bool found;
    if (!expect(l, YAML_STREAM_START_EVENT, &found) || !expect(l, YAML_DOCUMENT_START_EVENT, &found))
        return NULL;
    if (!found) {
        hl_diag_error(l->diag, (struct hl_pos){l->name, 1, 1}, "nothing but white space and comments");
        return NULL;
    }
    struct hl_yaml *root = read_next(l, 0, YAML_NO_EVENT, &found, NULL);
    if (!root || !expect(l, YAML_DOCUMENT_END_EVENT, &found) || !expect(l, YAML_STREAM_END_EVENT, &found))
        return NULL;
    return found ? root : NULL;
}

static struct hl_yaml *load(struct hl_arena *arena, const char *name, const char *text, size_t n, struct hl_diag *diag)
{
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* a byte-order mark is no column */
        text += 3;
        n -= 3;
    }
    struct loader l = {.arena = arena, .diag = diag, .name = hl_arena_strdup(arena, name), .source = text, .length = n};
    if (!yaml_parser_initialize(&l.parser)) {
        hl_diag_error(diag, (struct hl_pos){l.name, 0, 0}, "not enough memory to read it");
        return NULL;
    }
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, n);
    struct hl_yaml *root = read_document(&l);
    yaml_parser_delete(&l.parser);
    return root;
}

struct hl_yaml *hl_yaml_load_text(struct hl_arena *arena, const char *name, const char *text, struct hl_diag *diag)
{
    return load(arena, name, text, strlen(text), diag);
}

/* The whole of a file with a NUL after it, from hl_alloc; NULL with the reason in diag. */
static char *read_whole(FILE *file, struct hl_pos pos, size_t *n, struct hl_diag *diag)
{
    size_t capacity = 1 << 16, got;
    char *text = hl_alloc(capacity, 1);
    for (*n = 0; text && (got = fread(text + *n, 1, capacity - *n - 1, file)) > 0;) {
        *n += got;
        if (*n + 1 < capacity)
            continue;
        char *more = *n < LARGEST_FILE ? hl_grow(text, capacity, 2 * capacity, 1) : NULL;
        if (!more)
            hl_free(text);
        text = more;
        capacity *= 2;
    }
    if (!text)
        hl_diag_error(diag, pos, *n < LARGEST_FILE ? "not enough memory to read it" : "too large for a YAML file");
    if (text && ferror(file)) {
        hl_diag_error(diag, pos, "can't read: %s", strerror(errno));
        hl_free(text);
        text = NULL;
    }
    return text;
}

struct hl_yaml *hl_yaml_load_file(struct hl_arena *arena, const char *path, struct hl_diag *diag)
{
    struct hl_pos pos = {path, 0, 0};
    FILE *file = fopen(path, "rb");
    if (!file) {
        hl_diag_error(diag, pos, "can't open: %s", strerror(errno));
        return NULL;
    }
    size_t n;
    char *text = read_whole(file, pos, &n, diag);
    fclose(file);
    if (!text)
        return NULL;
    struct hl_yaml *root = load(arena, path, text, n, diag);
    hl_free(text);
    return root;
}

/* ---- Reading the tree ---- */

static size_t find_key(const struct hl_yaml *node, const char *key)
{
    if (node && node->kind == HL_YAML_MAPPING)
        for (size_t i = 0; i < node->n; i++)
            if (equal(node->key[i]->text, key))
                return i;
    return SIZE_MAX;
}

struct hl_yaml *hl_yaml_get(const struct hl_yaml *node, const char *key)
{
    size_t i = find_key(node, key);
    return i == SIZE_MAX ? NULL : node->item[i];
}

struct hl_yaml *hl_yaml_key(const struct hl_yaml *node, const char *key)
{
    size_t i = find_key(node, key);
    return i == SIZE_MAX ? NULL : node->key[i];
}

static const char *found_phrase(const struct hl_yaml *node)
{
    if (!node || (node->kind == HL_YAML_SCALAR && !node->quoted && !*node->text))
        return "nothing";
    return node->kind == HL_YAML_SCALAR ? "a single value" : node->kind == HL_YAML_SEQUENCE ? "a list" : "a mapping";
}

static struct hl_pos pos_of(const struct hl_yaml *node)
{
    return node ? node->pos : hl_pos_none();
}

bool hl_yaml_check_keys(const struct hl_yaml *node, const char *what, const char *const *known, size_t n,
                        struct hl_diag *diag)
{
    if (!node || node->kind != HL_YAML_MAPPING) {
        hl_diag_error(diag, pos_of(node), "expected %s as a mapping (key: value), found %s", what, found_phrase(node));
        return false;
    }
    for (size_t i = 0; i < node->n; i++) {
        const char *key = node->key[i]->text;
        char nearest[160];
        size_t k = 0;
        while (k < n && !equal(key, known[k]))
            k++;
        if (k == n)
            hl_diag_error(diag, node->key[i]->pos, "unknown key '%s' in %s%s", key, what,
                          hl_text_did_you_mean(key, known, n, nearest, sizeof nearest));
    }
    return true;
}

const char *hl_yaml_text(const struct hl_yaml *node, const char *expected, struct hl_diag *diag)
{
    if (node && node->kind == HL_YAML_SCALAR && (node->quoted || *node->text))
        return node->text;
    hl_diag_error(diag, pos_of(node), "expected %s, found %s", expected, found_phrase(node));
    return NULL;
}

/* ---- Changing the tree ---- */

struct hl_yaml *hl_yaml_clone(struct hl_arena *arena, const struct hl_yaml *node)
{
    if (!node)
        return NULL;
    struct hl_yaml *copy = new_node(arena, node->kind, node->pos);
    copy->quoted = node->quoted;
    if (node->kind == HL_YAML_SCALAR)
        copy->text = hl_arena_strdup(arena, node->text);
    for (size_t i = 0; i < node->n; i++)
        add_item(arena, copy, node->key ? hl_yaml_clone(arena, node->key[i]) : NULL,
                 hl_yaml_clone(arena, node->item[i]));
    return copy;
}

/* How many bytes of path the word takes as its next element, its dot included; 0 when it doesn't stand there. */
static size_t element_length(const char *path, const char *word)
{
    size_t n = strlen(word);
    if (n == 0 || strncmp(path, word, n) != 0)
        return 0;
    return path[n] == '\0' ? n : path[n] == '.' && path[n + 1] ? n + 1 : 0;
}

/* The word that names child i of a node in a path, NULL when it has none. buffer serves for an index. */
static const char *child_word(const struct hl_yaml *node, size_t i, bool by_index, char buffer[32])
{
    if (node->kind == HL_YAML_MAPPING)
        return by_index ? NULL : node->key[i]->text;
    if (by_index) {
        snprintf(buffer, 32, "%zu", i);
        return buffer;
    }
    const struct hl_yaml *name = hl_yaml_get(node->item[i], "name");
    return name && name->kind == HL_YAML_SCALAR ? name->text : NULL;
}

/* The child that the path's first element names (the longest name that fits), and how much of the path that is. */
static size_t find_child(const struct hl_yaml *node, const char *path, size_t *taken)
{
    size_t found = SIZE_MAX;
    char buffer[32];
    *taken = 0;
    for (int by_index = 0; by_index <= 1; by_index++)
        for (size_t i = 0; i < node->n; i++) {
            const char *word = child_word(node, i, by_index != 0, buffer);
            size_t n = word ? element_length(path, word) : 0;
            if (n > *taken) {
                *taken = n;
                found = i;
            }
        }
    return found;
}

size_t hl_yaml_set(struct hl_arena *arena, struct hl_yaml *root, const char *path, struct hl_yaml *value, bool create)
{
    if (!root || root->kind == HL_YAML_SCALAR || !*path)
        return 0;
    size_t n, set = 0, star = element_length(path, "*"), child = star ? 0 : find_child(root, path, &n);
    if (!star && child == SIZE_MAX) {
        if (!create || root->kind != HL_YAML_MAPPING || strchr(path, '.'))
            return 0;
        struct hl_yaml *key = new_node(arena, HL_YAML_SCALAR, value->pos);
        key->text = hl_arena_strdup(arena, path);
        add_item(arena, root, key, hl_yaml_clone(arena, value));
        return 1;
    }
    size_t end = star ? root->n : child + 1;
    const char *rest = path + (star ? star : n);
    for (size_t i = child; i < end; i++) {
        if (*rest)
            set += hl_yaml_set(arena, root->item[i], rest, value, create);
        else
            root->item[i] = hl_yaml_clone(arena, value);
        set += *rest == '\0';
    }
    return set;
}

struct hl_yaml *hl_yaml_at(const struct hl_yaml *root, const char *path)
{
    if (!root || root->kind == HL_YAML_SCALAR || !*path)
        return NULL;
    size_t n, star = element_length(path, "*"), child = star ? 0 : find_child(root, path, &n);
    if (!star && child == SIZE_MAX)
        return NULL;
    size_t end = star ? root->n : child + 1;
    const char *rest = path + (star ? star : n);
    struct hl_yaml *found = NULL;
    for (size_t i = child; i < end && !found; i++)
        found = *rest ? hl_yaml_at(root->item[i], rest) : root->item[i];
    return found;
}

static bool among(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (equal(word, words[i]))
            return true;
    return false;
}

static struct hl_yaml *appended(struct hl_arena *arena, const struct hl_yaml *base, const struct hl_yaml *over)
{
    struct hl_yaml *both = hl_yaml_clone(arena, base);
    for (size_t i = 0; i < over->n; i++)
        add_item(arena, both, NULL, hl_yaml_clone(arena, over->item[i]));
    return both;
}

struct hl_yaml *hl_yaml_merge(struct hl_arena *arena, const struct hl_yaml *base, const struct hl_yaml *over,
                              const char *const *append, size_t n)
{
    if (!over)
        return hl_yaml_clone(arena, base);
    if (!base || base->kind != HL_YAML_MAPPING || over->kind != HL_YAML_MAPPING)
        return hl_yaml_clone(arena, over);
    struct hl_yaml *merged = hl_yaml_clone(arena, base);
    for (size_t i = 0; i < over->n; i++) {
        const char *key = over->key[i]->text;
        size_t at = find_key(base, key);
        if (at == SIZE_MAX) {
            add_item(arena, merged, hl_yaml_clone(arena, over->key[i]), hl_yaml_clone(arena, over->item[i]));
            continue;
        }
        const struct hl_yaml *below = base->item[at], *above = over->item[i];
        bool lists = below->kind == HL_YAML_SEQUENCE && above->kind == HL_YAML_SEQUENCE;
        merged->item[at] = lists && among(key, append, n) ? appended(arena, below, above)
                                                          : hl_yaml_merge(arena, below, above, append, n);
    }
    return merged;
}

/* ---- Writing ---- */

struct sink {
    char *text;
    size_t n, capacity;
    bool failed;
};

static void put_bytes(struct sink *sink, const char *bytes, size_t n)
{
    if (sink->n + n + 1 > sink->capacity && !sink->failed) {
        size_t larger = 2 * (sink->capacity + n) + 256;
        char *text = hl_grow(sink->text, sink->n, larger, 1);
        sink->failed = !text;
        if (text) {
            sink->text = text;
            sink->capacity = larger;
        }
    }
    if (sink->failed)
        return;
    memcpy(sink->text + sink->n, bytes, n);
    sink->n += n;
}

static void put(struct sink *sink, const char *text)
{
    put_bytes(sink, text, strlen(text));
}

/* The code point at text and its length in bytes; a stray byte counts as itself. */
static unsigned long code_point(const char *text, size_t *n)
{
    const unsigned char *u = (const unsigned char *)text;
    *n = u[0] < 0xC0 ? 1 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
    unsigned long code = u[0] < 0xC0 ? u[0] : u[0] & (0xFFu >> (*n + 1));
    for (size_t i = 1; i < *n; i++) {
        if ((u[i] & 0xC0) != 0x80) {
            *n = 1;
            return u[0];
        }
        code = code << 6 | (u[i] & 0x3F);
    }
    return code;
}

/* Characters that YAML doesn't print, or takes for a line break or a byte-order mark. */
static bool needs_escape(unsigned long code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
           code == 0xFFFE || code == 0xFFFF;
}

static bool plain_is_safe(const char *text)
{
    size_t n = strlen(text), step;
    if (n == 0)
        return true; /* nothing at all is written, and read back as nothing */
    bool dash = strchr("-?:", text[0]) != NULL;
    if (strchr(" ,[]{}#&*!|>'\"%@`", text[0]) || (dash && (n == 1 || text[1] == ' ')))
        return false;
    if (text[n - 1] == ' ' || text[n - 1] == ':' || strstr(text, ": ") || strstr(text, " #"))
        return false;
    if ((strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0) && (n == 3 || text[3] == ' '))
        return false;
    for (size_t i = 0; i < n; i += step)
        if (needs_escape(code_point(text + i, &step)))
            return false;
    return true;
}

static void put_quoted(struct sink *sink, const char *text)
{
    char escape[16];
    size_t n;
    put(sink, "\"");
    for (; *text; text += n) {
        unsigned long code = code_point(text, &n);
        if (code == '"' || code == '\\')
            put(sink, "\\");
        if (code == '\n')
            put(sink, "\\n");
        else if (needs_escape(code)) {
            snprintf(escape, sizeof escape, code < 0x100 ? "\\x%02lX" : "\\u%04lX", code);
            put(sink, escape);
        } else
            put_bytes(sink, text, n);
    }
    put(sink, "\"");
}

/* An empty plain scalar is nothing at all. */
static void put_scalar(struct sink *sink, const struct hl_yaml *node)
{
    if (node->quoted || !plain_is_safe(node->text))
        put_quoted(sink, node->text);
    else
        put(sink, node->text);
}

static void put_indent(struct sink *sink, int depth)
{
    for (int i = 0; i < depth; i++)
        put(sink, "  ");
}

static bool is_block(const struct hl_yaml *node)
{
    return node->kind != HL_YAML_SCALAR && node->n > 0;
}

/* Writes the elements or pairs of a collection, each on lines of its own at this depth. started: the indent of the
 * first line stands already, after the "- " of a list. */
static void put_block(struct sink *sink, const struct hl_yaml *node, int depth, bool started)
{
    for (size_t i = 0; i < node->n; i++) {
        const struct hl_yaml *item = node->item[i];
        bool mapping = node->kind == HL_YAML_MAPPING, inner = is_block(item);
        bool blank = item->kind == HL_YAML_SCALAR && !item->quoted && !*item->text;
        if (!started || i > 0)
            put_indent(sink, depth);
        if (mapping)
            put_scalar(sink, node->key[i]);
        put(sink, mapping ? ":" : "-");
        put(sink, inner && mapping ? "\n" : blank ? "" : " ");
        if (inner)
            put_block(sink, item, depth + 1, !mapping);
        else if (item->kind == HL_YAML_SCALAR)
            put_scalar(sink, item);
        else
            put(sink, item->kind == HL_YAML_MAPPING ? "{}" : "[]");
        if (!inner)
            put(sink, "\n");
    }
}

static bool put_tree(struct sink *sink, const struct hl_yaml *node)
{
    if (is_block(node))
        put_block(sink, node, 0, false);
    else {
        if (node->kind == HL_YAML_SCALAR && *node->text)
            put_scalar(sink, node);
        else
            put(sink, node->kind == HL_YAML_SCALAR ? node->quoted ? "\"\"" : "---"
                      : node->kind == HL_YAML_MAPPING ? "{}" : "[]");
        put(sink, "\n");
    }
    return !sink->failed;
}

enum hl_status hl_yaml_write(const struct hl_yaml *node, FILE *stream)
{
    struct sink sink = {NULL, 0, 0, false};
    enum hl_status status = put_tree(&sink, node) ? HL_OK : HL_ERR_MEMORY;
    if (status == HL_OK && (fwrite(sink.text, 1, sink.n, stream) != sink.n || fflush(stream) != 0))
        status = HL_ERR_IO;
    hl_free(sink.text);
    return status;
}

char *hl_yaml_to_text(struct hl_arena *arena, const struct hl_yaml *node)
{
    struct sink sink = {NULL, 0, 0, false};
    if (!put_tree(&sink, node))
        hl_memory_end(sink.n, 2);
    char *text = hl_arena_strndup(arena, sink.text, sink.n);
    hl_free(sink.text);
    return text;
}

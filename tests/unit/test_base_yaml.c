/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML, strictly: places, faults, paths, merging, and that what is written reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "printed.h"

static struct hl_arena *arena;
static struct hl_diag *diag;

static int begin(void **state)
{
    (void)state;
    arena = hl_arena_create();
    diag = hl_diag_create();
    return arena && diag ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    hl_diag_free(diag);
    hl_arena_free(arena);
    return 0;
}

static const char *messages(void)
{
    return printed(diag);
}

static struct hl_yaml *loaded(const char *text)
{
    struct hl_yaml *node = hl_yaml_load_text(arena, "s.yaml", text, diag);
    if (!node || hl_diag_count(diag, HL_NOTE) > 0)
        fail_msg("%s:\n%s", text, messages());
    return node;
}

static void assert_place(const struct hl_yaml *node, int line, int column)
{
    if (!node || node->pos.line != line || node->pos.column != column)
        fail_msg("'%s' is at %d:%d, expected %d:%d", node && node->text ? node->text : "?", node ? node->pos.line : -1,
                 node ? node->pos.column : -1, line, column);
    assert_string_equal(node->pos.file, "s.yaml");
}

static bool same_tree(const struct hl_yaml *a, const struct hl_yaml *b)
{
    if (a->kind != b->kind || a->n != b->n || a->quoted != b->quoted)
        return false;
    if (a->kind == HL_YAML_SCALAR)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->n; i++)
        if ((a->key && !same_tree(a->key[i], b->key[i])) || !same_tree(a->item[i], b->item[i]))
            return false;
    return true;
}

static void every_node_knows_its_place(void **state)
{
    (void)state;
    const struct hl_yaml *root = loaded("\xEF\xBB\xBFstudy: taper   # a comment\n"
                                        "\"\xC2\xB5 \xC3\xA9\": {a: 1 mg, b: \"2 h\", 'c': 'x'}\n"
                                        "list:\n"
                                        "  - 0755\n"
                                        "  - {name: x}\n"
                                        "empty:\n"
                                        "text: |\r\n"
                                        "\r\n"
                                        "    first\r\n"
                                        "    second\n");
    assert_int_equal(root->kind, HL_YAML_MAPPING);
    assert_int_equal(root->n, 5);
    assert_place(root, 1, 1);
    assert_place(hl_yaml_get(root, "study"), 1, 8);
    assert_place(hl_yaml_key(root, "\xC2\xB5 \xC3\xA9"), 2, 2);
    const struct hl_yaml *flow = hl_yaml_get(root, "\xC2\xB5 \xC3\xA9");
    assert_place(flow, 2, 8);
    assert_place(hl_yaml_get(flow, "a"), 2, 12);
    assert_false(hl_yaml_get(flow, "a")->quoted);
    assert_place(hl_yaml_get(flow, "b"), 2, 22);
    assert_true(hl_yaml_get(flow, "b")->quoted);
    assert_place(hl_yaml_key(flow, "c"), 2, 29);
    const struct hl_yaml *list = hl_yaml_get(root, "list");
    assert_int_equal(list->kind, HL_YAML_SEQUENCE);
    assert_string_equal(list->item[0]->text, "0755");
    assert_place(list->item[1], 5, 5);
    const struct hl_yaml *empty = hl_yaml_get(root, "empty");
    assert_string_equal(empty->text, "");
    assert_false(empty->quoted);
    assert_place(hl_yaml_get(root, "text"), 9, 5);
    assert_string_equal(hl_yaml_get(root, "text")->text, "\nfirst\nsecond\n");
    assert_null(hl_yaml_get(root, "nothing"));
    assert_null(hl_yaml_get(NULL, "x"));
    assert_null(hl_yaml_key(list, "x"));
}

/* Texts that can't be read at all: no tree, one message at this place with this in it. */
static void syntax_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: b: c", "s.yaml:1:5: error: mapping values are not allowed in this context; a text that contains ': '"},
        {"x: 1\na: {k: 10 [mg/L]}", "s.yaml:2:11: error: did not find expected ',' or '}'"},
        {"unit: %", "s.yaml:1:7: error: found character that cannot start any token; put the text in quotes"},
        {"a: 1\n\tb: 2", "indent with spaces"},
        {"a: \"x", "close the quotation mark"},
        {"a: \"x\" y", "s.yaml:1:8: error: did not find expected key"},
        {"a: 1\n---\nb: 2", "s.yaml:2:1: error: a second document"},
        {"a: 1\n\xC2\xB5: \xFF", "s.yaml:2:4: error: invalid leading UTF-8 octet; the file must be UTF-8 text"},
        {"a: \x01", "s.yaml:1:4: error: control characters are not allowed"},
        {"", "s.yaml:1:1: error: nothing but white space and comments"},
        {"# only this\n", "s.yaml:1:1: error: nothing but"},
        {"a: 1\nb\nc: 2\n", "s.yaml:2:1: error: could not find expected ':'; write key: value"},
        {"a: *", "a text that begins with '*'"},
        {"a:\n  - b\n c: 1\n", "s.yaml:3:2: error: did not find expected key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(hl_yaml_load_text(arena, "s.yaml", cases[i].text, diag));
        const char *said = messages();
        if (!strstr(said, cases[i].message))
            fail_msg("'%s': expected '%s' in '%s'", cases[i].text, cases[i].message, said);
        hl_diag_free(diag);
        diag = hl_diag_create();
    }
}

/* Faults beside which the rest can still be checked: the tree comes, the errors too. */
static void lesser_faults_are_all_reported(void **state)
{
    (void)state;
    const struct hl_yaml *root = hl_yaml_load_text(arena, "s.yaml",
                                                   "anchored: &x 3\n"
                                                   "again: *x\n"
                                                   "tagged: !!str 5\n"
                                                   "seq: &y [1]\n"
                                                   "<<: {a: 1}\n"
                                                   "again: 4\n"
                                                   "? [k]\n"
                                                   ": 5\n"
                                                   "nul: \"a\\0b\"\n"
                                                   "?\n"
                                                   ": 7\n",
                                                   diag);
    assert_non_null(root);
    assert_int_equal(hl_diag_count(diag, HL_ERROR), 9);
    const char *said = messages();
    static const char *const parts[] = {
        "s.yaml:1:11: error: anchor '&x'",      "s.yaml:2:8: error: alias '*x'",
        "s.yaml:3:9: error: tag ",              "s.yaml:4:6: error: anchor '&y'",
        "s.yaml:5:1: error: merge key",
        "s.yaml:6:1: error: key 'again' is repeated; it stands in line 2, column 1",
        "s.yaml:7:3: error: a key must be a word, found a list", "s.yaml:9:7: error: a NUL character",
        "s.yaml:10:2: error: a value without a key"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(said, parts[i]))
            fail_msg("expected '%s' in\n%s", parts[i], said);
}

static void torn_expressions_are_found_and_mended(void **state)
{
    (void)state;
    const struct hl_yaml *root = hl_yaml_load_text(arena, "s.yaml",
                                                   "F: {a: min(1, b), c: 2}\n"
                                                   "G: {a: if(x > 1, b, hill(C, E, g)), d: 3}\n"
                                                   "H: [max(1, b), 3]\n"
                                                   "K: {a: 1, stray, b: }\n"
                                                   "L: {a: (1 + 2}\n"
                                                   "M: {a): 1}\n"
                                                   "fine: {a: \"min(1, b)\", b: f(x), c: , d: ''}\n"
                                                   "block: a) first (of two\n",
                                                   diag);
    assert_non_null(root);
    const char *said = messages();
    static const char *const parts[] = {
        "s.yaml:1:8: error: unbalanced parenthesis in 'min(1': YAML splits it at a comma; quote this expression: \"min",
        "quote this expression: \"min(1, b)\"\n",
        "s.yaml:2:8: error: unbalanced parenthesis in 'if(x > 1': YAML splits it at a comma; quote this",
        "expression: \"if(x > 1, b, hill(C, E, g))\"\n",
        "s.yaml:3:5: error: unbalanced parenthesis in 'max(1'", "s.yaml:4:11: error: 'stray' has no value: YAML splits",
        "s.yaml:5:8: error: unbalanced parenthesis in '(1 + 2'; close it", "s.yaml:6:5: error: unbalanced"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(said, parts[i]))
            fail_msg("expected '%s' in\n%s", parts[i], said);
    assert_int_equal(hl_diag_count(diag, HL_NOTE), 6);
    const struct hl_yaml *F = hl_yaml_get(root, "F");
    assert_int_equal(F->n, 2);
    assert_string_equal(hl_yaml_get(F, "a")->text, "min(1, b)");
    assert_string_equal(hl_yaml_get(F, "c")->text, "2");
    assert_string_equal(hl_yaml_at(root, "G.d")->text, "3");
    assert_int_equal(hl_yaml_get(root, "H")->n, 2);
    assert_string_equal(hl_yaml_at(root, "H.1")->text, "3");
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[2100];
    for (int depth = 60; depth <= 1000; depth += 940) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        struct hl_yaml *node = hl_yaml_load_text(arena, "s.yaml", text, diag);
        assert_true(depth < 64 ? node != NULL : node == NULL);
    }
    assert_non_null(strstr(messages(), "nested more than 64 levels deep"));
    memset(text, 'k', 300);
    strcpy(text + 300, ": 1\n");
    hl_yaml_load_text(arena, "s.yaml", text, diag);
    assert_non_null(strstr(messages(), "a key of more than 200 characters"));
}

static void keys_and_texts_are_checked(void **state)
{
    (void)state;
    static const char *const known[] = {"subjects", "seed"};
    const struct hl_yaml *root = loaded("cohort: {subjetcs: 5, seed: 1, zzz: 3}\nlist: [1]\nempty:\nquoted: ''\n");
    assert_true(hl_yaml_check_keys(hl_yaml_get(root, "cohort"), "a cohort", known, 2, diag));
    assert_false(hl_yaml_check_keys(hl_yaml_get(root, "list"), "a cohort", known, 2, diag));
    assert_false(hl_yaml_check_keys(NULL, "a cohort", known, 2, diag));
    assert_null(hl_yaml_text(hl_yaml_get(root, "list"), "a number", diag));
    assert_null(hl_yaml_text(hl_yaml_get(root, "empty"), "a name", diag));
    assert_string_equal(hl_yaml_text(hl_yaml_get(root, "quoted"), "a name", diag), "");
    assert_string_equal(hl_yaml_text(hl_yaml_at(root, "cohort.seed"), "a seed", diag), "1");
    assert_string_equal(messages(),
                        "s.yaml:1:10: error: unknown key 'subjetcs' in a cohort; did you mean 'subjects'?\n"
                        "s.yaml:1:32: error: unknown key 'zzz' in a cohort\n"
                        "s.yaml:2:7: error: expected a cohort as a mapping (key: value), found a list\n"
                        "s.yaml:2:7: error: expected a number, found a list\n"
                        "s.yaml:3:7: error: expected a name, found nothing\n"
                        "halflife: error: expected a cohort as a mapping (key: value), found nothing\n");
}

static void paths_are_followed_and_set(void **state)
{
    (void)state;
    struct hl_yaml *root = loaded("cohort: {subjects: 5}\n"
                                  "arms:\n"
                                  "  - name: eighths\n"
                                  "    dose: 1 mg\n"
                                  "  - name: case infusion\n"
                                  "    dose: 2 mg\n"
                                  "set: {clonazepam.CL: 1, clonazepam: {CL: 2, V: 3}}\n");
    struct hl_yaml *value = loaded("37");
    assert_int_equal(hl_yaml_set(arena, root, "cohort.subjects", value, false), 1);
    assert_string_equal(hl_yaml_at(root, "cohort.subjects")->text, "37");
    assert_int_equal(hl_yaml_set(arena, root, "arms.eighths.dose", value, false), 1);
    assert_string_equal(hl_yaml_at(root, "arms.0.dose")->text, "37");
    assert_string_equal(hl_yaml_at(root, "arms.1.dose")->text, "2 mg");
    assert_string_equal(hl_yaml_at(root, "arms.case infusion.dose")->text, "2 mg");
    assert_int_equal(hl_yaml_set(arena, root, "arms.*.dose", loaded("{a: [1, 2]}"), false), 2);
    assert_string_equal(hl_yaml_at(root, "arms.1.dose.a.1")->text, "2");
    assert_int_equal(hl_yaml_set(arena, root, "arms.0.dose.a.0", value, false), 1);
    assert_string_equal(hl_yaml_at(root, "arms.1.dose.a.0")->text, "1"); /* the copies are apart */
    assert_string_equal(hl_yaml_at(root, "arms.*.dose.a.0")->text, "37");
    assert_string_equal(hl_yaml_at(root, "set.clonazepam.CL")->text, "1"); /* the longer key */
    assert_string_equal(hl_yaml_at(root, "set.clonazepam.V")->text, "3");
    assert_int_equal(hl_yaml_set(arena, root, "cohort.seed", value, false), 0);
    assert_int_equal(hl_yaml_set(arena, root, "cohort.seed", value, true), 1);
    assert_string_equal(hl_yaml_at(root, "cohort.seed")->text, "37");
    assert_int_equal(hl_yaml_set(arena, root, "arms.*.new", value, true), 2);
    static const char *const nowhere[] = {"", ".", "cohort.", "arms.7.dose", "arms.none.dose", "cohort.subjects.x",
                                          "no.where", "arms.9"};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        assert_null(hl_yaml_at(root, nowhere[i]));
        assert_int_equal(hl_yaml_set(arena, root, nowhere[i], value, true), 0);
    }
}

static void merging(void **state)
{
    (void)state;
    static const char *const append[] = {"flows"};
    struct hl_yaml *base = loaded("p: {CL: 1, V: 2}\nflows: [a, b]\nlist: [1, 2]\nx: 5\n");
    struct hl_yaml *over = loaded("p: {V: 3, Q: 4}\nflows: [c]\nlist: [9]\nx: {y: 1}\nz: 7\n");
    char *before = hl_yaml_to_text(arena, base);
    struct hl_yaml *merged = hl_yaml_merge(arena, base, over, append, 1);
    assert_string_equal(hl_yaml_to_text(arena, merged),
                        "p:\n  CL: 1\n  V: 3\n  Q: 4\nflows:\n  - a\n  - b\n  - c\nlist:\n  - 9\nx:\n  y: 1\nz: 7\n");
    merged->item[0]->item[0]->text = "changed";
    assert_string_equal(hl_yaml_to_text(arena, base), before);
    assert_true(same_tree(hl_yaml_merge(arena, base, NULL, NULL, 0), base));
    assert_true(same_tree(hl_yaml_merge(arena, NULL, over, NULL, 0), over));
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a: 1 mg\nb: '1 mg'\nc: \"\\\"q\\\" \\\\ \\x07 \\u2028 \\ufeff \\t\\n\\e\\x85\"\n",
        "- [a, [b, [], {}], {x: {y: [1]}}]\n- - - deep\n-\n- ''\n- {name: n, list: [{k: v}, 2]}\n",
        "minus: -0.5\ndash: -a\nq: ?x\ncolon: :x\ntime: 20:00\nurl: http://x.y/z#w\npct: 5 %\nhash: a#b\n",
        "text: |\n  two\n  lines\nfolded: >\n  one\n  line\n\n  more\n",
        "\"quoted key\": 1\n'5 %': 2\n\xC2\xB5g: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n\"\": 3\n",
        "{a: -, b: x y, c: \"- x\", d: 'a: b', e: 'a #b', f: '[', g: ' lead', h: 'trail ', i: 'end:'}",
        "just text", "''", "[]", "{}", "\"--- x\"", "~", "a: ---x\n", "? a\n: b\n", "a: '---'\nb: null\nc: yes\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct hl_yaml *first = loaded(texts[i]);
        if (hl_yaml_get(first, "i")) /* a lone dash is plain in flow style only */
            hl_yaml_get(first, "a")->quoted = true;
        char *written = hl_yaml_to_text(arena, first);
        struct hl_yaml *second = loaded(written);
        if (!same_tree(first, second))
            fail_msg("%s\nbecame\n%s", texts[i], written);
        assert_true(same_tree(first, hl_yaml_clone(arena, first)));
        assert_string_equal(hl_yaml_to_text(arena, second), written);
    }
}

/* Random scalars, made of what YAML finds hard, in every position. The seed is fixed. */
static void random_trees_read_back_the_same(void **state)
{
    (void)state;
    static const char *const pieces[] = {":", " ", "-", "#", "'", "\"", "\\", "\n", "a", "1", "{", "]", ",", "&", "%",
                                         "\t", "\xC2\xB5", "?", "|", "!", "*", "\xE2\x80\xA8", "\x7F", "(", ".", "\r"};
    uint32_t random = 20211009;
    for (int round = 0; round < 3000; round++) {
        char text[3][16] = {"", "", ""};
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < 4; i++) {
                random = random * 1664525u + 1013904223u;
                strcat(text[k], pieces[(random >> 16) % (sizeof pieces / sizeof pieces[0])]);
            }
        struct hl_yaml scalars[3];
        for (int k = 0; k < 3; k++)
            scalars[k] = (struct hl_yaml){.kind = HL_YAML_SCALAR, .quoted = true, .text = text[k]};
        struct hl_yaml *items[] = {&scalars[1], &scalars[2]}, *key[] = {&scalars[0]}, *value[1];
        struct hl_yaml list = {.kind = HL_YAML_SEQUENCE, .n = 2, .item = items};
        value[0] = &list;
        struct hl_yaml tree = {.kind = HL_YAML_MAPPING, .n = 1, .key = key, .item = value};
        for (int quoted = 1; quoted >= 0; quoted--) {
            scalars[0].quoted = scalars[1].quoted = scalars[2].quoted = quoted;
            struct hl_yaml *back = loaded(hl_yaml_to_text(arena, &tree));
            for (int k = 0; k < 3; k++) {
                const struct hl_yaml *read = k == 0 ? back->key[0] : back->item[0]->item[k - 1];
                if (strcmp(read->text, text[k]) != 0)
                    fail_msg("round %d: '%s' came back as '%s'", round, text[k], read->text);
            }
        }
    }
}

static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/test_base_yaml_XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = fdopen(descriptor, "w+");
    fputs("list:\n", file);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "  - {k: %d}\n", i);
    fclose(file);
    const struct hl_yaml *root = hl_yaml_load_file(arena, path, diag);
    assert_non_null(root);
    assert_int_equal(hl_yaml_get(root, "list")->n, 20000);
    assert_string_equal(hl_yaml_at(root, "list.19999.k")->text, "19999");
    assert_int_equal(hl_yaml_at(root, "list.19999.k")->pos.line, 20001);
    file = fopen(path, "w");
    assert_int_equal(hl_yaml_write(root, file), HL_OK);
    fclose(file);
    assert_true(same_tree(root, hl_yaml_load_file(arena, path, diag)));
    unlink(path);
    assert_null(hl_yaml_load_file(arena, "no/such.yaml", diag));
    assert_null(hl_yaml_load_file(arena, "/", diag));
    const char *said = messages();
    assert_non_null(strstr(said, "no/such.yaml: error: can't open: No such file or directory"));
    assert_non_null(strstr(said, "/: error: can't read"));
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        assert_int_equal(hl_yaml_write(root, full), HL_ERR_IO);
        fclose(full);
    }
    file = tmpfile();
    hl_memory_fail_after(1);
    enum hl_status status = hl_yaml_write(root, file);
    hl_memory_fail_after(0);
    assert_int_equal(status, HL_ERR_MEMORY);
    fclose(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_node_knows_its_place),
        TEST(syntax_errors),
        TEST(lesser_faults_are_all_reported),
        TEST(torn_expressions_are_found_and_mended),
        TEST(depth_is_limited),
        TEST(keys_and_texts_are_checked),
        TEST(paths_are_followed_and_set),
        TEST(merging),
        TEST(what_is_written_reads_back_the_same),
        TEST(random_trees_read_back_the_same),
        TEST(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who solves what: every row once, whoever solves it; handed over in order within a strip; helped at the end, and not
 * before; nobody waits for ever. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_columns.h"
#include "run_desks.h"

/* Three strips, the last with 23 rows; thread 1 has nothing of its own at last and helps the one with the most. */
static void strips_first_then_what_others_have(void **state)
{
    (void)state;
    struct hl_desks *d = hl_desks_create(2, 24);
    struct hl_task a, b;
    assert_non_null(d);
    hl_desks_open(d, 3, 2 * HL_STRIP + 23);
    for (size_t row = 0; row < HL_STRIP; row += 24) { /* strip 0 */
        assert_true(hl_desks_take(d, 0, &a));
        assert_true(a.desk == 0 && a.place == 0 && a.row == row && a.n == (row < 48 ? 24 : 16));
        assert_true(a.begins == (row == 0));
        hl_desks_lay(d, &a);
        assert_true(hl_desks_wait(d, &a));
        assert_true(hl_desks_hand_over(d, &a) == (row == 48));
    }
    assert_true(hl_desks_take(d, 0, &a) && a.place == 1 && a.begins && a.desk == 0);
    hl_desks_lay(d, &a);
    assert_true(hl_desks_take(d, 1, &b) && b.place == 2 && b.begins && b.desk == 1 && b.n == 23);
    hl_desks_lay(d, &b);
    assert_false(hl_desks_hand_over(d, &b)); /* full, but its desk isn't wanted again */
    assert_true(hl_desks_left(d, 1));
    assert_false(hl_desks_left(d, 1) || hl_desks_left(d, 0));
    assert_true(hl_desks_take(d, 1, &b)); /* nothing to begin: from desk 0 */
    assert_true(b.desk == 0 && b.place == 1 && b.row == 24 && !b.begins);
    assert_false(hl_desks_hand_over(d, &a));
    assert_true(hl_desks_wait(d, &b));
    assert_true(hl_desks_take(d, 0, &a) && a.row == 48 && a.n == 16);
    assert_false(hl_desks_take(d, 0, &a) || hl_desks_take(d, 1, &a));
    assert_true(hl_desks_go_on(d));
    hl_desks_give_up(d);
    assert_false(hl_desks_go_on(d) || hl_desks_wait(d, &a));
    hl_desks_open(d, 1, 5);
    assert_false(hl_desks_take(d, 0, &a));
    hl_desks_free(d);
}

#define THREADS 5
#define STRIPS 7
#define SUBJECTS (STRIPS * HL_STRIP - 41)

struct crew {
    struct hl_desks *desks;
    pthread_mutex_t lock;
    size_t seen[STRIPS], begun[STRIPS], finished[STRIPS], gives_up_after; /* blocks; 0 never */
    size_t blocks, left, disorder[STRIPS];
};
struct member { struct crew *crew; size_t number; };

/* Some blocks take longer than others; what is counted without the lock is counted in turn. */
static void *work(void *argument)
{
    struct member *m = argument;
    struct crew *c = m->crew;
    struct hl_task task;
    while (hl_desks_take(c->desks, m->number, &task)) {
        if (task.begins) {
            c->begun[task.place]++;
            hl_desks_lay(c->desks, &task);
        }
        volatile double x = 0.3;
        for (size_t i = 0; i < 2000 * (1 + (task.place * 5 + task.row) % 7); i++)
            x = 3.7 * x * (1 - x);
        pthread_mutex_lock(&c->lock);
        bool last = ++c->blocks == c->gives_up_after;
        pthread_mutex_unlock(&c->lock);
        if (last)
            hl_desks_give_up(c->desks);
        if (!hl_desks_wait(c->desks, &task))
            break;
        c->disorder[task.place] += c->seen[task.place] != task.row;
        c->seen[task.place] += task.n;
        if (hl_desks_hand_over(c->desks, &task))
            c->finished[task.place]++;
    }
    return NULL;
}

static void run_crew(struct crew *c)
{
    pthread_t thread[THREADS];
    struct member member[THREADS];
    hl_desks_open(c->desks, STRIPS, SUBJECTS);
    for (size_t i = 0; i < THREADS; i++) {
        member[i] = (struct member){c, i};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &member[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        c->left += hl_desks_left(c->desks, i);
}

static void every_row_once_and_in_order(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        struct crew c = {.desks = hl_desks_create(THREADS, round % 2 ? 16 : 24)};
        pthread_mutex_init(&c.lock, NULL);
        run_crew(&c);
        size_t finished = 0;
        for (size_t s = 0; s < STRIPS; s++) {
            assert_int_equal(c.seen[s], s + 1 < STRIPS ? HL_STRIP : SUBJECTS % HL_STRIP);
            assert_true(c.begun[s] == 1 && c.finished[s] <= 1 && c.disorder[s] == 0);
            finished += c.finished[s];
        }
        assert_true(c.left > 0);
        assert_int_equal(finished + c.left, STRIPS);
        pthread_mutex_destroy(&c.lock);
        hl_desks_free(c.desks);
    }
}

static void all_end_when_one_gives_up(void **state)
{
    (void)state;
    for (size_t after = 1; after < 20; after += 3) {
        struct crew c = {.desks = hl_desks_create(THREADS, 16), .gives_up_after = after};
        pthread_mutex_init(&c.lock, NULL);
        run_crew(&c);
        assert_true(c.blocks < after + THREADS + 1);
        assert_false(hl_desks_go_on(c.desks));
        pthread_mutex_destroy(&c.lock);
        hl_desks_free(c.desks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_first_then_what_others_have),
        cmocka_unit_test(every_row_once_and_in_order),
        cmocka_unit_test(all_end_when_one_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every rule of docs/data-sets.md on an input that breaks it, with place and words of the message, and on a twin of it
 * that doesn't, which must pass in silence. */
#include "data_sample.h"

#define FULL "ID,TIME,EVID,AMT,RATE,CMT,ADDL,II,SS\n"

struct rule {
    const char *what;
    const char *bad;      /* one message */
    const char *message;
    const char *good;     /* none */
};

static const struct rule rules[] = {
    /* dose series and steady state */
    {"ADDL without II", FULL "1,0,1,100,0,1,3,0,0\n", ":2:15: error: ADDL 3 without II: expected the interval",
     FULL "1,0,1,100,0,1,3,24,0\n"},
    {"ADDL with II missing", FULL "7,0,1,100,.,1,3,.,.\n",
     "(II missing) (ID 7, TIME 0, EVID 1, AMT 100, CMT 1, ADDL 3)",
     FULL "7,0,1,100,.,1,.,.,.\n"},
    {"SS with AMT and without II", FULL "1,0,1,100,0,1,0,0,1\n",
     ":2:17: error: SS 1 with AMT 100 and II 0: expected the interval", FULL "1,0,1,100,0,1,0,24,1\n"},
    {"SS 2 with AMT and without II", FULL "1,0,4,100,0,1,0,0,2\n", ":2:17: error: SS 2 with AMT 100 and II 0",
     FULL "1,0,4,100,0,1,0,24,2\n"},
    {"SS with AMT, ADDL and without II", FULL "1,0,1,100,0,1,2,0,1\n", ":2:17: error: SS 1 with AMT 100 and II 0",
     FULL "1,0,1,100,0,1,2,24,1\n"},
    {"SS without AMT and RATE", FULL "1,0,1,0,0,1,0,12,1\n",
     ":2:18: error: SS 1 with AMT 0 and RATE 0: there is no dose", FULL "1,0,1,2,0,1,0,12,1\n"},
    {"infusion without AMT and SS", FULL "1,0,1,0,10,2,0,0,0\n",
     ":2:9: error: RATE 10 with AMT 0: an infusion without an amount never ends", FULL "1,0,1,0,10,2,0,0,1\n"},
    {"modelled rate without AMT and SS", FULL "1,0,1,0,-1,2,0,0,0\n", ":2:9: error: RATE -1 with AMT 0",
     FULL "1,0,1,0,-1,2,0,0,1\n"},
    {"constant infusion with ADDL", FULL "1,0,1,0,10,2,4,0,1\n",
     ":2:14: error: ADDL 4 on a constant infusion (AMT 0, SS 1)", FULL "1,0,1,5,10,2,4,24,1\n"},
    {"constant infusion with II", FULL "1,0,1,.,10,2,0,24,1\n",
     ":2:16: error: II 24 on a constant infusion (AMT missing, SS 1)", FULL "1,0,1,.,10,2,0,0,1\n"},
    {"constant infusion with RATE -2", FULL "1,0,1,0,-2,2,0,0,1\n",
     ":2:9: error: RATE -2 with AMT 0 and SS 1: a constant infusion has no duration", FULL "1,0,1,0,-1,2,0,0,3\n"},
    {"II alone", FULL "1,0,1,100,0,1,0,24,0\n",
     ":2:17: warning: II 24 has no effect without ADDL or SS: this dose is given once", FULL "1,0,1,100,0,1,1,24,0\n"},
    {"II alone, often", FULL "1,0,1,100,0,1,0,24,0\n1,1,1,100,0,1,0,24,0\n1,2,1,100,0,1,0,24,0\n",
     ":2:17: warning: II 24 has no effect without ADDL or SS: this dose is given once; 2 more such records follow",
     FULL "1,0,1,100,0,1,0,24,2\n1,1,1,100,0,1,0,24,3\n1,2,1,100,0,1,3,24,0\n"},
    /* records that take no dose */
    {"AMT on an observation", FULL "1,0,0,100,0,1,0,0,0\n",
     ":2:7: error: AMT 100 on EVID 0, an observation, which takes no dose items", FULL "1,0,0,0,0,1,0,0,0\n"},
    {"dose items on an observation", FULL "1,0,0,0,.,1,2,24,1\n", ":2:13: error: ADDL 2, II 24, SS 1 on EVID 0",
     FULL "1,0,0,.,.,1,.,.,.\n"},
    {"RATE on another event", FULL "1,0,2,0,5,1,0,0,0\n", ":2:9: error: RATE 5 on EVID 2, an event of another kind",
     FULL "1,0,2,0,0,1,0,0,0\n"},
    {"AMT on a reset", FULL "1,0,3,100,0,1,0,0,0\n",
     ":2:7: error: AMT 100 on EVID 3, a reset, which takes no dose items; expected 0 or nothing there, or EVID 4",
     FULL "1,0,4,100,0,1,0,0,0\n"},
    {"II on a replacement", FULL "1,0,8,100,0,1,0,24,0\n",
     ":2:17: error: II 24 on EVID 8", FULL "1,0,8,100,0,1,0,0,0\n"},
    {"a replacement without AMT", FULL "1,0,8,.,0,1,0,0,0\n",
     ":2:7: error: EVID 8 without AMT", FULL "1,0,8,0,0,1,0,0,0\n"},
    /* doses without anything */
    {"EVID 1 without a dose item", FULL "1,0,1,0,0,1,0,0,0\n", ":2:5: error: EVID 1 is a dose, but AMT is 0",
     FULL "1,0,2,0,0,1,0,0,0\n"},
    {"EVID 4 without a dose item", FULL "1,0,4,.,0,1,0,0,0\n", ":2:5: error: EVID 4 is a dose, but AMT is missing",
     FULL "1,0,3,.,0,1,0,0,0\n"},
    {"a dose without AMT column", "ID,TIME,EVID,RATE\n1,0,1,0\n", ":2:5: error: EVID 1 is a dose, but AMT is missing",
     "ID,TIME,EVID,RATE\n1,0,0,0\n"},
    {"AMT missing in a series", FULL "1,0,1,.,0,1,3,24,0\n", ":2:7: error: the dose has no AMT",
     FULL "1,0,1,0,0,1,3,24,0\n"},
    /* TIME */
    {"decreasing TIME", FULL "1,5.5,1,100,0,1,0,0,0\n1,5.25,0,0,0,1,0,0,0\n",
     ":3:3: error: TIME 5.25 is before that of the record above (5.5 h, line 2)",
     FULL "1,5.5,1,100,0,1,0,0,0\n1,5.5,0,0,0,1,0,0,0\n2,0,0,0,0,1,0,0,0\n"},
    {"TIME may be set back by a reset only", FULL "1,5,1,9,0,1,0,0,0\n1,0,2,0,0,1,0,0,0\n",
     ":3:3: error: TIME 0 is before", FULL "1,5,1,9,0,1,0,0,0\n1,0,3,0,0,1,0,0,0\n1,-3,4,9,0,1,0,0,0\n"},
    {"missing TIME", FULL "1,.,1,100,0,1,0,0,0\n", ":2:3: error: TIME is missing", FULL "1,0,1,100,0,1,0,0,0\n"},
    /* EVID, MDV */
    {"unknown EVID", FULL "1,0,9,0,0,1,0,0,0\n", ":2:5: error: EVID is '9'; expected 0 (observation)",
     FULL "1,0,0.0,0,0,1,0,0,0\n"},
    {"EVID of rxode2", FULL "1,0,5,7,0,1,0,0,0\n", "its 5 (replace) is 8 here", FULL "1,0,8,7,0,1,0,0,0\n"},
    {"EVID not whole", FULL "1,0,0.5,0,0,1,0,0,0\n", ":2:5: error: EVID is '0.5'", FULL "1,0,2.0,0,0,1,0,0,0\n"},
    {"negative EVID", FULL "1,0,-1,0,0,1,0,0,0\n", ":2:5: error: EVID is '-1'", FULL "1,0,3.0,0,0,1,0,0,0\n"},
    {"MDV", "ID,TIME,MDV,AMT\n1,0,2,0\n", ":2:5: error: MDV is '2'; expected 0 or 1",
     "ID,TIME,MDV,AMT\n1,0,0,0\n1,0,1,0\n1,0,101,0\n1,1,0,5\n"},
    /* CMT */
    {"CMT above the model", FULL "1,0,1,100,0,4,0,0,0\n",
     ":2:13: error: CMT '4' is outside the model; its compartments are 1 gut, 2 central, 3 peripheral",
     FULL "1,0,1,100,0,3.0,0,0,0\n"},
    {"CMT of an observation", FULL "1,0,0,0,0,7,0,0,0\n", ":2:11: error: CMT '7' is outside the model",
     FULL "1,0,0,0,0,0,0,0,0\n1,0,0,.,.,.,.,.,.\n1,0,3,0,0,7,0,0,0\n"},
    {"CMT not whole", FULL "1,0,1,100,0,1.5,0,0,0\n",
     ":2:13: error: CMT is '1.5'; expected the whole number or the name",
     FULL "1,0,1,100,0,2.0,0,0,0\n"},
    {"CMT by name", FULL "1,0,1,100,0,centre,0,0,0\n", ":2:13: error: CMT 'centre' is outside the model",
     FULL "1,0,1,100,0,central,0,0,0\n1,0,1,100,0,alpha.gut,0,0,0\n1,0,2,0,0,-Peripheral,0,0,0\n"},
    {"CMT off on a dose", FULL "1,0,1,100,0,-2,0,0,0\n",
     ":2:13: error: CMT -2 switches a compartment off, which only EVID 2",
     FULL "1,0,2,0,0,-2,0,0,0\n"},
    {"CMT off on an observation", FULL "1,0,0,0,0,-central,0,0,0\n", ":2:11: error: CMT -2 switches a compartment off",
     FULL "1,0,2,0,0,-central,0,0,0\n"},
    {"CMT off out of range", FULL "1,0,2,0,0,-4,0,0,0\n", ":2:11: error: CMT '-4' is outside the model",
     FULL "1,0,2,0,0,-3,0,0,0\n"},
    /* AMT, RATE, ADDL, SS, II */
    {"negative AMT", FULL "1,0,1,-5,0,1,0,0,0\n", ":2:7: error: AMT is '-5'; an amount is 0 or more",
     FULL "1,0,1,5,0,1,0,0,0\n"},
    {"RATE below -2", FULL "1,0,1,100,-3,1,0,0,0\n", ":2:11: error: RATE is '-3'; expected 0 (bolus), a rate above 0",
     FULL "1,0,1,100,-2,2,0,0,0\n"},
    {"RATE between the codes", FULL "1,0,1,100,-1.5,1,0,0,0\n", ":2:11: error: RATE is '-1.5'",
     FULL "1,0,1,100,-1.0,2,0,0,0\n"},
    {"ADDL not whole", FULL "1,0,1,100,0,1,2.5,24,0\n",
     ":2:15: error: ADDL is '2.5'; expected a whole number of 0 or more",
     FULL "1,0,1,100,0,1,2.0,24,0\n"},
    {"negative ADDL", FULL "1,0,1,100,0,1,-2,24,0\n", ":2:15: error: ADDL is '-2'", FULL "1,0,1,100,0,1,2,24,0\n"},
    {"SS of no kind", FULL "1,0,1,100,0,1,0,24,4\n", ":2:20: error: SS is '4'; expected 0, 1 (steady state)",
     FULL "1,0,1,100,0,1,0,24,3.0\n"},
    {"negative II", FULL "1,0,1,100,0,1,2,-24,0\n", ":2:17: error: II is '-24'; expected a time of 0 or more",
     FULL "1,0,1,100,0,1,2,0.5,0\n"},
    /* what the model must state */
    {"RATE -1 where no rate is stated", FULL "1,0,1,100,-1,1,0,0,0\n1,1,1,100,-1,1,0,0,0\n",
     ":2:11: error: RATE -1 takes the rate from the model", FULL "1,0,1,100,-1,2,0,0,0\n"},
    {"RATE -2 by the default route", FULL "1,0,1,100,-2,.,0,0,0\n",
     ":2:11: error: RATE -2 takes the duration from the model", FULL "1,0,1,100,-2,2,0,0,0\n"},
    {"RATE -2 where no route leads", FULL "1,0,1,100,-2,3,0,0,0\n",
     ":2:11: error: RATE -2 takes the duration from the model, but no route into compartment alpha.peripheral that",
     FULL "1,0,1,100,50,3,0,0,0\n"},
    /* DUR */
    {"DUR and RATE disagree", "ID,TIME,AMT,RATE,DUR\n1,0,100,50,3\n",
     ":2:12: error: DUR 3 and RATE 50 disagree: this amount takes 2 h at that rate",
     "ID,TIME,AMT,RATE,DUR\n1,0,100,33.33,3\n1,1,100,0,3\n1,2,100,50,0\n1,3,100,50,.\n"},
    {"DUR and RATE -2", "ID,TIME,AMT,RATE,DUR,CMT\n1,0,100,-2,3,2\n",
     ":2:12: error: DUR 3 states a duration, but RATE -2 asks the model for it",
     "ID,TIME,AMT,RATE,DUR,CMT\n1,0,100,-2,0,2\n"},
    {"DUR without AMT", "ID,TIME,AMT,DUR\n1,0,0,3\n", ":2:7: error: DUR 3 with AMT 0: expected the amount",
     "ID,TIME,AMT,DUR\n1,0,10,3\n"},
    {"negative DUR", "ID,TIME,AMT,DUR\n1,0,10,-3\n", ":2:8: error: DUR is '-3'; expected a time of 0 or more",
     "ID,TIME,AMT,DUR\n1,0,10,0\n"},
    /* ID, OCC, DVID, covariates */
    {"missing ID", "ID,TIME,AMT\n1,0,9\n,1,9\n", ":3:1: error: ID is missing", "ID,TIME,AMT\n1,0,9\n1,1,9\n"},
    {"ID that comes back", FULL "1,0,1,9,0,1,0,0,0\n2,0,1,9,0,1,0,0,0\n1,5,0,0,0,1,0,0,0\n",
     ":4:1: warning: ID 1 comes back after other individuals: its records from here on are a new individual",
     FULL "1,0,1,9,0,1,0,0,0\n1,5,0,0,0,1,0,0,0\n2,0,1,9,0,1,0,0,0\n"},
    {"OCC not whole", "ID,TIME,AMT,OCC\n1,0,9,1.5\n", ":2:7: error: OCC is '1.5'; expected a whole number",
     "ID,TIME,AMT,OCC\n1,0,9,2.0\n"},
    {"OCC missing", "ID,TIME,AMT,OCC\n1,0,9,.\n", ":2:7: error: OCC is missing; the model varies between occasions",
     "ID,TIME,AMT,OCC\n1,0,9,0\n"},
    {"DVID not whole", "ID,TIME,AMT,DVID\n1,0,9,x\n", ":2:7: error: expected a number in column DVID, found 'x'",
     "ID,TIME,AMT,DVID\n1,0,9,2\n1,0,9,.\n"},
    {"a covariate that is no number", "ID,TIME,AMT,WT\n1,0,9,heavy\n",
     ":2:7: error: expected a number for the covariate WT, found 'heavy'", "ID,TIME,AMT,WT\n1,0,9,71\n"},
    {"a category that isn't one", "ID,TIME,AMT,SEX\n1,0,9,mle\n",
     ":2:7: error: 'mle' is no category of SEX: female (0), male (1); did you mean 'male'?",
     "ID,TIME,AMT,SEX\n1,0,9,male\n1,1,9,0\n1,2,9,Female\n"},
    {"a category's code that isn't one", "ID,TIME,AMT,SEX\n1,0,9,2\n", ":2:7: error: '2' is no category of SEX",
     "ID,TIME,AMT,SEX\n1,0,9,1.0\n"},
    {"an individual without a covariate", "ID,TIME,AMT,WT\n1,0,9,71\n2,0,9,.\n2,1,0,.\n",
     ":3:7: error: individual 2, which begins here, has no value of WT in any of its 2 records",
     "ID,TIME,AMT,WT\n1,0,9,71\n2,0,9,80\n2,1,0,80\n"},
    {"a covariate outside its range", "ID,TIME,AMT,WT\n1,0,9,710\n1,0,9,7\n",
     ":2:7: warning: WT = 710 kg lies outside the range its model states, 30 to 200 kg; 1 more such values follow",
     "ID,TIME,AMT,WT\n1,0,9,200\n1,1,0,30\n"},
    {"gaps of a covariate", "ID,TIME,AMT,WT\n1,0,9,71\n1,1,0,.\n1,2,0,\n2,0,9,80\n2,1,0,.\n",
     ":3:7: note: 3 missing values of WT in 2 individuals: filled with the next known one",
     "ID,TIME,AMT,WT\n1,0,9,71\n1,1,0,71\n1,2,0,71\n2,0,9,80\n2,1,0,80\n"},
    /* cells and rows */
    {"no number", FULL "1,0,1,a lot,0,1,0,0,0\n",
     ":2:7: error: expected a number in column AMT, found 'a lot'; if it means missing, say data: missing: [\"a lot\"]",
     FULL "1,0,1,1e2,0,1,0,0,0\n"},
    {"a decimal comma", "ID;TIME;AMT\n1;0;2,5\n",
     ":2:5: error: expected a number in column AMT, found '2,5'; decimals are",
     "ID;TIME;AMT\n1;0;2.5\n"},
    {"NA", FULL "1,0,1,100,NA,1,0,0,0\n",
     ":2:11: error: 'NA' in column RATE is no value; if it means missing, say data: "
     "missing: [NA]", FULL "1,0,1,100,.,1,0,0,0\n"},
    {"NaN in any column", "ID,TIME,AMT,X\n1,0,9,NaN\n", ":2:7: error: 'NaN' in column X is no value",
     "ID,TIME,AMT,X\n1,0,9,.\n"},
    {"too few fields", "ID,TIME,AMT\n1,0\n", ":2:1: error: expected 3 fields as in the header, found 2",
     "ID,TIME,AMT\n1,0,\n"},
    {"too many fields", "ID,TIME,AMT\n1,0,9,7\n",
     ":2:7: error: expected 3 fields as in the header, found 4; a field that",
     "ID,TIME,AMT\n1,0,\"9\"\n"},
    {"no records", "ID,TIME,AMT\n", ":1: error: the data set has no records", "ID,TIME,AMT\n1,0,9\n"},
    {"an open quotation mark", "ID,TIME,AMT\n1,0,\"9\n",
     ":2:5: error: a quotation mark is opened here and never closed",
     "ID,TIME,AMT\n1,0,\"9\"\n"},
    {"EVID missing", FULL "1,0,.,9,0,1,0,0,0\n1,1,.,0,0,1,0,0,0\n",
     ":2:5: note: EVID is missing and taken to be 1, because a dose item differs from 0; 1 more such records follow",
     FULL "1,0,1,9,0,1,0,0,0\n1,1,0,0,0,1,0,0,0\n"},
    /* the header */
    {"no TIME", "ID,TIMES,AMT\n1,0,9\n",
     ":1:1: error: there is no column TIME; did you mean 'TIMES'? Rename it, or say "
     "data: columns: {TIME: \"TIMES\"}", "ID,Time,AMT\n1,0,9\n"},
    {"no TIME and nothing near", "ID,hours,AMT\n1,0,9\n", ":1:1: error: there is no column TIME; rename the column",
     "ID,time,AMT\n1,0,9\n"},
    {"no header", "1,0,9\n1,2,3\n", "error: the first line holds numbers; expected a header line",
     "id,time,amt\n1,0,9\n1,2,0\n"},
    {"no ID", "TIME,AMT\n0,9\n1,0\n", ":1:1: note: there is no column ID: all records are of one individual",
     "id,TIME,AMT\n1,0,9\n1,1,0\n"},
    {"no AMT", "ID,TIME,DOSE\n1,0,9\n", ":1:1: note: there is no column AMT: no dose is given; if 'DOSE' holds it",
     "ID,TIME,AMT\n1,0,9\n"},
    {"a covariate under a similar name", "ID,TIME,AMT,AGES\n1,0,9,37\n",
     ":1:1: note: there is no column AGE: the study's cohort gives this covariate; if 'AGES' holds it",
     "ID,TIME,AMT,age\n1,0,9,37\n"},
    {"a covariate under a name that begins alike", "ID,TIME,AMT,WTKG,AG,SAX\n1,0,9,37,1,2\n",
     ":1:1: note: there is no column WT: the study's cohort gives this covariate; if 'WTKG' holds it",
     "ID,TIME,AMT,HT,WR,ATM,RACE\n1,0,9,37,1,2,3\n"},
    {"two columns for an item", "ID,TIME,AMT [mg],AMT [ug]\n1,0,9,9\n",
     ":1:18: error: column 'AMT' is AMT, but column 'AMT' is that already", "ID,TIME,AMT [mg],DOSE [ug]\n1,0,9,9\n"},
    {"two columns of dates", "ID,DATE,DAT2,TIME,AMT\n1,2026-01-31,2026-01-31,8:30,1\n",
     ":1:9: error: column 'DAT2' is DATE, but column 'DATE' is that already",
     "ID,DATE,DAY,TIME,AMT\n1,2026-01-31,2026-01-31,8:30,1\n"},
    {"a unit of no such kind", "ID,TIME [mg],AMT\n1,0,9\n",
     ":1:4: error: TIME can't be in 'mg'; expected a unit of time",
     "ID,TIME [min],AMT\n1,0,9\n"},
    {"an unknown unit", "ID,TIME,AMT [mgg]\n1,0,9\n", ":1:9: error: the unit of AMT: unknown unit 'mgg'",
     "ID,TIME,AMT [mcg]\n1,0,9\n"},
    {"a rate per nothing", "ID,TIME,AMT,RATE [mg]\n1,0,9,0\n",
     ":1:13: error: RATE can't be in 'mg'; expected a unit of amount "
     "per time", "ID,TIME,AMT,RATE [mg/min]\n1,0,9,0\n"},
    {"a covariate's unit", "ID,TIME,AMT,WT [h]\n1,0,9,70\n", ":1:13: error: WT can't be in 'h'; its model has it in kg",
     "ID,TIME,AMT,WT [kg]\n1,0,9,70\n"},
    /* comments */
    {"rows left out", "C,ID,TIME,AMT\nC,1,x,9\n.,1,0,9\nc,1,-1,9\n",
     ":2:1: note: this row is left out: column C marks it with C; 1 more such rows follow", "C,ID,TIME,AMT\n.,1,0,9\n"},
    {"another mark", "C,ID,TIME,AMT\nX,1,0,9\n",
     ":2:1: warning: 'X' in column C doesn't leave this row out; only C does",
     "COMMENT,ID,TIME,AMT\nX,1,0,9\n"},
};

/* Whether an input gives just this message (NULL: none), and is refused when that is an error. */
static bool behaves(const struct rule *r, const char *text, const char *message)
{
    struct sample s = sample_read(text);
    size_t lines = 0;
    for (const char *at = s.messages; *at; at++)
        lines += *at == '\n';
    bool error = strstr(s.messages, " error: ") != NULL;
    bool right = lines == (message ? 1 : 0) && (!message || strstr(s.messages, message)) && error == (s.set == NULL);
    if (!right)
        print_error("%s: expected \"%s\", found:\n%s\n", r->what, message ? message : "no message", s.messages);
    sample_free(&s);
    return right;
}

static void every_rule(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        wrong += !behaves(&rules[i], rules[i].bad, rules[i].message);
        wrong += !behaves(&rules[i], rules[i].good, NULL);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule),
    };
    return cmocka_run_group_tests(tests, sample_start, sample_stop);
}

# SPDX-License-Identifier: GPL-3.0-or-later
# How halflife is built, tried, tested and installed. `make help` lists what can be asked for.
#
#   BUILD=DIR     where products go (build)              CC=clang      another compiler
#   SANITIZE=1    address and undefined-behaviour checks WERROR=1      warnings are errors
#   PREFIX=DIR    where to install (/usr/local)          V=1           show every command
#   DEMO_OPTIONS  given to the demo's runs, for example DEMO_OPTIONS="--subjects 100"
#
# Nothing is generated outside $(BUILD) and output/.

VERSION := 0.1.0

BUILD ?= build
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
AR ?= ar
ifeq ($(origin CC),default)
CC := gcc
endif

Q := $(if $(V),,@)
JOBS := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
DATADIR := $(PREFIX)/share/halflife
export PYTHONDONTWRITEBYTECODE := 1

# A sub-make for work that must start after set-up has installed things; it uses all cores unless told how many.
SUBMAKE = +$(Q)$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

# ---- What there is: every .c under sim/ belongs to the engine, every tests/*/test_*.c is one test program.

SOURCES := $(sort $(shell find sim -name '*.c' 2>/dev/null))
OBJECTS := $(SOURCES:sim/%.c=$(BUILD)/obj/%.o)
ENGINE  := $(filter-out $(BUILD)/obj/main.o,$(OBJECTS))
LIBRARY := $(BUILD)/libhalflife.a
PROGRAM := $(BUILD)/halflife
TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/*/test_*.c)))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/bench_*.c)))

# ---- Which libraries: pkg-config knows most of them; what it does not know is named by hand.

# Debian calls the serial HDF5 `hdf5-serial`; a bare `hdf5` may be the MPI build when both are installed.
pkg_first = $(firstword $(foreach p,$(1),$(if $(shell $(PKG_CONFIG) --exists $(p) 2>/dev/null && echo yes),$(p))))
HDF5_PC    := $(call pkg_first,hdf5-serial hdf5)
UDUNITS_PC := $(call pkg_first,udunits udunits2)
PACKAGES   := $(HDF5_PC) $(UDUNITS_PC) gsl yaml-0.1 libcrypto libdeflate
MISSING    := $(if $(HDF5_PC),,hdf5) $(foreach p,gsl yaml-0.1 libcrypto libdeflate,$(if $(call pkg_first,$(p)),,$(p)))

# Libraries' headers are not ours to warn about, hence -isystem. The high-level HDF5 library has no .pc file of its own.
LIB_CPPFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null))
LIBS := $(shell $(PKG_CONFIG) --libs-only-L $(HDF5_PC) 2>/dev/null) -lhdf5_hl \
        $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) $(if $(UDUNITS_PC),,-ludunits2) -lm
TEST_CPPFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags cmocka 2>/dev/null))
TEST_LIBS := $(or $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null),-lcmocka)

# Apple's clang needs to be told where OpenMP lives, and Homebrew where its headers are.
OPENMP := -fopenmp
ifeq ($(shell uname -s),Darwin)
BREW := $(shell brew --prefix 2>/dev/null)
OPENMP := -Xpreprocessor -fopenmp
LIB_CPPFLAGS += -isystem $(BREW)/opt/libomp/include -isystem $(BREW)/include
LIBS += -L$(BREW)/opt/libomp/lib -lomp -L$(BREW)/lib
endif

# ---- How it is compiled.

# Fused multiply-add only where it is written: contraction would let the answer depend on the compiler's mood.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
ifdef SANITIZE
SANITIZER := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
ALL_CFLAGS := $(strip -std=gnu11 $(CFLAGS) $(OPENMP) -ffp-contract=off $(WARNINGS) $(SANITIZER))
ALL_CPPFLAGS := $(strip -Isim -I$(BUILD) $(LIB_CPPFLAGS) $(CPPFLAGS))
ALL_LDFLAGS := $(OPENMP) $(SANITIZER) $(LDFLAGS)

.PHONY: all lib tests benches test check demo bench bench-million bench-roofline bench-records campaign sanitize fuzz warnings
.PHONY: pages install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

all: lib $(PROGRAM) ## the library and the program (default)

lib: $(LIBRARY)

tests: $(TESTS) ## compile the test programs

benches: $(BENCHES) ## compile the benchmarks

# ---- Steps of the build, each with one sentence.

# Compile one source of the engine.
# Selecting by comparison becomes vector code only when comparisons may not trap; ours never do. Results don't change.
VECTOR_FLAGS := -fno-trapping-math
VECTORS := base/vector solve/glide solve/batch_series solve/batch_switch measure/columns measure/grid_rows measure/sieve taper/forecast_dual store/narrow
$(VECTORS:%=$(BUILD)/obj/%.o): ALL_CFLAGS += $(VECTOR_FLAGS)

$(BUILD)/obj/%.o: sim/%.c $(BUILD)/flags.txt | $(BUILD)/build_info.h libraries
	@echo "Compiling $<."
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Gather the engine, without the command line's main, into a library that tests and benchmarks share.
$(LIBRARY): $(ENGINE) $(BUILD)/sources.txt
	@echo "Gathering $@."
	$(Q)rm -f $@ && $(AR) rcs $@ $(ENGINE)

# Link the program.
$(PROGRAM): $(BUILD)/obj/main.o $(LIBRARY)
	@echo "Linking $@."
	$(Q)$(CC) $(ALL_LDFLAGS) $< $(LIBRARY) $(LIBS) -o $@

# Compile and link one test program.
$(BUILD)/tests/%: tests/%.c $(LIBRARY) $(BUILD)/flags.txt
	@echo "Building test $<."
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) $< $(LIBRARY) $(TEST_LIBS) $(LIBS) -o $@

# Compile and link one benchmark.
$(BUILD)/bench/%: tests/bench/%.c $(LIBRARY) $(BUILD)/flags.txt
	@echo "Building benchmark $<."
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) $< $(LIBRARY) $(LIBS) -o $@

# What the benchmarks of the workloads share. The baselines get all the machine has, as a careful user would compile them.
# SUNDIALS takes part where it is installed (it has no .pc file).
BENCH_PARTS := $(patsubst tests/bench/workloads/%.c,$(BUILD)/bench/workloads/%.o,\
                 $(filter-out %/cvode.c,$(sort $(wildcard tests/bench/workloads/*.c))))
ifneq ($(findstring bench,$(MAKECMDGOALS)),)
ifneq ($(shell printf '\043include <cvode/cvode.h>\n' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 && echo yes),)
BENCH_PARTS += $(BUILD)/bench/workloads/cvode.o
BENCH_LIBS := -lsundials_cvode -lsundials_nvecserial -lsundials_sunmatrixdense -lsundials_sunlinsoldense
BENCH_CPPFLAGS := -DHAVE_CVODE
endif
endif
BASELINES := $(addprefix $(BUILD)/bench/workloads/,workload.o exponential.o gsl.o cvode.o peaks.o)
$(BASELINES): ALL_CFLAGS := $(ALL_CFLAGS) -march=native -ffp-contract=fast
$(BUILD)/bench/workloads/%.o: tests/bench/workloads/%.c $(BUILD)/flags.txt
	@echo "Compiling $<."
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(BENCH_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

WORKLOAD_BENCHES := $(addprefix $(BUILD)/bench/bench_,workloads scaling writing stage roofs)
$(WORKLOAD_BENCHES): $(BUILD)/bench/%: tests/bench/%.c $(BENCH_PARTS) $(LIBRARY) $(BUILD)/flags.txt
	@echo "Building benchmark $<."
	$(Q)$(CC) $(ALL_CPPFLAGS) $(BENCH_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) $< $(BENCH_PARTS) $(LIBRARY) \
	    $(BENCH_LIBS) $(LIBS) -o $@

# Say at once which library is missing, instead of a page of compiler errors.
.PHONY: libraries
libraries:
	@$(if $(strip $(MISSING)),echo "Missing: $(strip $(MISSING)). Run 'scripts/bootstrap run' to install what the build needs." >&2; exit 1,:)

# ---- Facts about this build, rewritten only when they change, so that nothing is compiled twice for nothing.

# $(call record,FILE): moves FILE.new to FILE if their contents differ.
record = cmp -s $(1).new $(1) && rm -f $(1).new || mv -f $(1).new $(1)
c_string = $$(printf '%s' '$(subst ','\'',$(1))' | sed 's/[\\"]/\\&/g')

# Remember compiler and flags: when they change, everything is compiled anew.
$(BUILD)/flags.txt: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS))' > $@.new; $(call record,$@)

# Remember the list of sources: when one is deleted, the library is gathered anew.
$(BUILD)/sources.txt: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(SOURCES) > $@.new; $(call record,$@)

# Write down version, commit, compiler and flags for the program and its result files to quote.
$(BUILD)/build_info.h: FORCE
	@mkdir -p $(@D)
	@commit=unknown; dirty=0; \
	if [ "$$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ]; then \
	    commit=$$(git rev-parse HEAD 2>/dev/null || echo unknown); \
	    changed=$$(git status --porcelain --untracked-files=no 2>/dev/null; \
	               git ls-files --others --exclude-standard sim models 2>/dev/null); \
	    if [ -n "$$changed" ]; then dirty=1; fi; \
	fi; \
	{ printf '/* Generated by the Makefile; facts about this build. */\n#ifndef HL_BUILD_INFO_H\n#define HL_BUILD_INFO_H\n'; \
	  printf '#define HL_VERSION "%s"\n#define HL_COMMIT "%s"\n#define HL_DIRTY %s\n' '$(VERSION)' "$$commit" "$$dirty"; \
	  printf '#define HL_COMPILER "%s"\n' "$$($(CC) --version 2>/dev/null | head -n 1 | sed 's/[\\"]/\\&/g')"; \
	  printf '#define HL_CFLAGS "%s"\n' "$(call c_string,$(ALL_CFLAGS))"; \
	  printf '#define HL_DATADIR "%s"\n#endif\n' "$(call c_string,$(DATADIR))"; } > $@.new; $(call record,$@)

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(BENCHES:=.d) $(BENCH_PARTS:.o=.d)

# ---- Trying it.

demo: ## set up, build, run the case and the tapers, draw their figures into output/
	$(Q)scripts/bootstrap run
	$(SUBMAKE) all
	$(Q)$(PROGRAM) run configs/akita2021.yaml -o output/akita2021.h5 --force $(DEMO_OPTIONS)
	$(Q)$(PROGRAM) run configs/tapers.yaml -o output/tapers.h5 --force $(DEMO_OPTIONS)
	$(Q)$(PROGRAM) plot output/akita2021.h5 -o output
	$(Q)$(PROGRAM) plot output/tapers.h5 -o output
	@echo "The results are output/akita2021.h5 and output/tapers.h5; their figures stand beside them:"
	@ls output/*.png

test: ## set up, build and pass all tests
	$(Q)scripts/bootstrap test
	$(SUBMAKE) check

check: all tests ## all tests, without set-up
	$(Q)tests/run --build $(BUILD)

sanitize: ## the test programs, all faults and some mutations under address and undefined-behaviour sanitizers
	$(SUBMAKE) BUILD=$(BUILD)/sanitize SANITIZE=1 CFLAGS="-O1 -g" all tests
	$(Q)HL_FUZZ_TEXTS=150 tests/run --build $(BUILD)/sanitize programs faults fuzz

fuzz: ## a long campaign of torn studies and models under sanitizers (SECONDS=600, SEED=N)
	$(SUBMAKE) BUILD=$(BUILD)/sanitize SANITIZE=1 CFLAGS="-O1 -g" all
	$(Q)HALFLIFE=$(BUILD)/sanitize/halflife tests/fuzz/mutate.py --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

warnings: ## compile everything with gcc and with clang, every warning an error
	$(SUBMAKE) BUILD=$(BUILD)/warnings-gcc CC=gcc WERROR=1 all tests benches
	$(SUBMAKE) BUILD=$(BUILD)/warnings-clang CC=clang WERROR=1 all tests benches

bench: all benches ## how fast: the engine against plain baselines, and every bar with its figure
	$(Q)BUILD=$(BUILD) tests/bench/run

BENCH_PYTHON = cd $(BUILD)/bench && python=$$("$(CURDIR)/scripts/bootstrap" which-python) && \
               $$python "$(CURDIR)/tests/bench/patients.py" . && $$python "$(CURDIR)/tests/bench

bench-million: all ## a million patients: peak memory, and time per patient against 10 000 (BENCH_MILLION=N)
	$(Q)mkdir -p $(BUILD)/bench && HALFLIFE="$(abspath $(PROGRAM))" && export HALFLIFE && $(BENCH_PYTHON)/million.py" .

bench-roofline: benches ## what each stage does per second, against what this machine can do; and where the time goes
	$(Q)$(BENCH_PYTHON)/roofline.py" . && $$python "$(CURDIR)/tests/bench/profile.py" .

bench-records: all ## a data set of a million records: time per record and peak memory (RECORDS="100000 1000000")
	$(Q)HALFLIFE="$(abspath $(PROGRAM))" tests/bench/records.py $(RECORDS)

campaign: all $(BUILD)/tests/unit/test_records_random ## thousands of random models and records (CASES=20000, SEED=N)
	$(Q)$(if $(SEED),HL_SEED=$(SEED)) HL_CASES=$(or $(CASES),20000) $(BUILD)/tests/unit/test_records_random
	$(Q)$(if $(SEED),HL_SEED=$(SEED)) HL_CASES=$(or $(CASES),20000) HALFLIFE="$(abspath $(PROGRAM))" \
	    $$(scripts/bootstrap which-python) tests/verification/event_random.py

pages: all ## a page per model of the library, into build/docs/models
	$(Q)HALFLIFE="$(abspath $(PROGRAM))" scripts/model-pages $(BUILD)/docs/models

# ---- Installing: binary, models, studies and scripts; the manual page and completion come from the program itself.

install: all ## install below PREFIX (DESTDIR is honoured)
	@echo "Installing to $(DESTDIR)$(PREFIX)."
	$(Q)mkdir -p "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(DATADIR)"
	$(Q)install -m 755 $(PROGRAM) "$(DESTDIR)$(PREFIX)/bin/halflife"
	$(Q)for part in models configs scripts; do \
	    rm -rf "$(DESTDIR)$(DATADIR)/$$part"; \
	    if [ -d $$part ]; then cp -R $$part "$(DESTDIR)$(DATADIR)/$$part"; fi; \
	done
	$(Q)if $(PROGRAM) help --man > $(BUILD)/halflife.1 2>/dev/null && [ -s $(BUILD)/halflife.1 ]; then \
	    mkdir -p "$(DESTDIR)$(PREFIX)/share/man/man1"; \
	    install -m 644 $(BUILD)/halflife.1 "$(DESTDIR)$(PREFIX)/share/man/man1/halflife.1"; \
	fi
	$(Q)if $(PROGRAM) completion bash > $(BUILD)/completion.bash 2>/dev/null && [ -s $(BUILD)/completion.bash ]; then \
	    mkdir -p "$(DESTDIR)$(PREFIX)/share/bash-completion/completions"; \
	    install -m 644 $(BUILD)/completion.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/halflife"; \
	fi

uninstall: ## remove what install put below PREFIX
	@echo "Removing halflife from $(DESTDIR)$(PREFIX)."
	$(Q)rm -rf "$(DESTDIR)$(DATADIR)"
	$(Q)rm -f "$(DESTDIR)$(PREFIX)/bin/halflife" "$(DESTDIR)$(PREFIX)/share/man/man1/halflife.1" \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/halflife"

clean: ## remove the build; results in output/ stay
	$(Q)rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

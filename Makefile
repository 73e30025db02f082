# make demo: train the paper's CNN for a few epochs. make check: every test.
PREFIX ?= /usr/local
DEMO_ARGS ?= --epochs 3
B := build
MODEL_LIBS := -pthread -Wl,--as-needed -lopenblas -lpng -ljansson -lz -lm

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
        -Wwrite-strings -Wundef -Werror
ALL_CFLAGS = -std=gnu11 -pthread $(WARN) $(CFLAGS) $(COVER) -MMD -MP -DNNC_LIBS='"$(MODEL_LIBS)"' -Icompiler -Iruntime -I$(B)
Q := $(if $(V),,@)
ifdef SAN
B := build/san
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
export CFLAGS
endif
ifdef COV
B := build/coverage
CFLAGS := -O0 -g
COVER := --coverage -fprofile-update=atomic
MODEL_LIBS += --coverage
endif

COMPILER := $(sort $(wildcard compiler/*.c compiler/*/*.c))
RUNTIME := $(sort $(wildcard runtime/*.c runtime/*/*.c))
UNIT := $(sort $(wildcard tests/unit/*.c))
COMPILER_OBJ := $(COMPILER:%.c=$(B)/%.o) $(B)/grammar/nn.tab.o $(B)/grammar/nn.lex.o \
                $(B)/registry.o $(B)/templates.o
RUNTIME_OBJ := $(RUNTIME:%.c=$(B)/%.o) $(B)/runtime_data.o $(B)/runtime_commands.o

all: $(B)/nnc share

$(B)/nnc: $(COMPILER_OBJ) $(B)/libnncrt.a
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(MODEL_LIBS)

$(B)/libnncrt.a: $(RUNTIME_OBJ)
	$(Q)rm -f $@ && ar qcs $@ $^ # q: some have the same name in two folders

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/%.o: $(B)/%.c
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The tables of layers, ops, kernels ... are the directory listings.
$(B)/registry.c: compiler/registry.sh $(COMPILER) $(wildcard compiler/*/)
	@mkdir -p $(@D)
	$(Q)sh compiler/registry.sh compiler > $@
$(B)/runtime_data.c $(B)/runtime_commands.c: $(B)/runtime_%.c: runtime/registry.sh $(RUNTIME) $(wildcard runtime/*/)
	@mkdir -p $(@D)
	$(Q)sh runtime/registry.sh runtime $* > $@
$(B)/templates.c: compiler/templates.awk $(COMPILER) $(wildcard compiler/*/)
	@mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f compiler/templates.awk $(COMPILER) > $@

$(B)/grammar/nn.tab.c $(B)/grammar/nn.tab.h &: grammar/nn.y
	@mkdir -p $(@D)
	$(Q)bison -Wall -Wcounterexamples -Werror -o $(B)/grammar/nn.tab.c --defines=$(B)/grammar/nn.tab.h $<
$(B)/grammar/nn.lex.c: grammar/nn.l $(B)/grammar/nn.tab.h
	$(Q)flex -o $@ $<
$(B)/grammar/nn.tab.o $(B)/grammar/nn.lex.o: $(B)/grammar/nn.tab.h

ALLOCATORS := malloc calloc realloc strdup
$(B)/unit: $(UNIT:%.c=$(B)/%.o) $(B)/tests_registry.o $(filter-out %/main.o,$(filter $(B)/compiler/%,$(COMPILER_OBJ))) \
           $(B)/grammar/nn.tab.o $(B)/grammar/nn.lex.o $(B)/registry.o $(B)/templates.o $(B)/libnncrt.a
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(MODEL_LIBS) -lcunit
$(B)/unit: LDFLAGS += $(ALLOCATORS:%=-Wl,--wrap=%)
$(B)/tests_registry.c: tests/unit/registry.sh $(UNIT)
	@mkdir -p $(@D)
	$(Q)sh tests/unit/registry.sh tests/unit > $@

# The harnesses of tests/fuzz, which builds them by clang in a folder of their own.
FUZZER ?= -fsanitize=fuzzer
FUZZED := $(B)/fuzz_compiler $(B)/fuzz_runtime
IN_MEMORY := nnc_read_file nnc_reader_open nnc_reader_read nnc_reader_could_hold nnc_reader_close \
             nnc_search nnc_crc32 nnc_write_file png_create_read_struct
$(B)/fuzz_compiler: $(B)/tests/fuzz/compiler.o $(B)/tests/fuzz/main.o \
                    $(filter-out %/main.o,$(COMPILER_OBJ)) $(B)/libnncrt.a
$(B)/fuzz_runtime: $(B)/tests/fuzz/runtime.o $(B)/tests/fuzz/memory.o $(B)/tests/fuzz/main.o $(B)/libnncrt.a
$(B)/fuzz_runtime: LDFLAGS += $(IN_MEMORY:%=-Wl,--wrap=%)
$(FUZZED):
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(FUZZER) $(MODEL_LIBS)
fuzz: $(FUZZED)

# Every test, or those of PARTS="golden cli"; SAN=1: all of it under ASan and UBSan.
check: $(B)/nnc $(B)/unit share
	$(Q)B="$(B)" NNC="$(CURDIR)/$(B)/nnc" SANITIZED=$(SAN) tests/run.sh $(PARTS)
# The same at the length that the README's promises were measured at: hours.
check-long: export LONG = 1
check-long: check

# Which lines and branches of the compiler and the runtime the quick tests reach.
COVER_PARTS := unit golden diag cli program tune diff doctor lr_find gridsearch report resume numerics parity
coverage:
	$(Q)mkdir -p build && find build -name '*.gcda' -delete
	$(Q)$(MAKE) -s --no-print-directory COV=1 check PARTS="$(COVER_PARTS)"
	$(Q)scripts/coverage.sh build/coverage

# Ours beside the peers that python3 has, in turns: tests/bench/README.md.
PYTHON ?= python3
bench: $(B)/nnc
	$(Q)NNC="$(CURDIR)/$(B)/nnc" $(PYTHON) tests/bench/bench.py $(BENCH_ARGS)

# The paper's experiments once more; FULL=1: on all 60,000 samples, too.
study: $(B)/nnc
	$(Q)$(MAKE) --no-print-directory -C examples/fashion_mnist study

# What the tests expect becomes what they find: read the diff before it is kept.
golden: $(B)/nnc
	$(Q)tests/golden/run --write
	$(Q)tests/diag/run --write

deps:
	$(Q)CC="$(CC)" scripts/deps.sh
demo: deps
	@echo 'building $(B)/nnc'
	$(Q)$(MAKE) -s --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) $(B)/nnc
	$(Q)scripts/demo.sh $(B) $(DEMO_ARGS)

# install, uninstall, and what belongs to them: manual pages, completions, editors' files.
include share/share.mk

# Templates and headers are laid out by hand.
lint:
	$(Q)clang-format --dry-run -Werror $$(grep -L 'ifdef TEMPLATE_' $(COMPILER) $(RUNTIME) $(UNIT) \
		share/*.c tests/fuzz/*.[ch])
	$(Q)shellcheck -x -P SCRIPTDIR .ci/run scripts/*.sh tests/*.sh tests/*/run */registry.sh \
		examples/*/*.sh

# cppcheck, clang-tidy and gcc -fanalyzer: silent, but for a few minutes' work.
analyze: all
	$(Q)printf '%s\n' $(COMPILER) $(RUNTIME) | xargs -n 20 -P $$(nproc) scripts/analyze.sh

clean:
	rm -rf build

.PHONY: all check check-long fuzz analyze coverage bench study golden deps demo lint clean
-include $(filter-out %_completions.d,$(wildcard $(B)/*.d $(B)/*/*.d $(B)/*/*/*.d $(B)/*/*/*/*.d)) # fish's folder

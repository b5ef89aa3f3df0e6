# One Makefile, one graph. `make help` lists the targets; every variable below can be set
# on the command line. Objects live in build/<mode>/, so sanitizer builds never mix.
NAME    := pelt
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0)
PREFIX  ?= /usr/local
MODE    ?= release
SAN     ?=
COV     ?=
PKGS    := liburing
OUT     := build/$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(COV),-cov)
comma   := ,

CFLAGS ?= -O2 -g
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
WARN   := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual \
          -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wdouble-promotion -Wredundant-decls
GCCWARN := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wcast-align=strict
ifneq (,$(findstring clang,$(shell $(CC) --version 2>/dev/null)))
GCCWARN :=
endif
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DPELT_VERSION='"$(VERSION)"' -I. $(WARN) $(GCCWARN) \
              $(if $(WERROR),-Werror) -fvisibility=hidden -fno-omit-frame-pointer -fPIE -pthread \
              $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -DPELT_DEBUG,$(HARDEN)) \
              $(if $(COV),--coverage) $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now $(if $(COV),--coverage) $(LDFLAGS)
LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# Every .c in a room is in the library, except the one with main().
LIB_SRC   := $(filter-out core/main.c,$(sort $(wildcard core/*.c core/*/*.c io/*.c tls/*.c config/*.c)))
TEST_SRC  := $(sort $(wildcard tests/unit/test_*.c tests/sim/test_*.c))
SIM_SRC   := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c)))
BENCH_SRC := $(sort $(wildcard bench/bench_*.c))
obj = $(patsubst %.c,$(OUT)/%.o,$(1))

LIB     := $(OUT)/lib$(NAME).a
BIN     := $(OUT)/$(NAME)
TESTS   := $(patsubst %.c,$(OUT)/%,$(TEST_SRC))
BENCHES := $(patsubst %.c,$(OUT)/%,$(BENCH_SRC))

.DELETE_ON_ERROR:
.PHONY: all
all: $(BIN) ## build the program; build/pelt is the latest
	@ln -sfn $(patsubst build/%,%,$(BIN)) build/$(NAME)
$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^
$(BIN) $(TESTS) $(BENCHES): $(OUT)/%: $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)
$(BIN): $(OUT)/core/main.o
$(TESTS) $(BENCHES): $(OUT)/%: $(OUT)/%.o
# The simulated kernel defines all of io/ring.h and core/base/clock.h, so the archive's are never
# pulled in.
$(filter $(OUT)/tests/sim/%,$(TESTS)): $(call obj,$(SIM_SRC))
.PHONY: unit
unit: $(TESTS) ## unit tests and simulated kernel only
	@tests/run-units $(TESTS)
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16
-include $(patsubst %.c,$(OUT)/%.d,$(LIB_SRC) core/main.c $(TEST_SRC) $(SIM_SRC) $(BENCH_SRC))

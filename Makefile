# One Makefile, one graph. `make help` lists the targets; every variable below can be set
# on the command line. Objects live in build/<mode>/, so sanitizer builds never mix. V=1 shows
# whole command lines.
NAME    := pelt
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.0.0)
DATE    := $(shell git log -1 --format=%cs 2>/dev/null || date +%F)
PREFIX  ?= /usr/local
MODE    ?= release
SAN     ?=
COV     ?=
# static: the program carries OpenSSL, if its archives are there; shared: the system's libraries.
OPENSSL ?= $(if $(SAN)$(COV),shared,static)
# What is used where it is there: bodies in br.
HAS     := $(shell pkg-config --exists libbrotlidec 2>/dev/null && echo libbrotlidec)
PKGS    := liburing openssl yaml-0.1 zlib libpcre2-8 $(HAS)
comma   := ,
OUT     := build/$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(COV),-cov)

CFLAGS ?= -O2 -g
HARDEN ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
WARN   := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual \
          -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wdouble-promotion -Wredundant-decls
GCCWARN := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wcast-align=strict
ifneq (,$(findstring clang,$(shell $(CC) --version 2>/dev/null)))
GCCWARN :=
endif
LANGUAGE := -std=gnu17 -D_GNU_SOURCE -I. -pthread $(shell pkg-config --cflags $(PKGS) 2>/dev/null) \
            $(if $(HAS),-DPELT_BROTLI)
ALL_CFLAGS := $(LANGUAGE) $(WARN) $(GCCWARN) $(if $(WERROR),-Werror) \
              -fvisibility=hidden -fno-omit-frame-pointer -fPIE \
              $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -DPELT_DEBUG,$(HARDEN)) \
              $(if $(COV),--coverage -fprofile-update=atomic) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now $(if $(COV),--coverage) $(LDFLAGS)
LIBS := $(or $(shell pkg-config --libs $(PKGS) 2>/dev/null),-luring -lssl -lcrypto -lyaml -lz -lpcre2-8) -lm

# Every .c in a room is in the library, except the one with main().
LIB_SRC   := $(filter-out core/main.c,$(sort $(wildcard core/*.c core/*/*.c io/*.c tls/*.c config/*.c)))
TEST_SRC  := $(sort $(wildcard tests/unit/test_*.c tests/sim/test_*.c))
SCRIPTS   := tests/tidy $(sort $(wildcard tests/test-*))
SIM_SRC   := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c)))
TOOL_SRC  := $(sort $(wildcard tests/tools/*.c))
BENCH_SRC := $(sort $(wildcard bench/bench_*.c))
SOURCES   := $(sort $(LIB_SRC) $(wildcard core/main.c tests/*/*.c bench/*.c))
obj = $(patsubst %.c,$(OUT)/%.o,$(1))

LIB     := $(OUT)/lib$(NAME).a
BIN     := $(OUT)/$(NAME)
TESTS   := $(patsubst %.c,$(OUT)/%,$(TEST_SRC))
TOOLS   := $(patsubst %.c,$(OUT)/%,$(TOOL_SRC))
TRACE   := $(OUT)/tests/model/trace
BENCHES := $(patsubst %.c,$(OUT)/%,$(BENCH_SRC))

# The targets that install what is missing start over with $(again): what was not there when this
# file was read may be there now. They use all cores unless told how many.
again = $(MAKE) --no-print-directory \
        $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# $(call run,WHAT,COMMAND): a recipe line that says no more than what it makes.
run = $(if $(V),$(2),@printf '  %-5s %s\n' '$(1)' '$@'; $(2))

.DELETE_ON_ERROR:
.PHONY: all
all: $(BIN) ## build the program; build/pelt is the latest plain build
ifeq (,$(SAN)$(COV))
	@ln -sfn $(patsubst build/%,%,$(BIN)) build/$(NAME)
endif

# Files that change when the compiler's command line, or the version, does.
$(shell mkdir -p $(OUT); \
    keep() { [ "$$(cat "$$1" 2>/dev/null)" = "$$2" ] || printf '%s\n' "$$2" >"$$1"; }; \
    keep $(OUT)/flags '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS))'; \
    keep $(OUT)/version '$(VERSION)'; \
    keep $(OUT)/openssl '$(OPENSSL)')
VERSIONED := $(call obj,$(shell grep -l PELT_VERSION core/*.c /dev/null 2>/dev/null))

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)
$(VERSIONED): $(OUT)/version
$(VERSIONED): ALL_CFLAGS += -DPELT_VERSION='"$(VERSION)"' -DPELT_DATE='"$(DATE)"'
$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	$(call run,AR,$(AR) rcs $@ $^)
$(BIN) $(TESTS) $(TOOLS) $(TRACE) $(BENCHES): $(OUT)/%: $(LIB)
	$(call run,LINK,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS))
# OpenSSL's archives, if a program can be linked with them; else its shared libraries.
ARCHIVES = -l:libssl.a -l:libcrypto.a \
           $(filter-out -lssl -lcrypto,$(shell pkg-config --libs --static openssl 2>/dev/null))
$(OUT)/openssl.libs: $(OUT)/openssl $(wildcard $(shell pkg-config --variable=libdir openssl 2>/dev/null)/libcrypto.a)
	@echo '$(if $(filter static,$(OPENSSL)),$(ARCHIVES),-lssl -lcrypto)' >$@
	@printf '#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_method()) == 0; }\n' | \
	    $(CC) -x c - -x none -o $@.probe @$@ 2>$@.log || echo '-lssl -lcrypto' >$@
	@rm -f $@.probe
$(BIN): LIBS := @$(OUT)/openssl.libs $(filter-out -lssl -lcrypto,$(LIBS))
$(BIN): $(OUT)/core/main.o $(OUT)/openssl.libs
$(TESTS) $(TOOLS) $(TRACE) $(BENCHES): $(OUT)/%: $(OUT)/%.o
# What TLS tests present to each other; the same for every mode.
CERTS := build/certs/stamp
$(CERTS): tests/certs
	$(call run,CERTS,tests/certs $(@D))
$(filter $(OUT)/tests/unit/test_tls% $(OUT)/tests/sim/test_engine_seeds,$(TESTS)): | $(CERTS)
# The simulated kernel defines all of io/ring.h and core/base/clock.h, so the archive's are never
# pulled in.
$(filter $(OUT)/tests/sim/%,$(TESTS)) $(TRACE): $(call obj,$(SIM_SRC))
# Calls of these functions go through those of tests/model/trace.c.
TRACED := $(shell sed -n 's/^WRAPPED.[^,]*, \([a-z_]*\),.*/\1/p' tests/model/trace.c)
$(TRACE): ALL_LDFLAGS += $(TRACED:%=-Wl,--wrap=%)

.PHONY: deps demo demo-tls
deps: ## install what building and testing need and this machine lacks
	@tests/deps build test
demo: ## build, start the built-in target, run the main job on it for ten seconds
	@tests/deps build
	@$(again) all
	@tests/demo build/$(NAME)
demo-tls: ## the same over TLS, with a certificate made for the occasion
	@tests/deps build
	@$(again) all
	@tests/demo build/$(NAME) tls

.PHONY: test test-all unit sim model e2e
test: ## all tests; the last line says how many passed
	@tests/deps test
	@$(again) test-all
test-all: all $(TESTS) $(TOOLS) $(TRACE)
	@MODEL_TRACE=$(TRACE) ARCHIVE=$(if $(SAN)$(COV),,$(LIB)) tests/run --e2e $(BIN) $(SCRIPTS) $(TESTS)
# One thread runs a simulated kernel: the thread sanitizer has nothing to see there.
unit: $(if $(filter thread,$(SAN)),$(filter $(OUT)/tests/unit/%,$(TESTS)),$(TESTS)) ## unit tests and simulated kernel only
	@tests/run $^
sim: $(filter $(OUT)/tests/sim/%,$(TESTS)) $(TRACE) ## simulated kernel only
	@MODEL_TRACE=$(TRACE) tests/run $(filter-out $(TRACE),$^) tests/test-model
model: $(TRACE) ## random test files against the reference; SEEDS=FROM-TO runs other ones
	@MODEL_TRACE=$(TRACE) tests/test-model $(SEEDS)
e2e: $(BIN) $(TOOLS) ## end-to-end tests only; E2E_FLAGS='-v NAME' picks some, see tests/e2e/run
	@tests/run --e2e $(BIN)

# Thread sanitizer sees no order that passes through io_uring, so it gets the units and the
# whole over epoll.
.PHONY: check lint tidy format-check clang-tidy cppcheck analyzer format
check: ## everything that is checked before a merge: lint, analysers, all tests under sanitizers
	@tests/deps check
	@$(again) lint
	@$(again) all WERROR=1
	@$(again) test-all SAN=address,undefined E2E_FLAGS='--light $(E2E_FLAGS)'
	@$(again) e2e SAN=address,undefined E2E_FLAGS='--light --io epoll $(E2E_FLAGS)'
	@$(again) unit SAN=thread
	@$(again) e2e SAN=thread E2E_FLAGS='--light --io epoll $(E2E_FLAGS)'
lint: tidy format-check clang-tidy cppcheck ## house rules, format, clang-tidy, cppcheck
tidy: $(LIB) ## the house rules that no compiler knows
	@ARCHIVE=$(if $(SAN)$(COV),,$(LIB)) tests/tidy
C_FILES = $(shell find core io tls config bench tests -name '*.[ch]' 2>/dev/null)
format-check: ## is the format that of .clang-format?
	@rc=0; for f in $(C_FILES); do clang-format "$$f" | cmp -s - "$$f" || \
	    { echo "$$f: not formatted; make format"; rc=1; }; done; exit $$rc
format: ## make it so
	clang-format -i $(C_FILES)
# One stamp per file, so that only what changed is looked at again.
TIDIED := $(patsubst %.c,build/clang-tidy/%.stamp,$(SOURCES))
build/clang-tidy/%.stamp: %.c .clang-tidy $(wildcard */*.h */*/*.h)
	@mkdir -p $(@D)
	$(call run,TIDY,clang-tidy --quiet $< -- $(LANGUAGE) -DPELT_VERSION='""' -DPELT_DATE='""' 2>$(@:.stamp=.log) || \
	    { cat $(@:.stamp=.log); exit 1; })
	@touch $@
clang-tidy: $(TIDIED) ## clang-tidy on what changed
# It takes a switch that lists every constant of an enum for one that may match none, and a struct
# called template for an integer.
CPPCHECK_WRONG := missingIncludeSystem missingReturn duplicateAssignExpression \
                  CastIntegerToAddressAtReturn
cppcheck: ## cppcheck on the product
	@mkdir -p build/cppcheck
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	    --cppcheck-build-dir=build/cppcheck -I. -D_GNU_SOURCE -DPELT_VERSION='""' -DPELT_DATE='""' \
	    $(CPPCHECK_WRONG:%=--suppress=%) $(sort $(wildcard $(LIB_SRC) core/main.c))

.PHONY: fuzz bench truth coverage kills
FUZZ_SECONDS ?= 60
fuzz: ## fuzz the parsers for FUZZ_SECONDS each; all tests replay what was found
	@tests/deps check
	@tests/fuzz/run build
	@tests/fuzz/run fuzz $(FUZZ_SECONDS) http1
	@tests/fuzz/run fuzz $(FUZZ_SECONDS) chunked
	@tests/fuzz/run fuzz $(FUZZ_SECONDS) tls
	@for target in json jsonpath expr template regex records testfile; do \
	    tests/fuzz/run fuzz $(FUZZ_SECONDS) $$target || exit 1; done
bench: ## micro-benchmarks, and pelt beside wrk; for a quiet machine
	@tests/deps bench
	@$(again) all $(BENCHES)
	@bench/run
kills: all ## kill 200 runs at random moments, and read their results files
	@PELT_KILLS=200 $(again) e2e E2E_FLAGS='-v test_what_was_closed_before_a_kill_is_readable'
truth: ## exactness on the real clock; for a quiet machine
	@tests/deps bench
	@$(again) all
	@bench/truth
coverage: ## which lines the tests reach, per room and per file
	@tests/deps test
	@find build -name '*.gcda' -path '*-cov/*' -delete 2>/dev/null || true
	@$(again) test-all COV=1 E2E_FLAGS='--light $(E2E_FLAGS)'
	@tests/coverage build/$(MODE)-cov

.PHONY: install uninstall clean help
SHARE = $(DESTDIR)$(PREFIX)/share
MAN_FILE  = $(SHARE)/man/man1/$(NAME).1
BASH_FILE = $(SHARE)/bash-completion/completions/$(NAME)
ZSH_FILE  = $(SHARE)/zsh/site-functions/_$(NAME)
FISH_FILE = $(SHARE)/fish/vendor_completions.d/$(NAME).fish
install: all ## copy to DESTDIR and PREFIX (/usr/local): program, manual page, completions
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/$(NAME)
	mkdir -p $(dir $(MAN_FILE) $(BASH_FILE) $(ZSH_FILE) $(FISH_FILE))
	$(BIN) --man >$(MAN_FILE)
	$(BIN) --completions bash >$(BASH_FILE)
	$(BIN) --completions zsh >$(ZSH_FILE)
	$(BIN) --completions fish >$(FISH_FILE)
uninstall: ## take away what install copied
	rm -f $(DESTDIR)$(PREFIX)/bin/$(NAME) $(MAN_FILE) $(BASH_FILE) $(ZSH_FILE) $(FISH_FILE)
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16
-include $(patsubst %.c,$(OUT)/%.d,$(SOURCES))

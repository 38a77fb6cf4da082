# The common tasks; CONTRIBUTING.md says more.

GO         ?= go
TEST_FLAGS ?=
CROSS      ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
TIMEOUT    ?= 45m
# Modules of their own, so that their dependencies are not those of users.
MODULES    := $(patsubst %/go.mod,%,$(wildcard bench/go.mod browsertest/go.mod))

# Packages whose tests have the machine for themselves, one after the other: they kill and
# freeze processes that must come back in time.
ALONE      := ./internal/debezium ./internal/faults ./internal/simulation ./streams/internal/eostest

# Without the folder's name in what is compiled, clones on one machine share Go's cache.
export GOFLAGS := -trimpath $(filter-out -trimpath,$(GOFLAGS))

# How vet, the tests and what the tests themselves build are compiled, so that all of them share it.
# What a debugger reads is left out, and our packages' calls are not inlined: both take half of the
# compiler's time.
# SQLite translated from C and the C library below it have memory that is not Go's: to watch every
# access finds nothing of ours and takes five times the processor. SQLite's driver, which takes our
# values, is watched.
OURS      := github.com/pabal-dev/pabal/...
UNWATCHED := modernc.org/sqlite/lib modernc.org/libc modernc.org/memory
RACE      := -race '-ldflags=-s -w' -gcflags=all=-dwarf=false '-gcflags=$(OURS)=-dwarf=false -l' \
             $(patsubst %,'-gcflags=%=-dwarf=false -race=false',$(UNWATCHED))

check test test-modules: export GOFLAGS := $(GOFLAGS) $(if $(filter -race,$(GOFLAGS)),,$(RACE))

# A program that is watched for races would sleep for a second at its end.
export GORACE := atexit_sleep_ms=0 $(GORACE)

# The packages but ALONE two at a time: more would share the same servers and cores.
GO_TEST = $(GO) test -vet=off -timeout $(TIMEOUT) $(TEST_FLAGS)

.PHONY: help
help:
	@echo "make test       all tests with -race, against every real server there is"
	@echo "make test-full  the same with the long runs"
	@echo "make check      formatting, vet, go.mod, other platforms"
	@echo "make bench B=x  one benchmark"
	@echo "make build      bin/pabal"
	@echo "make release    archives for all platforms in dist/ (VERSION=v1.2.3)"

.PHONY: build
build:
	CGO_ENABLED=0 $(GO) build -ldflags "-s -w" -o bin/pabal ./cmd/pabal

# The runner is built, not run with "go run": that would swallow exit codes and
# leave the servers alone when it is terminated.
.PHONY: test
test:
	scripts/install-test-servers
	$(GO) vet ./...
	$(GO) build -o bin/testservers ./internal/testservers/cmd
	bin/testservers -- $(MAKE) --no-print-directory test-modules

# What runs between the servers' start and end. All of it runs, whatever fails.
.PHONY: test-modules
test-modules:
	@failed=; \
	echo "# the packages but $(ALONE)"; \
	$(GO_TEST) -p 2 $$($(GO) list ./... | grep -v $(foreach p,$(ALONE),-e '$(patsubst ./%,/%,$(p))$$')) || failed="$$failed packages"; \
	echo "# $(ALONE)"; \
	$(GO_TEST) -p 1 $(ALONE) || failed="$$failed alone"; \
	for module in $(MODULES); do echo "# the module $$module"; \
	  (cd $$module && $(GO) vet ./... && $(GO_TEST) ./...) || failed="$$failed $$module"; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

.PHONY: test-full
test-full:
	PABAL_TEST_FULL=1 $(MAKE) test TIMEOUT=60m

.PHONY: check
check: check-format check-modules check-cross
	$(GO) vet ./...

.PHONY: check-format
check-format:
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt these files:"; echo "$$files"; exit 1; fi
	for script in scripts/install-test-servers scripts/release internal/pekko/app/build internal/kstreams/app/build .ci/run; do bash -n $$script || exit 1; done

.PHONY: check-modules
check-modules:
	$(GO) mod verify
	$(GO) mod tidy -diff
	set -e; for module in $(MODULES); do cd $$module; $(GO) mod verify; $(GO) mod tidy -diff; cd ..; done

.PHONY: check-cross
check-cross:
	$(GO) run ./internal/platforms $(CROSS)

.PHONY: bench
bench:
	@if [ -z "$(B)" ]; then echo "which one? For example: make bench B=demo-orders"; exit 2; fi
	cd bench && $(GO) run ./cmd/bench $(B)

# Archives for all platforms and their checksums, in dist/.
.PHONY: release
release:
	scripts/release $(VERSION)

.PHONY: clean
clean:
	rm -rf bin dist

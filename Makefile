# Lectern. `make help` lists what there is.

GO       ?= go
DATA     ?= data/demo
ADDRESS  ?= 127.0.0.1:8080
TOOL     := $(GO) tool -modfile=tools/go.mod
PACKAGES := ./...

# Pure Go throughout: a static binary, and one build cache for run and test.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start Lectern in embedded mode with the demo platform
	./bin/lectern serve --demo --data $(DATA) --server.address $(ADDRESS)

.PHONY: build
build: ## build bin/lectern, static and without cgo
	@test -x bin/lectern || echo "building; the first time compiles every dependency and takes minutes"
	$(GO) build -o bin/lectern ./cmd/lectern

.PHONY: test
test: test-deps ## run every test, installing and starting what they need
	LECTERN_TEST_REQUIRE_POSTGRES=1 $(GO) test -timeout 20m $(PACKAGES)

.PHONY: test-deps
test-deps: # PostgreSQL's and PgBouncer's binaries, from Debian, when they are not there yet
	@scripts/test-deps.sh postgresql pgbouncer

.PHONY: race
race: test-deps ## the tests under the race detector
	@scripts/test-deps.sh gcc
	LECTERN_TEST_REQUIRE_POSTGRES=1 CGO_ENABLED=1 $(GO) test -race -short -timeout 40m $(PACKAGES)

.PHONY: check
check: fmt-check vet generate-check lint race vuln ## everything a change must pass

.PHONY: fmt
fmt: ## format the code
	gofmt -s -w $$(git ls-files '*.go')

.PHONY: fmt-check
fmt-check: # fails when a file is not formatted
	@out=$$(gofmt -s -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not formatted:"; echo "$$out"; exit 1; }

.PHONY: vet
vet: # go vet
	$(GO) vet $(PACKAGES)

.PHONY: lint
lint: ## golangci-lint, pinned in tools/go.mod
	$(TOOL) golangci-lint run $(PACKAGES)

.PHONY: generate
generate: ## regenerate the code of the SQL queries
	$(TOOL) sqlc generate

.PHONY: generate-check
generate-check: ## fails when generated code is out of date
	$(TOOL) sqlc diff

.PHONY: vuln
vuln: ## govulncheck, where its database can be reached
	@scripts/vuln.sh

.PHONY: bench
bench: ## the benchmarks behind the figures in the docs
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(or $(BENCH_PACKAGES),$(PACKAGES))

.PHONY: load
load: COURSES ?= 5000,100000
load: ## type at a server over HTTP with 1, 8 and 32 connections (COURSES=5000,100000)
	LECTERN_TEST_LOAD=$(COURSES) $(GO) test -count 1 -timeout 60m -run 'TestTypingUnderLoad' -v ./cmd/lectern

.PHONY: soak
soak: test-deps ## the long tests: twenty kills each, fifty of rewards and of metrics; the studies of estimates and experiments
	LECTERN_TEST_SOAK=1 LECTERN_TEST_REQUIRE_POSTGRES=1 $(GO) test -timeout 60m -run 'Kill|Crash|EndToEnd' -v $(PACKAGES)
	LECTERN_TEST_SOAK=1 $(GO) test -timeout 2h -v ./experiment/stats ./experiment/ope/synthetic

.PHONY: clean
clean: ## remove what was built and the demo data
	rm -rf bin data/demo

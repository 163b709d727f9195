SWIFT_FLAGS := --explicit-target-dependency-import-check error
APT := libssl-dev libcurl4-openssl-dev libarchive-dev libsqlite3-dev libzstd-dev libdeflate-dev
TEST_APT := curl libarchive-tools zstd unzip python3-venv strace fuse libfuse2 prometheus prometheus-pushgateway systemd faketime valgrind binutils
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BIN := .build/debug
# Invented rows get a folder of their own: the pipeline's, output/openai-admin, is for an organization's.
RECORDED := output/recorded
EXAMPLE := pipelines/openai-admin.yaml --replay Fixtures/openai-admin/replay --since 2025-11-01 --output $(RECORDED)

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests build release run test connectors bench bench-scale faults faults-bugs fuzz walls format lint clean

help: ## Lists these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-15s %s\n", $$1, $$2}'

setup: ## Installs the C libraries that are missing (Debian's packages)
	@missing=""; for p in $(APT); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq $$missing >/dev/null; fi
	@command -v swift >/dev/null || { echo "Swift 6.3 is missing: install it from swift.org, then run this again"; exit 1; }

setup-tests: setup ## Installs what the tests read archives with
	@missing=""; for p in $(TEST_APT); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

build: setup ## Builds cogni (debug); an import that was not declared is an error
	swift build $(SWIFT_FLAGS) --product cogni

release: setup ## Builds cogni as it is shipped: with Swift's own libraries in it, so that it runs where there is no Swift
	swift build -c release --static-swift-stdlib $(SWIFT_FLAGS) --product cogni

run: build ## Runs the example pipeline on recorded replies: no network, no key
	$(BIN)/cogni run $(EXAMPLE)
	@echo
	@echo "The archives are in $(RECORDED)/openai-admin/current:"
	@ls $(RECORDED)/openai-admin/current | head -60 | column -c 110
	@echo
	@echo "One of them, $(RECORDED)/openai-admin/current/projects:"
	@zcat $(RECORDED)/openai-admin/current/projects/*.gz | head -n 3

test: setup-tests walls ## Runs every test: unit, end to end, other people's readers
	Tests/run.sh

connectors: setup ## Writes the trees of the built-in connectors anew; run it after an edit of their YAML
	COGNI_WRITE_NODES=1 swift test $(SWIFT_FLAGS) --filter PrecomposedTreeTests
	swift test $(SWIFT_FLAGS) --filter PrecomposedTreeTests

faults: setup-tests build ## The whole fault laboratory (an hour): every call, image and size; writes the table in docs/reliability.md
	swift build $(SWIFT_FLAGS) --product cogni-simulator
	Tests/Faults/run.sh --write

faults-bugs: setup-tests build ## Plants known bugs into a copy of the sources and looks which method catches each
	Tests/Faults/plant.sh --write

bench: ## Measures against the floor (the same bytes through curl | zstd | sha256sum), dlt and DuckDB
	Bench/run.sh

fuzz: setup ## Looks for inputs that break a parser, FUZZ_SECONDS (60) for each
	Tests/Fuzz/run.sh fuzz

bench-scale: ## Measures growth: 15 million rows, 50,000 partitions, 50,000 requests, runs with nothing new
	Bench/scale.sh

walls: ## C modules and `unsafe` stand in Sources/Native and nowhere else; no floor imports its own or a higher one
	@Tools/walls.sh

format: ## Rewrites Swift files in the house layout
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## Says which files `make format` would change
	swift format lint --strict --recursive Package.swift Sources Tests

clean: ## Removes what the build made
	rm -rf .build

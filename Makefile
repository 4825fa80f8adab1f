# SPDX-License-Identifier: Apache-2.0
#
# The front door. `make help` lists goals and variables.

# --- Versions and settings -------------------------------------------------------------------------------------------
# Versions of Java libraries and Maven plugins: pom.xml. Packages of the system: .ci/requirements.
# JDK 25          the Foreign Function & Memory API and all the language that the sources use are final there;
#                 java/src/main/scripts/jdk.sh finds one
# clang >= 14     what Debian 12 has; the BPF programs are written for it (bpf/DESIGN.md)
# libbpf >= 1.1   what Debian 12 has; the bindings name nothing newer (native/README.md)
# jextract        commit f9866df; only `make bindings` needs it (native/README.md)

V         ?=#			1 shows the commands and Maven's own output
TESTS     ?=#			which tests, as a pattern for class names: TESTS='*Select*'
JEXTRACT  ?=#			the jextract to generate bindings with, or to compare them with in `make check`
AOT       ?= yes#		no builds without an AOT cache, which saves start-up time
MAVEN     ?=#			more arguments for Maven, for example MAVEN=--offline
DEMO_IPV6 ?=#			1 runs the demo with IPv6
BENCH     ?=#			arguments of the benchmarks: parts to run, --seed=N, --out=DIRECTORY
JMH       ?=#			what make jmh runs, in JMH's words: JMH='-f 2 Compiler', JMH=-lp, JMH=-h
# JAVA_HOME			a JDK 25, where the usual places do not hold one

# --- Ground rules ----------------------------------------------------------------------------------------------------
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SUFFIXES:
# Maven and the goals that call make again know their own order; nothing here gains from -j.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# bpftool, dnsmasq and ip are in sbin, which people other than root do not have on their path in Debian.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
export V DEMO_IPV6

ifeq ($(V),1)
Q :=
msg = @:
else
Q := @
msg = @printf '  %-8s %s\n'
endif

DIST := target/patchbay
MVN := .ci/mvn $(MAVEN)
TEST_SELECTION = $(if $(TESTS),-Dtest='$(TESTS)' -Dsurefire.failIfNoSpecifiedTests=false)
BPF = $(MAKE) $(if $(Q),-s) -C bpf BPFTOOL="$$(. .ci/requirements.sh; find_bpftool || echo bpftool)"

# Compiles the microbenchmarks and runs a class of theirs.
run_jmh = $(MVN) -Pjmh test-compile && java/src/jmh/run dev.patchbay.jmh.$(1)

# Runs tests, always prints the sum, and fails if either did.
run_tests = rm -rf java/target/surefire-reports; status=0; \
	$(MVN) test $(1) $(TEST_SELECTION) || status=1; .ci/summary || status=1; exit $$status

need_root = if [ "$$(id -u)" != 0 ]; then \
	echo "patchbay: make $@ needs root (namespaces, cgroups, BPF): sudo make $@$(1)" >&2; exit 1; fi

# --- Goals -----------------------------------------------------------------------------------------------------------
.PHONY: help deps doctor build bpf test test-pure test-kernel e2e cluster golden bench bench-quick bench-tools \
	bench-readme demo jmh jmh-smoke jmh-reference fmt check bindings clean

help: ## this text
	@echo "Patchbay: a Kubernetes Service dataplane. Start here: sudo make demo"
	@echo; echo "Goals (build is the default)"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo; echo "Variables"
	@sed -n -e 's/^\([A-Z][A-Z0-9_]*\) *?= *\([^#]*\)#\t*\(.*\)/  \1\t\3/p' \
		-e 's/^# \(JAVA_HOME\)\t*\(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

deps: ## install what is missing (root, Debian or Ubuntu); nothing to do takes no time
	$(Q).ci/deps

doctor: ## what is here, what is missing, and how to fix it
	$(Q).ci/doctor

build: bpf ## the distribution in target/patchbay (no root needed)
	$(Q)$(MAKE) $(if $(Q),-s) $(DIST)/bin/patchbay
	$(Q).ci/give-back

bpf: ## the BPF programs
	$(Q)+$(BPF)
	$(Q).ci/give-back

test: ## every test: pure, kernel, end to end and in a cluster (root)
	$(Q)$(call need_root, (without root: make test-pure))
	$(Q)$(MAKE) deps
	$(Q)$(MAKE) build
	$(Q)$(MAKE) cluster
	$(if $(TESTS),,$(Q)+$(BPF) check-kernel)
	$(Q)$(call run_tests)

test-pure: bpf ## tests that need no privilege
	$(Q)$(call run_tests,-Ppure)

test-kernel: ## tests of the programs and maps in this kernel (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) deps
	$(Q)$(MAKE) bpf
	$(if $(TESTS),,$(Q)+$(BPF) check-kernel)
	$(Q)$(call run_tests,-Pkernel)

e2e: ## tests in a cluster: real API server, controllers and scheduler (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) deps
	$(Q)$(MAKE) build
	$(Q)$(MAKE) cluster
	$(Q)$(call run_tests,-Pcluster)

cluster: ## the programs of the test cluster, built once and kept outside of the tree
	$(Q).ci/cluster >/dev/null

golden: bpf ## write what is derived again (outcomes in resources/golden, patchbay.yaml, two tables); read the diff
	$(msg) GOLDEN "java/src/test/resources/golden, java/src/main/kubernetes/patchbay.yaml, java/docs/kube-proxy.md, java/docs/metrics.md"
	$(Q)$(MVN) test -Dtest='GoldenTest,KubernetesManifestsTest,KubeProxyConfigurationTest,MetricsTest' -Dsurefire.failIfNoSpecifiedTests=false -Dpatchbay.golden.rewrite=true

bench: ## benchmarks beside direct connections and kube-proxy, with a report in target/bench (root; up to 40 minutes)
	$(Q)$(call need_root)
	$(Q)$(MAKE) bench-tools
	$(Q).ci/bench $(BENCH)

bench-quick: ## the same, roughly, in 3 minutes once everything is built (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) bench-tools
	$(Q).ci/bench --quick $(BENCH)

bench-tools: # what the benchmarks run
	$(Q)$(MAKE) deps
	$(Q)$(MAKE) build
	$(Q)$(MAKE) cluster
	$(Q)+$(BPF) bench
	$(Q)$(MAKE) $(BENCH_PROGRAMS)
	$(Q)$(MVN) test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/test-classpath

BENCH_PROGRAMS = $(patsubst java/src/test/bench/%.c,java/target/bench/%,$(wildcard java/src/test/bench/*.c))

java/target/bench/%: java/src/test/bench/%.c bpf/include/abi.h
	$(msg) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)clang -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Ibpf/include $< -o $@ -Wl,--as-needed -lbpf

bench-readme: ## take the table and the picture of the README from the last run of make bench
	$(msg) README "README.md, java/docs/benchmarks.svg"
	$(Q).ci/bench-readme

demo: ## three Pods, a Service, curl (root); also with DEMO_IPV6=1
	$(Q)$(call need_root)
	$(Q)$(MAKE) deps
	$(Q)$(MAKE) build
	$(Q)java/src/main/examples/demo.sh

jmh: ## microbenchmarks of the control plane (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) bpf
	$(Q)$(call run_jmh,Benchmarks $(JMH))

jmh-smoke: ## each microbenchmark once, small: do they still run? (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) bpf
	$(Q)$(call run_jmh,Benchmarks -bm ss -wi 0 -i 1 -f 1 -p services=100 -p endpoints=10 -p frontends=100 -p hints=true)

jmh-reference: ## run all of them as the agent runs, then with C2, and write java/src/jmh/README.md (root)
	$(Q)$(call need_root)
	$(Q)$(MAKE) bpf
	$(Q)$(call run_jmh,Reference java/src/jmh/README.md $(JMH))

fmt: ## format Java and C
	$(msg) FMT java
	$(Q)$(MVN) spotless:apply
	$(msg) FMT bpf
	$(Q)+$(BPF) fmt

check: ## formatting, shell scripts, headers, bindings in step with what they are generated from
	$(msg) CHECK "Java format"
	$(Q)$(MVN) spotless:check
	$(msg) CHECK "BPF headers, format and ABI"
	$(Q)+$(BPF) check
	$(msg) CHECK "shell scripts"
	$(Q)files=$$(.ci/shell-files); [ -n "$$files" ] || { echo "patchbay: no shell scripts found" >&2; exit 1; }; \
		shellcheck --external-sources $$files
	$(msg) CHECK "links in documents"
	$(Q).ci/check-links
	$(msg) CHECK "bindings"
	$(Q).ci/bindings verify
	$(if $(JEXTRACT),$(Q).ci/bindings compare '$(JEXTRACT)')

bindings: ## generate native/generated again: make bindings JEXTRACT=/path/to/jextract
	$(Q).ci/bindings generate '$(JEXTRACT)'

clean: ## remove everything that was built
	$(Q)rm -rf target java/target native/target bpf/.output

# --- The distribution --------------------------------------------------------------------------------------------------
# `build` comes here after the BPF programs are made. Directories are among the prerequisites so that a deleted source
# counts as a change.
DIST_INPUTS = $(shell find java/src/main native/generated) $(wildcard bpf/.output/*.bpf.o) \
	pom.xml java/pom.xml native/pom.xml

$(DIST)/bin/patchbay: $(DIST_INPUTS)
	$(msg) MAVEN package
	$(Q)rm -rf java/target/lib
	$(Q)$(MVN) package -Dmaven.test.skip=true
	$(msg) DIST $(DIST)
	$(Q)rm -rf $(DIST)
	$(Q)install -d $(DIST)/bin $(DIST)/lib
	$(Q)install -p -m 644 java/target/patchbay.jar java/target/lib/*.jar java/src/main/scripts/jdk.sh $(DIST)/lib
	$(Q)install -p -m 644 LICENSE $(DIST)
	$(Q). $(DIST)/lib/jdk.sh; find_jdk java javac; \
		"$$JDK_HOME/bin/java" java/src/main/scripts/StackMaps.java $(DIST)/lib/*.jar
	$(Q)install -m 755 java/src/main/scripts/patchbay $(DIST)/bin
	$(if $(filter yes,$(AOT)),$(msg) AOT $(DIST)/lib/patchbay.aot)
	$(if $(filter yes,$(AOT)),$(Q)java/src/main/scripts/train-aot $(DIST))

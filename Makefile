# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `cargo build --release` builds the library without this file.
#
# Build and install:
#   make                 build libnbd.so, libnbd.a, the headers and the manual pages
#   make demo            show the library at work; URI=nbd://... uses your own server
#   make install         install below PREFIX (/usr/local), staged in DESTDIR if set
#   make uninstall       remove the installed files
#   make man             write the manual pages only, for man -M target/release/man
#   make header          regenerate the headers in include/
#   make clean           remove the build
#
# Packages:
#   make dist            archives of the committed source and of the library's crates, in
#                        target/release/dist
#   make deb             Debian packages, for apt install, in target/release/deb
#   make packages        build and test the packages of all distributions, in Debian 12, 13
#                        and sid; PLACES=sid selects some
#
# Tests (docs/testing.md):
#   make check           all tests, also with programs of newer releases of Debian;
#                        SYSTEMS=here leaves those out
#   make oracle          a million random conversations against a model of the protocol;
#                        CASES sets the number
#   make differential    random sequences of calls, compared with the C library; SEEDS
#                        selects them (default 1000-1999)
#   make fuzz            libFuzzer, FUZZ_SECONDS for each target (default 600)
#   make mutants         mutation testing of the protocol's code
#   make tsan            data races, with ThreadSanitizer and a nightly toolchain
#   make miri            undefined behaviour in the protocol's code, with a nightly toolchain
#   make soak            leaks in long use, for SOAK_SECONDS (default 180)
#   make deny            licences, sources and advisories of the dependencies
#   make oldest-rust     build and test in Debian 13 with Rust 1.85
#   make portable        build and test for i386, s390x, arm64 and armhf; ARCHITECTURES
#                        selects others, TLS=no leaves out the longest tests
#   make musl            build and test for musl
#   make cargo-c         install with cargo-c in Debian sid, and use the result
#   make librbd          load Ceph's librbd with this library in Debian sid
#
# Benchmarks (docs/performance.md):
#   make bench           compare with the C library, in less than 15 minutes; QUICK=1 takes
#                        less than 2, ROUNDS=3 suits a busy machine, SYSTEM=sid uses the
#                        C library of sid and writes docs/performance.md

CARGO ?= cargo
INSTALL ?= install
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/libnbd
DESTDIR ?=
SOAK_SECONDS ?= 180
SYSTEMS ?= here trixie sid
SYSTEM ?=

# Cargo's output directory.
OUT ?= $(or $(CARGO_TARGET_DIR),target)/$(CARGO_BUILD_TARGET:%=%/)release

VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)

libdir := $(DESTDIR)$(LIBDIR)
includedir := $(DESTDIR)$(INCLUDEDIR)
man3dir := $(DESTDIR)$(MANDIR)/man3
docdir := $(DESTDIR)$(DOCDIR)

# A page for each function, libnbd(3), libnbd-ext(3), and libnbd-security(3).
TABLES = src/capi/functions.tsv src/capi/extensions.tsv
PAGES = $(shell sed -n 's/^\(nbd_[a-z0-9_]*\).*/\1.3/p' $(TABLES)) \
    libnbd.3 libnbd-ext.3 libnbd-security.3
HEADERS = libnbd.h libnbd-ext.h

.PHONY: all man header demo check differential fuzz cargo-c librbd musl oldest-rust oracle portable tsan mutants miri soak deny bench install uninstall dist deb packages clean

all:
	$(CARGO) build --release
	$(MAKE) man '$(OUT)/static/libnbd.a'

# Archives of `make dist` contain the pages.
man:
	if [ -d manual/pages ]; then \
	    mkdir -p '$(OUT)/man' && cp -R manual/pages/man3 '$(OUT)/man'; \
	else \
	    $(CARGO) run --release --package manual -- '$(OUT)/man'; \
	fi

header:
	rm -f $(HEADERS:%=include/%)
	$(CARGO) build --release

demo:
	scripts/install-deps.sh demo
	$(CARGO) build --release --workspace
	OUT='$(OUT)' scripts/demo.sh '$(URI)'

check:
	scripts/install-deps.sh check
	$(CARGO) build --release --workspace
	LIBNBD_TEST_SYSTEMS='$(SYSTEMS)' $(CARGO) test --release --workspace

# make check replays the corpus, which needs no nightly toolchain.
FUZZ_SECONDS ?= 600
FUZZERS := $(basename $(notdir $(wildcard fuzz/corpus/*.hex)))
FUZZ_CORPUS := $(OUT)/fuzz-corpus

fuzz:
	@$(CARGO) +nightly fuzz --version >/dev/null 2>&1 || { \
	    echo 'make fuzz needs a nightly toolchain (rustup toolchain install nightly)' >&2; \
	    echo 'and cargo-fuzz (cargo install cargo-fuzz --locked).' >&2; exit 1; }
	$(CARGO) run --package fuzzing --bin corpus -- unpack '$(FUZZ_CORPUS)'
	for target in $(FUZZERS); do \
	    $(CARGO) +nightly fuzz run --features libfuzzer $$target '$(FUZZ_CORPUS)'/$$target \
	        -- -max_total_time=$(FUZZ_SECONDS) \
	        -max_len=4096 -timeout=20 -print_final_stats=1 || exit; \
	done

# `make check` runs the same test with fewer conversations.
oracle:
	ORACLE_CASES=$(or $(CASES),1000000) $(CARGO) test --release --test oracle

cargo-c:
	scripts/install-deps.sh portable
	$(CARGO) build --release --package memserver
	OUT='$(OUT)' scripts/cargo-c.sh

librbd:
	scripts/install-deps.sh portable
	$(CARGO) build --release
	OUT='$(OUT)' scripts/librbd.sh

musl:
	scripts/install-deps.sh portable
	OUT='$(OUT)' scripts/musl.sh tests

oldest-rust:
	scripts/install-deps.sh portable
	OUT='$(OUT)' scripts/oldest-rust.sh

portable:
	scripts/install-deps.sh portable
	$(CARGO) build --release --package memserver
	OUT='$(OUT)' scripts/portable.sh $(or $(ARCHITECTURES),i386 s390x arm64 armhf)

tsan:
	$(CARGO) build --release --package memserver
	OUT='$(OUT)' scripts/sanitize-threads.sh

# Not optimised, since that would take longer to build than the tests save. Changes without an
# effect are listed in mutants.toml with the reason; any other change that no test notices is
# a failure. Memory is limited, because some changes allocate without end. Changes that keep a
# test from ending count as noticed, although cargo mutants then exits with status 3.
MUTANTS := $(or $(CARGO_TARGET_DIR),target)

mutants:
	@$(CARGO) mutants --version >/dev/null 2>&1 || { \
	    echo 'make mutants needs cargo-mutants (cargo install cargo-mutants --locked).' >&2; \
	    exit 1; }
	ulimit -v 8000000; ORACLE_CASES=2000 $(CARGO) mutants --package mutants \
	    --config tests/mutants/mutants.toml \
	    --output '$(MUTANTS)' -- --lib -- --skip random_conversations::alone; \
	    case $$? in 0|2|3) ! test -s '$(MUTANTS)/mutants.out/missed.txt';; *) exit 1;; esac

# `make check` runs the same program for fewer rounds.
soak:
	$(CARGO) build --release --workspace
	$(CC) -std=gnu99 -O1 -g -pthread -Iinclude -o '$(OUT)/soak' \
	    capi-tests/processes/long-use-leaks-nothing.c -L'$(OUT)' -lnbd
	SOAK_SECONDS=$(SOAK_SECONDS) MEMSERVER='$(OUT)/memserver' \
	    LD_LIBRARY_PATH='$(OUT)' '$(OUT)/soak'

miri:
	scripts/miri.sh

deny:
	scripts/deny.sh

differential:
	scripts/install-deps.sh check
	$(CARGO) build --release --workspace
	DIFFERENTIAL_SEEDS=$(or $(SEEDS),1000-1999) $(CARGO) test --release --test differential

bench:
	scripts/install-deps.sh bench
	$(CARGO) build --release --workspace
	OUT='$(OUT)' scripts/bench.sh '$(SYSTEM)' $(if $(QUICK),--quick) $(ROUNDS:%=--rounds %)

# Installs files that are already built, so that it can run as another user than the build.
# Some targets have static libraries only, such as musl with static programs by default.
install: $(OUT)/static/libnbd.a | $(OUT)/man/man3/libnbd.3
	$(INSTALL) -d '$(libdir)/pkgconfig' '$(includedir)' '$(man3dir)' '$(docdir)'
	if [ -e '$(OUT)/libnbd.so' ]; then \
	    $(INSTALL) -m 755 '$(OUT)/libnbd.so' '$(libdir)/libnbd.so.0.0.0' && \
	    ln -sf libnbd.so.0.0.0 '$(libdir)/libnbd.so.0' && \
	    ln -sf libnbd.so.0 '$(libdir)/libnbd.so'; \
	fi
	$(INSTALL) -m 644 '$(OUT)/static/libnbd.a' '$(libdir)/libnbd.a'
	$(INSTALL) -m 644 $(HEADERS:%=include/%) '$(includedir)'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    pkgconfig/libnbd.pc.in >'$(libdir)/pkgconfig/libnbd.pc'
	chmod 644 '$(libdir)/pkgconfig/libnbd.pc'
	$(INSTALL) -m 644 $(PAGES:%='$(OUT)/man/man3/%') '$(man3dir)'
	$(INSTALL) -m 644 COPYING.LIB '$(docdir)/COPYING.LIB'

# CC must be a compiler for CARGO_BUILD_TARGET.
$(OUT)/static/libnbd.a: $(OUT)/libnbd.a
	CC='$(CC)' scripts/static-library.sh '$<' '$@'

$(OUT)/libnbd.a:
	$(CARGO) build --release

$(OUT)/man/man3/libnbd.3:
	$(MAKE) man

uninstall:
	rm -f '$(libdir)/libnbd.so' '$(libdir)/libnbd.so.0' \
	    '$(libdir)/libnbd.so.0.0.0' '$(libdir)/libnbd.a' \
	    '$(libdir)/pkgconfig/libnbd.pc' $(HEADERS:%='$(includedir)/%') \
	    $(PAGES:%='$(man3dir)/%') '$(docdir)/COPYING.LIB'
	-rmdir '$(docdir)' 2>/dev/null

dist:
	scripts/make-dist.sh '$(OUT)/dist'

# Skips the tests; `DEB_BUILD_OPTIONS= make deb` runs them.
deb: export DEB_BUILD_OPTIONS ?= nocheck
deb:
	scripts/install-deps.sh deb
	scripts/make-dist.sh '$(OUT)/dist'
	scripts/make-deb.sh '$(OUT)/dist' '$(OUT)/deb'

# All packages that tests/install knows; `make check` builds those of this system.
PLACES ?= here again bookworm trixie sid fedora arch alpine

packages:
	scripts/install-deps.sh check
	$(CARGO) build --release --workspace
	LIBNBD_TEST_PACKAGES='$(PLACES)' $(CARGO) test --release --test install -- package

clean:
	$(CARGO) clean

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What C people type. Rust people can use cargo directly: `cargo build --release`
# makes the library without any of this.
#
#   make                 build the library: libnbd.so, libnbd.a and libnbd.h, and
#                        its manual pages
#   make demo            see it at work; URI=nbd://... tours a server of yours
#   make check           run all the tests, real programs in newer releases of Debian
#                        too; SYSTEMS=here leaves those out
#   make fuzz            have the fuzzers look for more, FUZZ_SECONDS each (default 600)
#   make oracle          play a million random conversations against a model of the
#                        protocol; CASES=100000 plays fewer
#   make cargo-c         install with cargo-c, in Debian sid, and use what is there
#   make librbd          load Ceph's librbd with this library, in Debian sid
#   make musl            build and test for musl, in a Debian system that is made for it
#   make oldest-rust     build and test in Debian 13, whose Rust is the oldest that can
#   make portable        build and test for i386, s390x, arm64 and armhf, in Debian sid;
#                        ARCHITECTURES='s390x' for some, riscv64 and ppc64el too;
#                        TLS=no leaves out what takes longest
#   make tsan            look for data races, with a nightly toolchain of Rust and rust-src
#   make mutants         change the protocol's code in a thousand ways that the tests
#                        should notice
#   make miri            look for undefined behaviour in the protocol's code, with such a toolchain
#   make soak            hours of use in SOAK_SECONDS (default 180)
#   make differential    compare more random sequences of calls with the C library;
#                        SEEDS=1000-1999 says which
#   make deny            check the dependencies' licences, sources and advisories
#   make bench           measure against the C library; QUICK=1 for two minutes of it,
#                        ROUNDS=3 PASSES=4 on a busy machine, SYSTEM=sid with the C
#                        library of that release
#   make install         install it below PREFIX, staged in DESTDIR where given
#   make uninstall       remove what was installed
#   make dist            archive the committed source, and the crates of the library, in
#                        target/release/dist
#   make deb             make Debian packages, for apt install, in target/release/deb
#   make packages        build and test the packages of every distribution that there are any
#                        for, in roots of Debian 12, 13 and sid; PLACES=sid chooses some
#   make man             write the manual pages alone, for man -M target/release/man
#   make header          write include/libnbd.h again
#   make clean           remove what was built

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

# Where cargo leaves what it builds.
OUT ?= $(or $(CARGO_TARGET_DIR),target)/$(CARGO_BUILD_TARGET:%=%/)release

VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)

libdir := $(DESTDIR)$(LIBDIR)
includedir := $(DESTDIR)$(INCLUDEDIR)
man3dir := $(DESTDIR)$(MANDIR)/man3
docdir := $(DESTDIR)$(DOCDIR)

# A page for each function, the overview, and what there is to say of security.
PAGES = $(shell sed -n 's/^\(nbd_[a-z0-9_]*\).*/\1.3/p' src/capi/functions.tsv) libnbd.3 libnbd-security.3

.PHONY: all man header demo check differential fuzz cargo-c librbd musl oldest-rust oracle portable tsan mutants miri soak deny bench install uninstall dist deb packages clean

all:
	$(CARGO) build --release
	$(MAKE) man '$(OUT)/static/libnbd.a'

# An archive of `make dist` has the pages.
man:
	if [ -d manual/pages ]; then \
	    mkdir -p '$(OUT)/man' && cp -R manual/pages/man3 '$(OUT)/man'; \
	else \
	    $(CARGO) run --release --package manual -- '$(OUT)/man'; \
	fi

header:
	rm -f include/libnbd.h
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

# The same test plays some of them in `make check`.
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

# Each change takes about two seconds; optimised, its build takes longer than the tests
# gain. Those that change nothing are listed with the reason in mutants.toml; any other
# that the tests do not notice is a failure. Some fill memory without end, hence the limit,
# and some keep a test from ending, which is noticed, too, but no success for cargo mutants.
MUTANTS := $(or $(CARGO_TARGET_DIR),target)

mutants:
	@$(CARGO) mutants --version >/dev/null 2>&1 || { \
	    echo 'make mutants needs cargo-mutants (cargo install cargo-mutants --locked).' >&2; \
	    exit 1; }
	ulimit -v 8000000; ORACLE_CASES=2000 $(CARGO) mutants --package mutants \
	    --config tests/mutants/mutants.toml \
	    --output '$(MUTANTS)' -- --lib -- --skip random_conversations::alone; \
	    case $$? in 0|2|3) ! test -s '$(MUTANTS)/mutants.out/missed.txt';; *) exit 1;; esac

# The same program is run for some rounds by `make check`.
soak:
	$(CARGO) build --release --workspace
	$(CC) -std=gnu99 -O1 -g -pthread -Iinclude -o '$(OUT)/soak' \
	    capi-tests/processes/long-use-leaves-nothing-behind.c -L'$(OUT)' -lnbd
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
	OUT='$(OUT)' scripts/bench.sh '$(SYSTEM)' $(if $(QUICK),--quick) $(ROUNDS:%=--rounds %) $(PASSES:%=--passes %)

# Installs what is there, so that it can run as another user than the build. A target
# may have static libraries only, as musl's where programs are static by default.
install: $(OUT)/static/libnbd.a | $(OUT)/man/man3/libnbd.3
	$(INSTALL) -d '$(libdir)/pkgconfig' '$(includedir)' '$(man3dir)' '$(docdir)'
	if [ -e '$(OUT)/libnbd.so' ]; then \
	    $(INSTALL) -m 755 '$(OUT)/libnbd.so' '$(libdir)/libnbd.so.0.0.0' && \
	    ln -sf libnbd.so.0.0.0 '$(libdir)/libnbd.so.0' && \
	    ln -sf libnbd.so.0 '$(libdir)/libnbd.so'; \
	fi
	$(INSTALL) -m 644 '$(OUT)/static/libnbd.a' '$(libdir)/libnbd.a'
	$(INSTALL) -m 644 include/libnbd.h '$(includedir)/libnbd.h'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    pkgconfig/libnbd.pc.in >'$(libdir)/pkgconfig/libnbd.pc'
	chmod 644 '$(libdir)/pkgconfig/libnbd.pc'
	$(INSTALL) -m 644 $(PAGES:%='$(OUT)/man/man3/%') '$(man3dir)'
	$(INSTALL) -m 644 COPYING.LIB '$(docdir)/COPYING.LIB'

# CC has to be a compiler for CARGO_BUILD_TARGET.
$(OUT)/static/libnbd.a: $(OUT)/libnbd.a
	CC='$(CC)' scripts/static-library.sh '$<' '$@'

$(OUT)/libnbd.a:
	$(CARGO) build --release

$(OUT)/man/man3/libnbd.3:
	$(MAKE) man

uninstall:
	rm -f '$(libdir)/libnbd.so' '$(libdir)/libnbd.so.0' \
	    '$(libdir)/libnbd.so.0.0.0' '$(libdir)/libnbd.a' \
	    '$(libdir)/pkgconfig/libnbd.pc' '$(includedir)/libnbd.h' \
	    $(PAGES:%='$(man3dir)/%') '$(docdir)/COPYING.LIB'
	-rmdir '$(docdir)' 2>/dev/null

dist:
	scripts/make-dist.sh '$(OUT)/dist'

# Without the tests, which `DEB_BUILD_OPTIONS= make deb` runs.
deb: export DEB_BUILD_OPTIONS ?= nocheck
deb:
	scripts/install-deps.sh deb
	scripts/make-dist.sh '$(OUT)/dist'
	scripts/make-deb.sh '$(OUT)/dist' '$(OUT)/deb'

# All the packages that tests/install knows; `make check` has those of this machine.
PLACES ?= here again bookworm trixie sid fedora arch alpine

packages:
	scripts/install-deps.sh check
	$(CARGO) build --release --workspace
	LIBNBD_TEST_PACKAGES='$(PLACES)' $(CARGO) test --release --test install -- package

clean:
	$(CARGO) clean

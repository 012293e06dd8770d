# `make help` lists the targets.
SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
RELEASE := .build/release
# Libraries to build with; what the tests run beside them.
PACKAGES := libssh2-1-dev libyaml-dev libpcre2-dev libssl-dev zlib1g-dev pkg-config \
	openssh-client openssh-server python3 gzip libdeflate-tools

.PHONY: help deps build agent-gz test conformance oracle-templates fuzz-templates demo bench install docs clean

help:
	@echo 'make deps      install what building and testing need (apt-get, as root)'
	@echo 'make build     build gantry and its agent into $(RELEASE)'
	@echo 'make test      run all tests; those on real hosts need root'
	@echo 'make conformance   run Ansible'\''s own tests, as root; TIER=headline: some of them'
	@echo 'make oracle-templates   run what Jinja2'\''s own tests render; make fuzz-templates: made-up expressions, COUNT=4000'
	@echo 'make demo      start three Debian hosts and make a small centre of them'
	@echo 'make bench     measure against ansible, mitogen, pyinfra and ssh; BENCH=quick: only gantry and ssh'
	@echo 'make install   install into $(DESTDIR)$(PREFIX) (PREFIX=..., DESTDIR=...)'
	@echo 'make docs      write docs/modules anew'
	@echo 'make clean     remove what was built'

deps:
	@missing=; for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" -ne 0 ]; then \
	    echo "make: these packages are needed:$$missing" >&2; \
	    echo "  as root: apt-get install$$missing" >&2; exit 1; \
	fi; \
	echo "installing$$missing"; \
	apt-get -qq update </dev/null && \
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing </dev/null >/dev/null

# Stripped by the linker; the agent travels compressed, under a name with its digest.
build: deps
	$(SWIFT) build -c release --static-swift-stdlib -Xlinker -s
	@$(MAKE) --no-print-directory agent-gz

agent-gz:
	@cd $(RELEASE) && name=gantry-agent.$$(sha256sum gantry-agent | cut -c1-16).gz && \
	if [ ! -e "$$name" ]; then rm -f gantry-agent.*.gz; libdeflate-gzip -12 -c gantry-agent >"$$name.new" && mv "$$name.new" "$$name"; fi

test: deps
	@SWIFT='$(SWIFT)' Tests/run

conformance: build
	@Tests/Conformance/run --tier $(or $(TIER),all) --document

oracle-templates: deps
	@SWIFT='$(SWIFT)' Tests/TemplatesTests/oracle/run jinja

fuzz-templates: deps
	@SWIFT='$(SWIFT)' Tests/TemplatesTests/oracle/run fuzz --count $(or $(COUNT),4000) --seconds $(or $(SECONDS),300)

demo:
	@Tests/Demo/demo

bench: build
	@Tests/Bench/bench
	@test "$(BENCH)" = quick || Tests/Bench/inventory

install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/gantry $(DESTDIR)$(PREFIX)/share/gantry
	install -m 755 $(RELEASE)/gantry $(DESTDIR)$(PREFIX)/bin/gantry
	rm -f $(DESTDIR)$(PREFIX)/lib/gantry/gantry-agent*
	install -m 755 $(RELEASE)/gantry-agent $(DESTDIR)$(PREFIX)/lib/gantry/gantry-agent
	install -m 644 $(RELEASE)/gantry-agent.*.gz $(DESTDIR)$(PREFIX)/lib/gantry/
	cp -R Roles Playbooks $(DESTDIR)$(PREFIX)/share/gantry/

docs: build
	rm -rf docs/modules docs/language
	mkdir -p docs/modules docs/language
	$(RELEASE)/gantry doc --markdown docs/modules
	for type in filter test lookup keyword; do $(RELEASE)/gantry doc -t $$type --markdown docs/language; done

clean:
	rm -rf .build .demo

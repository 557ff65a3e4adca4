##@ LuaJIT

LUA_TREE := target/lua/rocks
LUA_PATHS := $(CURDIR)/$(LUA_TREE)/share/lua/5.1/?.lua;$(CURDIR)/$(LUA_TREE)/share/lua/5.1/?/init.lua;$(CURDIR)/tests/lua/?.lua;;

.PHONY: installed-lua test-lua lint-lua bench-lua

# As luarocks installs it, without the network.
installed-lua:
	rm -rf $(LUA_TREE)
	cd bindings/lua && luarocks --lua-version 5.1 --tree $(CURDIR)/$(LUA_TREE) make --deps-mode none --no-manifest >&2

test-lua bench-lua: export LUA_PATH = $(LUA_PATHS)
test-lua bench-lua: export PALITRA_LIBRARY = $(PALITRA_LIBRARY_DIR)/libpalitra.so

## The tests of the LuaJIT package as it is installed
test-lua: all jobs installed-lua
	for file in tests/lua/test_*.lua; do timeout 120 luajit $$file || exit 1; done

## luacheck
lint-lua:
	luarocks lint bindings/lua/*.rockspec
	luacheck --quiet --no-color --std luajit --max-line-length 120 $$(git ls-files '*.lua')

## Ready jobs and gathers from LuaJIT beside a call of the ffi and a switch of coroutines
bench-lua: all installed-lua
	luajit benches/lua/bench.lua

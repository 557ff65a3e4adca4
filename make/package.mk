##@ Package

#   make && sudo make install                             to /usr/local
#   make install PREFIX=$HOME/.local                      to a place of one's own
#   make install PREFIX=/usr DESTDIR=package LIBDIR=lib/x86_64-linux-gnu       for a packager
#
# Builds only what was not built: it may run as another user than `make` did. Nothing that is installed names the
# prefix, so the tree can be moved.

PREFIX ?= /usr/local
LIBDIR ?= lib
INSTALL ?= install

PALITRA_VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The name that programs remember the library by: build.rs makes it of the same constant.
PALITRA_SONAME = libpalitra.so.$(shell sed -n 's/^\#define PALITRA_ABI_VERSION //p' include/palitra.h)
INSTALL_LIBRARIES = $(DESTDIR)$(PREFIX)/$(LIBDIR)
INSTALL_HEADERS = $(DESTDIR)$(PREFIX)/include

# From a folder under the library's to the prefix: ../.. for lib/pkgconfig.
up = $(shell realpath -m --relative-to=/prefix/$(LIBDIR)/$(1) /prefix)
# The size of the pointers of the library, which may be for another machine: by the class in its ELF header.
pointer_size = $(shell expr 4 '*' $$(od -An -tu1 -j4 -N1 $(PALITRA_LIBRARY_DIR)/libpalitra.so))
fill_in = sed -e 's|@version@|$(PALITRA_VERSION)|' -e 's|@libdir@|$(LIBDIR)|' -e 's|@up@|$(call up,$(1))|' \
	-e 's|@soname@|$(PALITRA_SONAME)|' -e 's|@pointer_size@|$(pointer_size)|'

$(PALITRA_LIBRARY_DIR)/libpalitra.so $(PALITRA_LIBRARY_DIR)/libpalitra.a:
	$(MAKE) all

.PHONY: install

## Installs libraries, headers, pkg-config and CMake files: PREFIX=/usr/local DESTDIR= LIBDIR=lib
install: $(PALITRA_LIBRARY_DIR)/libpalitra.so $(PALITRA_LIBRARY_DIR)/libpalitra.a
	$(INSTALL) -d $(INSTALL_LIBRARIES)/pkgconfig $(INSTALL_LIBRARIES)/cmake/palitra $(INSTALL_HEADERS)/palitra/adapters
	$(INSTALL) -m 755 $(PALITRA_LIBRARY_DIR)/libpalitra.so $(INSTALL_LIBRARIES)/$(PALITRA_SONAME)
	ln -sf $(PALITRA_SONAME) $(INSTALL_LIBRARIES)/libpalitra.so
	$(INSTALL) -m 644 $(PALITRA_LIBRARY_DIR)/libpalitra.a $(INSTALL_LIBRARIES)/
	$(INSTALL) -m 644 include/palitra.h bindings/cpp/include/palitra.hpp $(INSTALL_HEADERS)/
	$(INSTALL) -m 644 bindings/cpp/include/palitra/*.hpp bindings/cpp/include/palitra/*.inc $(INSTALL_HEADERS)/palitra/
	# One folder deeper than in the tree, where they need no name of palitra's before theirs.
	set -e; for header in include/adapters/*.h; do \
		sed 's|"../palitra.h"|"../../palitra.h"|' $$header | $(INSTALL) -m 644 /dev/stdin $(INSTALL_HEADERS)/palitra/adapters/$${header##*/}; \
	done
	$(call fill_in,pkgconfig) packaging/palitra.pc.in | $(INSTALL) -m 644 /dev/stdin $(INSTALL_LIBRARIES)/pkgconfig/palitra.pc
	$(call fill_in,cmake/palitra) packaging/palitra-config.cmake.in | \
		$(INSTALL) -m 644 /dev/stdin $(INSTALL_LIBRARIES)/cmake/palitra/palitra-config.cmake
	$(call fill_in,cmake/palitra) packaging/palitra-config-version.cmake.in | \
		$(INSTALL) -m 644 /dev/stdin $(INSTALL_LIBRARIES)/cmake/palitra/palitra-config-version.cmake

##@ Package

#   make && sudo make install                             to /usr/local
#   make install PREFIX=$HOME/.local                      to a place of one's own
#   make install PREFIX=/usr DESTDIR=package LIBDIR=lib/x86_64-linux-gnu       for a packager
#
# Builds only what was not built: it may run as another user than `make` did. Nothing that is installed names the
# prefix, so the tree can be moved; but for /usr, whose folders pkg-config leaves out of what it prints only if they are
# named. docs/packages.md has the variables. Each folder is below PREFIX or, with a slash before it, where it says.

PREFIX ?= /usr/local
BINDIR ?= bin
LIBDIR ?= lib
INCLUDEDIR ?= include
MANDIR ?= share/man
DOCDIR ?= share/doc/palitra
DATADIR ?= share
INSTALL ?= install

PALITRA_VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The name that programs remember the library by: build.rs makes it of the same constant.
PALITRA_SONAME = libpalitra.so.$(shell sed -n 's/^\#define PALITRA_ABI_VERSION //p' include/palitra.h)

prefix := $(abspath $(PREFIX))
place = $(abspath $(if $(filter /%,$(1)),$(1),$(prefix)/$(1)))
bindir := $(call place,$(BINDIR))
libdir := $(call place,$(LIBDIR))
includedir := $(call place,$(INCLUDEDIR))
mandir := $(call place,$(MANDIR))
docdir := $(call place,$(DOCDIR))
datadir := $(call place,$(DATADIR))
# Where bash, zsh and fish look for the completions of what is installed: file>place.
completions = palitra>bash-completion/completions/palitra _palitra>zsh/site-functions/_palitra \
	palitra.fish>fish/vendor_completions.d/palitra.fish
completion_places = $(foreach file,$(completions),$(datadir)/$(lastword $(subst >, ,$(file))))

# The way from one folder to another: ../.. from lib/pkgconfig to the prefix.
way = $(shell realpath -ms --relative-to=$(1) $(2))
# How palitra.pc names its folders.
pc_prefix = $(if $(filter /usr,$(prefix)),/usr,$${pcfiledir}/$(call way,$(libdir)/pkgconfig,$(prefix)))
pc_folder = $(if $(filter /usr,$(prefix)),$(1),$${prefix}/$(call way,$(prefix),$(1)))
# The size of the pointers of the library, which may be for another machine: by the class in its ELF header.
pointer_size = $(shell expr 4 '*' $$(od -An -tu1 -j4 -N1 $(PALITRA_LIBRARY_DIR)/libpalitra.so))
fill_in = sed -e 's|@version@|$(PALITRA_VERSION)|' -e 's|@soname@|$(PALITRA_SONAME)|' \
	-e 's|@pc_prefix@|$(pc_prefix)|' -e 's|@pc_libdir@|$(call pc_folder,$(libdir))|' \
	-e 's|@pc_includedir@|$(call pc_folder,$(includedir))|' \
	-e 's|@up@|$(call way,$(libdir)/cmake/palitra,$(prefix))|' -e 's|@libdir@|$(call way,$(prefix),$(libdir))|' \
	-e 's|@includedir@|$(call way,$(prefix),$(includedir))|' -e 's|@pointer_size@|$(pointer_size)|' $(1)

# One file that is written at its installation: a template, and where to.
define install_filled
$(call fill_in,$(1)) | $(INSTALL) -m 644 /dev/stdin $(DESTDIR)$(2)

endef

$(PALITRA_LIBRARY_DIR)/libpalitra.so $(PALITRA_LIBRARY_DIR)/libpalitra.a:
	$(MAKE) all

$(PALITRA_LIBRARY_DIR)/palitra:
	$(MAKE) command

.PHONY: install install-library install-command install-documents uninstall

## Libraries, headers, pkg-config and CMake files, command, manual: PREFIX=/usr/local DESTDIR= LIBDIR=lib
install: install-library install-command install-documents

## The libraries, their headers, and what pkg-config and CMake need
install-library: $(PALITRA_LIBRARY_DIR)/libpalitra.so $(PALITRA_LIBRARY_DIR)/libpalitra.a
	# The prefix, too: palitra.pc names the other folders by their way from it.
	$(INSTALL) -d $(addprefix $(DESTDIR),$(prefix) $(libdir)/pkgconfig $(libdir)/cmake/palitra) \
		$(DESTDIR)$(includedir)/palitra/adapters
	$(INSTALL) -m 755 $(PALITRA_LIBRARY_DIR)/libpalitra.so $(DESTDIR)$(libdir)/$(PALITRA_SONAME)
	ln -sf $(PALITRA_SONAME) $(DESTDIR)$(libdir)/libpalitra.so
	$(INSTALL) -m 644 $(PALITRA_LIBRARY_DIR)/libpalitra.a $(DESTDIR)$(libdir)/
	$(INSTALL) -m 644 include/palitra.h $(addprefix bindings/cpp/include/palitra,.hpp .cppm) $(DESTDIR)$(includedir)/
	$(INSTALL) -m 644 $(wildcard bindings/cpp/include/palitra/*.hpp bindings/cpp/include/palitra/*.inc) \
		$(DESTDIR)$(includedir)/palitra/
	# One folder deeper than in the tree, where they need no name of palitra's before theirs.
	set -e; for header in include/adapters/*.h; do \
		sed 's|"../palitra.h"|"../../palitra.h"|' $$header | \
			$(INSTALL) -m 644 /dev/stdin $(DESTDIR)$(includedir)/palitra/adapters/$${header##*/}; \
	done
	$(foreach name,palitra palitra-static,$(call install_filled,packaging/$(name).pc.in,$(libdir)/pkgconfig/$(name).pc))
	$(foreach name,palitra-config palitra-config-version,$(call \
		install_filled,packaging/$(name).cmake.in,$(libdir)/cmake/palitra/$(name).cmake))

## The command palitra, and its completions for bash, zsh and fish
install-command: $(PALITRA_LIBRARY_DIR)/palitra
	$(INSTALL) -d $(DESTDIR)$(bindir) $(addprefix $(DESTDIR),$(dir $(completion_places)))
	$(INSTALL) -m 755 $(PALITRA_LIBRARY_DIR)/palitra $(DESTDIR)$(bindir)/
	$(foreach file,$(completions),$(INSTALL) -m 644 packaging/completions/$(subst >, $(DESTDIR)$(datadir)/,$(file)) &&) :

## The manual, the licence, and the licences of what is compiled in
install-documents: | $(THIRD_PARTY)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(mandir)/man1 $(mandir)/man3 $(docdir))
	$(call install_filled,packaging/man/palitra.1.in,$(mandir)/man1/palitra.1)
	awk -v folder=$(DESTDIR)$(mandir)/man3 -v version=$(PALITRA_VERSION) -f packaging/man/header.awk include/palitra.h
	chmod 644 $(DESTDIR)$(mandir)/man3/palitra*.3
	$(INSTALL) -m 644 LICENSE README.md CHANGELOG.md $(THIRD_PARTY) $(DESTDIR)$(docdir)/

# The folders of palitra's own go whole, of others its files; what then is empty stays, as others may expect it.
## Removes what `make install` with the same variables installed
uninstall:
	rm -f $(DESTDIR)$(bindir)/palitra $(addprefix $(DESTDIR)$(libdir)/,libpalitra.so $(PALITRA_SONAME) libpalitra.a) \
		$(addprefix $(DESTDIR)$(libdir)/pkgconfig/,palitra.pc palitra-static.pc) \
		$(addprefix $(DESTDIR)$(includedir)/palitra,.h .hpp .cppm) \
		$(addprefix $(DESTDIR),$(completion_places)) \
		$(DESTDIR)$(mandir)/man1/palitra.1 $(addprefix $(DESTDIR)$(mandir)/man3/,palitra.3 palitra_*.3)
	rm -rf $(addprefix $(DESTDIR),$(libdir)/cmake/palitra $(includedir)/palitra $(docdir))

# Builds the command, which other tests do without: not part of `make test`.
.PHONY: test-install

## All of `make install` below an empty DESTDIR, used from outside the tree, and uninstalled
test-install:
	tests/package/install.sh

.PHONY: test-crate

## The crates as they would be published: packaged, unpacked, and built by a crate of jobs
test-crate:
	tests/package/crate.sh

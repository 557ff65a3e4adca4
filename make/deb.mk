##@ Debian packages

# Of what `make` has built, as for install, in a copy of the tree; packaging/debian/rules builds them from source, too.
# Needs debhelper and dh-python; not part of `make test`.

# What stands behind the version: a packager counts up.
DEB_REVISION ?= 1
DEB_FOLDER := target/deb
DEB_TREE = $(DEB_FOLDER)/palitra-$(PALITRA_VERSION)
# Of the last commit, so that the packages are the same whoever builds them.
DEB_DATE = $(shell git log -1 --format=%cD)

.PHONY: deb test-deb

## target/deb/*.deb: libpalitra1, libpalitra-dev, palitra, python3-palitra
deb: $(addprefix $(PALITRA_LIBRARY_DIR)/,libpalitra.so libpalitra.a palitra) $(THIRD_PARTY)
	@command -v dh >/dev/null && command -v dh_python3 >/dev/null || \
		{ echo "make deb: debhelper and dh-python are missing" >&2; exit 1; }
	rm -rf $(DEB_FOLDER)
	mkdir -p $(DEB_TREE)
	git ls-files -z | xargs -0 cp --parents --no-dereference -t $(DEB_TREE)
	cp -r packaging/debian $(DEB_TREE)/debian
	cp --parents $(THIRD_PARTY) $(DEB_TREE)
	printf 'palitra (%s) unstable; urgency=medium\n\n  * CHANGELOG.md says what changed.\n\n -- %s  %s\n' \
		"$(PALITRA_VERSION)-$(DEB_REVISION)" "$$(sed -n 's/^Maintainer: //p' packaging/debian/control)" \
		"$(DEB_DATE)" >$(DEB_TREE)/debian/changelog
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PALITRA_BUILT=$(PALITRA_LIBRARY_DIR) \
		dpkg-buildpackage --build=binary --no-sign -d
	rm -rf $(DEB_TREE)

# Needs lintian, root, and mmdebstrap with Debian's archive; SUITES=this needs neither of these two.
## The packages in a Debian of their own: lintian, install, build, upgrade, remove, purge. SUITES="bookworm trixie this"
test-deb: deb
	tests/package/deb.sh

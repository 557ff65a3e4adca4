##@ Perl

PERL_PACKAGE := target/perl/package
PERL_HOME := $(CURDIR)/target/perl/home
PERL_FILES = $(shell git ls-files '*.pl' '*.pm' '*.t' '*.PL')

.PHONY: installed-perl test-perl lint-perl format-perl bench-perl

# As ExtUtils::MakeMaker installs it, which writes into its folder.
installed-perl:
	rm -rf $(PERL_PACKAGE) $(PERL_HOME)
	mkdir -p $(dir $(PERL_PACKAGE))
	cp -r bindings/perl $(PERL_PACKAGE)
	cd $(PERL_PACKAGE) && perl Makefile.PL INSTALL_BASE=$(PERL_HOME) >/dev/null
	cd $(PERL_PACKAGE) && env -u MAKEFLAGS -u MFLAGS $(MAKE) install >/dev/null

test-perl bench-perl: export PERL5LIB = $(PERL_HOME)/lib/perl5
test-perl bench-perl: export PALITRA_LIBRARY = $(PALITRA_LIBRARY_DIR)/libpalitra.so

## The tests of the Perl package as it is installed
test-perl: all jobs installed-perl
	timeout 300 prove --timer tests/perl

## perltidy and perlcritic
lint-perl:
	for file in $(PERL_FILES); do perltidy -pro=bindings/perl/.perltidyrc --assert-tidy -o /dev/null $$file || exit 1; done
	perlcritic --profile bindings/perl/.perlcriticrc --quiet $(PERL_FILES)

## perltidy
format-perl:
	perltidy -pro=bindings/perl/.perltidyrc -b -bext=/ $(PERL_FILES)

## Ready jobs and gathers from Perl beside a round trip to a forked child
bench-perl: all installed-perl
	perl benches/perl/bench.pl

##@ Ruby

RUBY_PACKAGE := target/ruby/package
# Where the gem is installed; what it and the tests need are Debian's packages: tests/setup.sh.
RUBY_HOME := $(CURDIR)/target/ruby/home

.PHONY: ruby-gem installed-ruby test-ruby lint-ruby format-ruby bench-ruby

# As it is installed: Ruby, and the library that was built.
## The gem: target/ruby/palitra-VERSION-PLATFORM.gem
ruby-gem: all $(THIRD_PARTY)
	rm -rf $(RUBY_PACKAGE) target/ruby/*.gem
	mkdir -p $(RUBY_PACKAGE)
	cp -r bindings/ruby/. $(RUBY_PACKAGE)
	cp $(PALITRA_LIBRARY_DIR)/libpalitra.so $(RUBY_PACKAGE)/lib/palitra
	cp $(THIRD_PARTY) $(RUBY_PACKAGE)
	# The gem has the rights that the files have: the same whoever builds it.
	chmod -R u=rwX,go=rX $(RUBY_PACKAGE)
	cd $(RUBY_PACKAGE) && $(dated) gem build --quiet palitra.gemspec && mv *.gem ..

installed-ruby: ruby-gem
	rm -rf $(RUBY_HOME)
	gem install --quiet --silent --local --no-document --ignore-dependencies --install-dir $(RUBY_HOME) target/ruby/*.gem

# Without PALITRA_LIBRARY, so that the gem finds its own.
RUBY = env -u PALITRA_LIBRARY GEM_PATH=$(RUBY_HOME):$(shell gem env gempath 2>/dev/null) ruby -w

## The tests of the gem as it is installed
test-ruby: export NO_PROXY := 127.0.0.1,localhost
test-ruby: jobs installed-ruby
	$(RUBY) -Itests/ruby -e 'Dir["tests/ruby/test_*.rb"].sort.each { |file| require File.expand_path(file) }'

RUBY_FILES = $(shell git ls-files '*.rb' '*.gemspec')

## rubocop
lint-ruby:
	rubocop --config bindings/ruby/.rubocop.yml --cache false $(RUBY_FILES)

## rubocop: the format, and what it can mend itself
format-ruby:
	rubocop --config bindings/ruby/.rubocop.yml --cache false --autocorrect $(RUBY_FILES)

## Ready jobs and gathers from Ruby beside a hand-off to a thread, and HTTP beside Net::HTTP
bench-ruby: export NO_PROXY := 127.0.0.1,localhost
bench-ruby: jobs installed-ruby
	$(RUBY) benches/ruby/bench.rb

##@ PHP

PHP_PACKAGE := target/php/palitra

.PHONY: php-package test-php lint-php format-php bench-php

# As it is installed: PHP, and the library that was built.
## The PHP package: the folder target/php/palitra and its archive palitra-VERSION.tar.gz
php-package: all $(THIRD_PARTY)
	rm -rf target/php
	mkdir -p target/php
	cp -r bindings/php $(PHP_PACKAGE)
	rm $(PHP_PACKAGE)/phpcs.xml
	cp $(PALITRA_LIBRARY_DIR)/libpalitra.so $(PHP_PACKAGE)/src
	cp $(THIRD_PARTY) $(PHP_PACKAGE)
	tar -czf target/php/palitra-$(PALITRA_VERSION).tar.gz -C target/php palitra

# Without PALITRA_LIBRARY, so that the package finds its own.
PHP = env -u PALITRA_LIBRARY PALITRA_PHP=$(CURDIR)/$(PHP_PACKAGE) php

## The tests of the PHP package as it is installed
test-php: export NO_PROXY := 127.0.0.1,localhost
test-php: jobs php-package
	$(PHP) tests/php/main.php

PHP_FILES = $(shell git ls-files '*.php')

## php -l and phpcs
lint-php:
	for file in $(PHP_FILES); do php -l $$file >/dev/null || exit 1; done
	phpcs --standard=bindings/php/phpcs.xml $(PHP_FILES)

## phpcbf
format-php:
	phpcbf --standard=bindings/php/phpcs.xml $(PHP_FILES)

## Ready jobs and gathers from PHP beside a plain call over FFI, and HTTP beside curl_multi
bench-php: export NO_PROXY := 127.0.0.1,localhost
bench-php: php-package
	$(PHP) benches/php/bench.php

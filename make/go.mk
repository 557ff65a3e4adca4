##@ Go

# A copy in which pkg-config finds libpalitra, as a user has it.
target/go/installed: all
	rm -rf $@
	$(MAKE) install-library PREFIX=$(CURDIR)/$@ DESTDIR= LIBDIR=lib

.PHONY: test-go lint-go format-go bench-go target/go/installed

## The Go binding's tests, also with the race detector; brings Go itself
test-go: export NO_PROXY := 127.0.0.1,localhost
test-go: jobs target/go/installed $(GO_ENVIRONMENT)/made
	tests/go/test.sh

# vet compiles, with cgo: it wants the header and a library to link with in each of the two ways.
## gofmt and go vet
lint-go: jobs target/go/installed $(GO_ENVIRONMENT)/made
	tests/go/lint.sh

## gofmt
format-go: $(GO_ENVIRONMENT)/made
	GO_DIRECTORY=$(CURDIR) tests/go/go.sh jobs gofmt -w $$(git ls-files '*.go')

## Run beside a round trip between two goroutines, and the other ways of waiting
bench-go: jobs $(GO_ENVIRONMENT)/made
	tests/go/go.sh jobs go test -run xxx -bench . .

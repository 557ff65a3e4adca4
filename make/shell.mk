##@ Shell

.PHONY: lint-shell

## shellcheck
lint-shell: $(TOOLS)/made
	$(SHELLCHECK) $(SHELL_FILES)

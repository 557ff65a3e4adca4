# Prints the documented targets of makefiles, in groups: see the top of Makefile. Text above a group's first ##@ line
# and targets without a comment of two hashes are left out.

/^##@ / {
    printf "%s%s\n", groups++ ? "\n" : "", substr($0, 5)
    next
}

/^## / {
    text = substr($0, 4)
    next
}

text != "" && /^[a-z-]+:/ {
    printf "  make %-18s %s\n", substr($1, 1, index($1, ":") - 1), text
    text = ""
}

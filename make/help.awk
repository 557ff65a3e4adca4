# Prints the documented targets of makefiles, in their groups. A comment `## text` documents the target below it,
# `##@ name` begins a group.

/^##@ / {
    printf "%s%s\n", groups++ ? "\n" : "", substr($0, 5)
}

/^## / {
    text = substr($0, 4)
}

text != "" && /^[a-z-]+:/ {
    printf "  make %-14s %s\n", substr($1, 1, index($1, ":") - 1), text
    text = ""
}

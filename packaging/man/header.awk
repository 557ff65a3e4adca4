# Writes the manual pages of the C ABI from include/palitra.h: NAME.3 for each function, and palitra.3 with what the
# header says before them, its sections, types and constants.
#
#     awk -v folder=DIR -v version=VERSION -f header.awk include/palitra.h
#
# The header is as regular as its generator makes it: a banner begins a section, a comment /** stands before what it
# documents, and an empty line, another comment or the end of a #define ends that.

BEGIN { overview = folder "/palitra.3"; state = "code" }

# --- what the header is made of -------------------------------------------------------------------------------------

/^\/\* -+$/ { state = "banner"; text = ""; next }
state == "banner" && /-- \*\/$/ { begin_section(text); state = "code"; next }
state == "banner" { text = text bare($0) " "; next }

NR == 1 { state = "top"; begin_overview(); next }
state == "top" && /^ \*\/$/ { end_top(); state = "code"; next }
state == "top" { top = top bare($0) "\n"; next }

/^\/\*\* .*\*\/$/ { text = $0; sub(/^\/\*\* /, "", text); sub(/ *\*\/$/, "", text); begin_item(text "\n"); next }
/^\/\*\*$/ { state = "comment"; text = ""; next }
state == "comment" && /^ \*\/$/ { begin_item(text); next }
state == "comment" { text = text bare($0) "\n"; next }

state == "item" && /^$/ { end_item(); next }
state == "item" { declaration = declaration $0 "\n"; if (declaration ~ /^#define/ && !/\\$/) end_item() }

END { end_overview() }

# The text of a line of a comment.
function bare(line) { sub(/^ \* ?/, "", line); return line }

function begin_item(comment) { state = "item"; item = comment; declaration = "" }

function end_item(    name) {
    state = "code"
    name = declaration
    if (declaration ~ /^(typedef|#define)/ || declaration !~ /\(/) {
        types = types code(declaration) prose(item)
        return
    }
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    functions = functions ".TP\n.BR " name " (3)\n" roff(summary(item)) "\n"
    write_function(folder "/" name ".3", name)
}

# --- pages ----------------------------------------------------------------------------------------------------------

function title(page, name) {
    printf ".\\\" Written by packaging/man/header.awk from palitra.h.\n" > page
    printf ".TH %s 3 \"\" \"palitra %s\" \"C ABI of palitra\"\n", name, version > page
}

function write_function(page, name,    what) {
    title(page, name)
    what = summary(item)
    sub(/\.$/, "", what)
    printf ".SH NAME\n%s \\- %s\n", name, roff(what) > page
    printf ".SH LIBRARY\npalitra (\\fIlibpalitra\\fR, \\fI\\-lpalitra\\fR)\n" > page
    printf ".SH SYNOPSIS\n.B #include <palitra.h>\n.PP\n%s", code(declaration) > page
    printf ".SH DESCRIPTION\n%s", prose(item) > page
    printf ".SH SEE ALSO\n.BR palitra (3)\n" > page
    close(page)
}

function begin_overview() { title(overview, "palitra") }

function end_top(    named) {
    named = summary(top)
    sub(/^palitra: /, "", named)
    sub(/\.$/, "", named)
    printf ".SH NAME\npalitra \\- %s\n", roff(named) > overview
    printf ".SH LIBRARY\npalitra (\\fIlibpalitra\\fR, \\fI\\-lpalitra\\fR)\n" > overview
    printf ".SH SYNOPSIS\n.B #include <palitra.h>\n" > overview
    sub(/^[^\n]*\n\n/, "", top)
    printf ".SH DESCRIPTION\n%s.SH FUNCTIONS\n", prose(top) > overview
}

function begin_section(banner,    heading) {
    heading = banner
    sub(/: .*/, "", heading)
    sub(/^[^:]*: /, "", banner)
    functions = functions ".SS " heading "\n" roff(capital(banner)) "\n"
    types = types ".SS " heading "\n"
}

function end_overview() {
    printf "%s.SH TYPES AND CONSTANTS\n%s", functions, types > overview
    printf ".SH SEE ALSO\n.BR palitra (1),\n.BR pkg\\-config (1)\n" > overview
    close(overview)
}

# --- roff -----------------------------------------------------------------------------------------------------------

# The first sentence, on one line.
function summary(comment) {
    sub(/\n\n.*/, "", comment)
    gsub(/\n/, " ", comment)
    if (match(comment, /\. [A-Z]/)) comment = substr(comment, 1, RSTART)
    sub(/ *$/, "", comment)
    return comment
}

function capital(words) { return toupper(substr(words, 1, 1)) substr(words, 2) }

function roff(words) {
    gsub(/\\/, "\\e", words)
    gsub(/-/, "\\-", words)
    if (words ~ /^[.']/) words = "\\&" words
    return words
}

function code(lines,    count, each, out, i) {
    count = split(lines, each, "\n")
    out = ".EX\n"
    for (i = 1; i < count; i++) out = out roff(each[i]) "\n"
    return out ".EE\n"
}

# A comment: paragraphs, lines of code that are set in by four, @param NAME, @return, and items of a list.
function prose(comment,    count, each, out, i, line, name, in_code, fresh) {
    count = split(comment, each, "\n")
    out = ".PP\n"
    fresh = 1
    for (i = 1; i <= count; i++) {
        line = each[i]
        if (line ~ /^    / && (in_code || fresh)) {
            if (!in_code) out = out ".EX\n"
            in_code = 1
            out = out roff(line) "\n"
            continue
        }
        if (in_code && line == "") { out = out "\n"; continue }
        if (in_code) { out = out ".EE\n.PP\n"; in_code = 0; fresh = 1 }
        sub(/^ +/, "", line)
        if (line == "") { if (!fresh) out = out ".PP\n"; fresh = 1; continue }
        fresh = 0
        if (line ~ /^@param /) {
            name = line
            sub(/^@param +/, "", name)
            line = name
            sub(/ .*/, "", name)
            sub(/^[^ ]+ +/, "", line)
            out = out ".TP\n.I " name "\n" roff(line) "\n"
        } else if (line ~ /^@return/) {
            sub(/^@return +/, "", line)
            out = out ".SS Return value\n" roff(capital(line)) "\n"
        } else if (line ~ /^- /) {
            out = out ".IP \\(bu 2\n" roff(substr(line, 3)) "\n"
        } else {
            out = out roff(line) "\n"
        }
    }
    if (in_code) out = out ".EE\n"
    sub(/(\.PP\n)+$/, "", out)
    return out
}

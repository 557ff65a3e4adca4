#!/bin/sh
# The module: programs of the binding's README, with `import palitra;` in place of the header, do what they say; and it
# exports every name that the headers have outside of `detail`.
#
#     module.sh CLANG     PALITRA_LIBRARY_DIR: where libpalitra.so is (default: target/release)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
libraries=${PALITRA_LIBRARY_DIR:-$root/target/release}
headers=$root/bindings/cpp/include/palitra
module=$root/bindings/cpp/include/palitra.cppm
clang=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is declared in the first column, of which the headers have nothing but their namespaces' members there.
for header in "$headers"/*.hpp; do
    case $header in */asio.hpp | */execution.hpp) continue ;; esac
    awk '/^namespace .*detail/ { inside = 1 } /^} \/\/ namespace .*detail/ { inside = 0 }
        /^namespace [^{]*{$/ || /^(template|namespace|#|\/|}|struct std::)/ || inside { next }
        { sub(/^(\[\[[a-z]*\]\] |inline |constexpr |const |auto )+/, "") }
        /^(class|struct|enum class|enum) / { sub(/^(class|struct|enum class|enum) (\[\[[a-z]*\]\] )?/, "")
            if (!/<.*[{]$/ && match($0, /^[A-Za-z_]+/)) print substr($0, 1, RLENGTH); next }
        /^using [A-Za-z_]+ =/ { print $2; next }
        /^operator co_await/ { print "operator co_await"; next }
        /^[A-Za-z].*[({]/ || /^Timeout [a-z_]+ =/ { gsub(/<[^<>]*>/, ""); sub(/[({=].*/, ""); sub(/ +$/, ""); sub(/.* /, ""); print }' "$header"
done | sort -u >"$work/declared"
sed -n 's/^using palitra::\(http::\)\{0,1\}\(.*\);$/\2/p' "$module" | sort -u >"$work/exported"
missing=$(comm -23 "$work/declared" "$work/exported")
if [ -n "$missing" ] || [ "$(wc -l <"$work/declared")" -lt 50 ]; then
    echo "module.sh: palitra.cppm does not export $missing" >&2
    exit 1
fi

flags="-std=c++20 -Wall -Wextra -Wpedantic -Werror -pthread -I$root/include -I$root/bindings/cpp/include"
# shellcheck disable=SC2086 # one word a flag
"$clang" $flags --precompile "$module" -o "$work/palitra.pcm"
for program in hello calls; do
    awk -v name="// $program.cpp" '/^```cpp$/ { getline; if (index($0, name) == 1) inside = 1 }
        /^```$/ { inside = 0 } inside' "$root/bindings/cpp/README.md" |
        sed 's/^#include <palitra.hpp>$/import palitra;/' >"$work/$program.cpp"
    grep -q '^import palitra;$' "$work/$program.cpp"
    # shellcheck disable=SC2086 # one word a flag
    "$clang" $flags -fmodule-file=palitra="$work/palitra.pcm" "$work/$program.cpp" -o "$work/$program" \
        -L "$libraries" -Wl,-rpath,"$libraries" -lpalitra
done
if [ "$("$work/hello")" != "$(printf 'hello\n{"seconds":0.1}')" ] || ! timeout 60 "$work/calls" >/dev/null; then
    echo "module.sh: what imports the module does not do what it says" >&2
    exit 1
fi
echo "the module exports $(wc -l <"$work/declared") names, and programs import it"

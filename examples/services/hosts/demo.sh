#!/bin/sh
# Runs the four hosts, one after the other. ../servers.py runs this with servers:
#
#     python3 ../servers.py ./demo.sh FOLDER LIBRARY [PYTHON]
#
# FOLDER has what build.sh compiled, LIBRARY is libexample_services.so, PYTHON one that finds palitra.
set -eu

hosts=$(cd "$(dirname "$0")" && pwd)
for language in c cpp go; do
    echo "--- $language"
    "$1/host-$language"
done
echo "--- python"
"${3:-python3}" "$hosts/host.py" "$2"

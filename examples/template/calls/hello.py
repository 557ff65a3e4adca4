"""Calls the jobs of the library that the command line names."""

import sys

import palitra

library = palitra.load(sys.argv[1])
print(library.run(library.job("greet.hello", name="Python"))["text"])
for word in library.iterate(library.job("greet.words", "one by one")):
    print(word)

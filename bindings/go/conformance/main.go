//go:build palitra_test_jobs

// Command conformance carries out the steps of a file of conformance scenarios through the Go API and prints the
// outcome of each. tests/conformance/README.md describes the format and what each verb means.
//
//	conformance FILE
//
// It judges nothing and exits with 0 when it has come to the end of the file.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance FILE")
		os.Exit(2)
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer file.Close()
	scenario, number, h := "", 0, newHost()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Split(lines.Text(), " ")
		if words[0] == "scenario" {
			h.freeEverything()
			scenario, number, h = words[1], 0, newHost()
			continue
		}
		number++
		// Not buffered: each line is out before the next step.
		fmt.Printf("%s\t%d\t%s\n", scenario, number, h.carryOut(words))
	}
	h.freeEverything()
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

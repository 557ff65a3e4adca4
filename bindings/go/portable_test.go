//go:build palitra_test_jobs && !race && !asan

package palitra_test

import (
	"errors"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"
)

// The package asks nothing of Go's library that only Linux has: it compiles for other Unixes as far as that can be
// seen without their C compilers.
func TestPackageCompilesForOtherUnixes(t *testing.T) {
	if os.Getenv("PALITRA_TEST_CONTEXT") == "ending" {
		t.Skip("it has no context")
	}
	defer func(before build.Context) { build.Default = before }(build.Default)
	for _, system := range []string{"darwin", "freebsd"} {
		t.Run(system, func(t *testing.T) {
			build.Default.GOOS, build.Default.CgoEnabled = system, true
			found, err := build.ImportDir(".", 0)
			if err != nil {
				t.Fatal(err)
			}
			set := token.NewFileSet()
			var files []*ast.File
			for _, name := range append(found.GoFiles, found.CgoFiles...) {
				file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			// Go's own library is read without cgo, which would start a C compiler.
			build.Default.CgoEnabled = false
			var errs []error
			check := types.Config{
				FakeImportC: true,
				Importer:    importer.ForCompiler(set, "source", nil),
				Error: func(err error) {
					// C's types are unknown here, and so is what is said of them.
					if !strings.Contains(err.Error(), "invalid type") {
						errs = append(errs, err)
					}
				},
			}
			if check.Check(found.ImportPath, set, files, nil); len(errs) > 0 {
				t.Error(errors.Join(errs...))
			}
		})
	}
}

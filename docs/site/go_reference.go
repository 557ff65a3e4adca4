// Writes the reference of a Go package as Markdown, from its comments: go run docs/site/go_reference.go FOLDER.
//
// As `go doc -all` does, for what the package exports; links between its names lead to their headings.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"strings"
)

type page struct {
	files *token.FileSet
	pkg   *doc.Package
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run docs/site/go_reference.go FOLDER")
	}
	p, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	p.write()
}

// read parses the files of the package that a build on this machine takes, and the tests, for their examples.
func read(folder string) (*page, error) {
	built, err := build.ImportDir(folder, 0)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	var parsed []*ast.File
	names := append(append(append(built.GoFiles, built.CgoFiles...), built.TestGoFiles...), built.XTestGoFiles...)
	for _, name := range names {
		file, err := parser.ParseFile(files, filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	pkg, err := doc.NewFromFiles(files, parsed, "palitra.example/bindings/go")
	return &page{files, pkg}, err
}

func (p *page) write() {
	fmt.Printf("# Go reference\n\n```go\nimport %s \"%s\"\n```\n\n", p.pkg.Name, p.pkg.ImportPath)
	p.textBelow(2, p.pkg.Doc)
	p.examples(p.pkg.Examples)
	p.values("Constants", p.pkg.Consts)
	p.values("Variables", p.pkg.Vars)
	fmt.Print("## Functions\n\n")
	p.functions(p.pkg.Funcs)
	for _, t := range p.pkg.Types {
		p.heading(2, t.Name, "type "+t.Name)
		p.code(t.Decl)
		p.text(t.Doc)
		p.examples(t.Examples)
		for _, value := range append(t.Consts, t.Vars...) {
			p.value(value)
		}
		p.functions(t.Funcs)
		p.functions(t.Methods)
	}
}

// heading writes a heading that links can name.
func (p *page) heading(level int, anchor, title string) {
	fmt.Printf("(go-%s)=\n%s %s\n\n", strings.ToLower(anchor), strings.Repeat("#", level), title)
}

func (p *page) values(title string, values []*doc.Value) {
	if len(values) == 0 {
		return
	}
	fmt.Printf("## %s\n\n", title)
	for _, value := range values {
		p.value(value)
	}
}

func (p *page) value(value *doc.Value) {
	for _, name := range value.Names {
		if ast.IsExported(name) {
			fmt.Printf("(go-%s)=\n", strings.ToLower(name))
		}
	}
	p.code(value.Decl)
	p.text(value.Doc)
}

func (p *page) functions(functions []*doc.Func) {
	for _, function := range functions {
		anchor, title := function.Name, "func "+function.Name
		if function.Recv != "" {
			receiver := strings.TrimLeft(strings.SplitN(function.Recv, "[", 2)[0], "*")
			anchor, title = receiver+"."+function.Name, receiver+"."+function.Name
		}
		p.heading(3, anchor, title)
		p.code(function.Decl)
		p.text(function.Doc)
		p.examples(function.Examples)
	}
}

func (p *page) code(node any) {
	if function, ok := node.(*ast.FuncDecl); ok {
		function.Body = nil
		function.Doc = nil
	}
	if general, ok := node.(*ast.GenDecl); ok {
		general.Doc = nil
	}
	p.print(node)
}

func (p *page) print(node any) {
	var out bytes.Buffer
	if err := format.Node(&out, p.files, node); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("```go\n%s\n```\n\n", strings.TrimSpace(out.String()))
}

func (p *page) examples(examples []*doc.Example) {
	for _, example := range examples {
		fmt.Printf("**%s**\n\n", strings.TrimSpace("Example "+example.Suffix))
		p.text(example.Doc)
		if example.Play != nil {
			p.print(example.Play)
		} else {
			p.print(example.Code)
		}
		if example.Output != "" {
			fmt.Printf("```text\n%s```\n\n", example.Output)
		}
	}
}

func (p *page) text(text string) {
	p.textBelow(4, text)
}

// textBelow writes a comment: its headings have a level of this page, its links lead to this page.
func (p *page) textBelow(level int, text string) {
	printer := p.pkg.Printer()
	printer.HeadingLevel = level
	printer.HeadingID = func(*comment.Heading) string { return "" }
	printer.DocLinkURL = func(link *comment.DocLink) string {
		if link.ImportPath != "" && link.ImportPath != p.pkg.ImportPath {
			return ""
		}
		name := link.Name
		if link.Recv != "" {
			name = link.Recv + "." + link.Name
		}
		return "#go-" + strings.ToLower(name)
	}
	markdown := string(printer.Markdown(p.pkg.Parser().Parse(text)))
	fmt.Print(fenced(markdown), "\n")
}

// fenced has indented code stand in a fence, which names its language.
func fenced(markdown string) string {
	var out strings.Builder
	var code []string
	flush := func() {
		if len(code) > 0 {
			text := strings.TrimSpace(strings.Join(code, "\n"))
			fmt.Fprintf(&out, "```%s\n%s\n```\n\n", language(text), text)
			code = nil
		}
	}
	for _, line := range strings.Split(markdown, "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			code = append(code, line[1:])
		case line == "" && code != nil:
			code = append(code, "")
		default:
			flush()
			out.WriteString(line + "\n")
		}
	}
	flush()
	return out.String()
}

// language tells Go from tables and commands, which are indented as well.
func language(code string) string {
	for _, source := range []string{"package p\n" + code, "package p\nfunc _() {\n" + code + "\n}"} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", source, 0); err == nil {
			return "go"
		}
	}
	return "text"
}

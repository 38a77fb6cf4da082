package console

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

var rewrite = flag.Bool("rewrite", false, "write descriptions.json anew")

// TestDescriptions holds the OpenAPI document's words to the comments in the source.
func TestDescriptions(t *testing.T) {
	comments := map[string]string{}
	for _, dir := range []string{".", "api", "../admin", "../inbox", "../outbox", "../event", "../projection", "../saga", "../streams"} {
		readComments(t, dir, comments)
	}
	used := map[string]string{}
	for owner := range documentTypes() {
		key := typeKey(owner)
		keep(used, comments, key)
		for _, f := range api.FieldsOf(owner) {
			keep(used, comments, typeKey(f.Owner)+"."+f.GoName)
		}
	}
	want, err := json.MarshalIndent(used, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *rewrite {
		if err := os.WriteFile("descriptions.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile("descriptions.json"); !bytes.Equal(got, want) {
		t.Error("descriptions.json is not what the comments say: go test ./console -run Descriptions -rewrite")
	}
}

func keep(used, comments map[string]string, key string) {
	if text := comments[key]; text != "" {
		used[key] = text
	}
}

// documentTypes are the structs that the document is made of.
func documentTypes() map[reflect.Type]bool {
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			if t == timeType || seen[t] {
				return
			}
			seen[t] = true
			for _, f := range api.FieldsOf(t) {
				visit(f.Type)
			}
		}
	}
	visit(reflect.TypeFor[api.Problem]())
	for _, rt := range routes {
		for _, t := range []reflect.Type{rt.query, rt.body, rt.answer} {
			if t != nil {
				visit(t)
			}
		}
	}
	return seen
}

// readComments collects the comments of a folder's types and their fields.
func readComments(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %d files", dir, err, len(files))
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				for _, spec := range d.Specs {
					commentsOf(parsed.Name.Name, d, spec.(*ast.TypeSpec), into)
				}
			}
			return true
		})
	}
}

func commentsOf(pkg string, d *ast.GenDecl, spec *ast.TypeSpec, into map[string]string) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	key := pkg + "." + spec.Name.Name
	into[key] = plain(spec.Name.Name, spec.Doc.Text()+d.Doc.Text())
	for _, f := range s.Fields.List {
		for _, name := range f.Names {
			into[key+"."+name.Name] = plain("", strings.TrimSpace(f.Doc.Text()+f.Comment.Text()))
		}
	}
}

// plain joins a comment's lines; "Topic is one in detail." becomes "One in detail." for
// readers who see the name beside it.
func plain(name, text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if rest, ok := strings.CutPrefix(text, name+" is "); ok && name != "" {
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	return text
}

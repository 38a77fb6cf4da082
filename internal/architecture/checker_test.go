package architecture_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// edge is one import. pkg is relative to the module, imported is a whole path.
type edge struct{ file, pkg, imported string }

// check returns a message for each import that breaks a rule.
func check(edges []edge) (violations []string) {
	for _, e := range edges {
		if _, ok := longest(e.pkg, forTests); ok {
			continue
		}
		for _, why := range broken(e) {
			violations = append(violations, fmt.Sprintf("%s imports %s: %s", e.file, e.imported, why))
		}
	}
	return violations
}

func broken(e edge) (why []string) {
	why = append(why, brokenLayer(e)...)
	for _, r := range reserved {
		_, hit := longest(e.imported, r.targets)
		_, allowed := longest(e.pkg, r.users)
		if hit && !allowed {
			why = append(why, fmt.Sprintf("%s (only %s may)", r.why, strings.Join(r.users, ", ")))
		}
	}
	for _, c := range confined {
		if under(e.pkg, c.pkg) && !c.allowed(e.imported) {
			why = append(why, c.why)
		}
	}
	return why
}

func brokenLayer(e edge) []string {
	from, fromLine, ok := layer(e.pkg)
	if !ok {
		return []string{e.pkg + " has no layer: give it one in internal/architecture"}
	}
	target, ours := relative(e.imported)
	if !ours {
		return nil
	}
	if line, ok := longest(target, forTests); ok {
		return []string{line + " is for tests: only tests may import it"}
	}
	to, toLine, ok := layer(target)
	switch {
	case !ok:
		return []string{target + " has no layer: give it one in internal/architecture"}
	case toLine != fromLine && to >= from:
		return []string{fmt.Sprintf("%s (layer %d) may import lower layers only, and %s is in layer %d", fromLine, from+1, toLine, to+1)}
	}
	return nil
}

// layer returns the number and the line of the layer of a package.
func layer(pkg string) (number int, line string, ok bool) {
	line, ok = longest(pkg, slices.Concat(layers...))
	number = slices.IndexFunc(layers, func(lines []string) bool { return slices.Contains(lines, line) })
	return number, line, ok
}

// longest returns the longest of the folders that p is or lies under.
func longest(p string, folders []string) (found string, ok bool) {
	for _, folder := range folders {
		if under(p, folder) && len(folder) > len(found) {
			found, ok = folder, true
		}
	}
	return found, ok
}

func under(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

func relative(imported string) (pkg string, ours bool) {
	return strings.CutPrefix(imported, module+"/")
}

// isStandard: only the standard library's paths begin with a word without dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func isPublic(imported string) bool {
	pkg, ours := relative(imported)
	return !ours || !slices.Contains(strings.Split(pkg, "/"), "internal") || under(pkg, "examples")
}

// moduleImports reads the imports of all files but tests, those for other
// systems included.
func moduleImports(t *testing.T) (edges []edge) {
	t.Helper()
	sources(t, func(root, file string) error {
		found, err := fileImports(root, file)
		edges = append(edges, found...)
		return err
	})
	return edges
}

// sources visits all files of Go but tests.
func sources(t *testing.T, visit func(root, file string) error) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && outside(file, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		return visit(root, file)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// outside tells whether a folder is no part of the module: the go command skips
// it, or it is a module of its own.
func outside(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func fileImports(root, file string) ([]edge, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(root, file)
	if err != nil {
		return nil, err
	}
	name = filepath.ToSlash(name)
	var edges []edge
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		edges = append(edges, edge{file: name, pkg: path.Dir(name), imported: imported})
	}
	return edges, nil
}

package sagatest

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// callAt reads from the source how Check was called. What it cannot find stays empty:
// tests may run far from their sources. With -trimpath a file has no folder, and tests run
// in that of their package.
func callAt(file string, line int) Caller {
	if !filepath.IsAbs(file) {
		file = filepath.Base(file)
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return Caller{Package: "main_test"}
	}
	c := Caller{Package: f.Name.Name}
	function, model := findCall(set, f, line)
	if model == nil || usesLocals(function, model) {
		return c
	}
	var b bytes.Buffer
	if format.Node(&b, set, model) == nil {
		c.Model, c.Imports = b.String(), importsOf(f, model)
	}
	return c
}

// findCall finds the function and the model of the call of Check on a line.
func findCall(set *token.FileSet, f *ast.File, line int) (function *ast.FuncDecl, model ast.Expr) {
	for _, d := range f.Decls {
		fd, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(fd, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || calledName(call.Fun) != "Check" {
				return true
			}
			if set.Position(call.Pos()).Line <= line && line <= set.Position(call.End()).Line {
				function, model = fd, call.Args[1]
			}
			return true
		})
	}
	return function, model
}

func calledName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.IndexListExpr:
		return calledName(e.X)
	case *ast.IndexExpr:
		return calledName(e.X)
	}
	return ""
}

// usesLocals says whether the expression needs something that the function declares.
func usesLocals(function *ast.FuncDecl, e ast.Expr) bool {
	var locals []string
	declare := func(names ...ast.Expr) {
		for _, n := range names {
			if id, ok := n.(*ast.Ident); ok {
				locals = append(locals, id.Name)
			}
		}
	}
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declare(n.Lhs...)
			}
		case *ast.RangeStmt:
			declare(n.Key, n.Value)
		case *ast.ValueSpec:
			for _, name := range n.Names {
				declare(name)
			}
		case *ast.TypeSpec:
			declare(n.Name)
		case *ast.Field:
			for _, name := range n.Names {
				declare(name)
			}
		}
		return true
	})
	return slices.ContainsFunc(identifiers(e), func(name string) bool { return slices.Contains(locals, name) })
}

// identifiers of an expression that stand for something, without what they select.
func identifiers(e ast.Expr) (names []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			names = append(names, identifiers(n.X)...)
			return false
		case *ast.KeyValueExpr:
			names = append(names, identifiers(n.Value)...)
			return false
		case *ast.Ident:
			names = append(names, n.Name)
		}
		return true
	})
	return names
}

// importsOf are the file's imports that the expression uses.
func importsOf(f *ast.File, e ast.Expr) (used []string) {
	names := identifiers(e)
	for _, spec := range f.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name, line := packageName(target), spec.Path.Value
		if spec.Name != nil {
			name, line = spec.Name.Name, spec.Name.Name+" "+line
		}
		if slices.Contains(names, name) && target != "testing" {
			used = append(used, line)
		}
	}
	return used
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// packageName is what the package of an import path is called by custom.
func packageName(target string) string {
	name := path.Base(target)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(target))
	}
	name, _, _ = strings.Cut(name, ".v") // gopkg.in/yaml.v3
	return strings.TrimPrefix(name, "go-")
}

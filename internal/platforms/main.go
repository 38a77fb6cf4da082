// Platforms type-checks the module for other operating systems and processors, from source and with
// everything it imports, as "go build" does before it makes code: a few seconds for each, where
// building takes minutes.
//
//	go run ./internal/platforms linux/arm64 windows/amd64
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

func main() {
	var failed atomic.Bool
	var wg sync.WaitGroup
	for _, platform := range os.Args[1:] {
		wg.Go(func() {
			for _, err := range check(platform) {
				fmt.Fprintf(os.Stderr, "%s: %v\n", platform, err)
				failed.Store(true)
			}
		})
	}
	wg.Wait()
	if failed.Load() {
		os.Exit(1)
	}
}

// listed is what "go list -json" says of a package.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct {
		Main      bool
		GoVersion string
	}
}

// check the packages below the folder for a platform such as linux/arm64.
func check(platform string) []error {
	system, processor, ok := strings.Cut(platform, "/")
	if !ok {
		return []error{errors.New("a platform is an operating system and a processor, such as linux/arm64")}
	}
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Module", "./...")
	// A race detector, which a build of the moment may ask for, needs a C compiler for the platform.
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+system, "GOARCH="+processor)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return []error{fmt.Errorf("go list: %w", err)}
	}
	c := &checker{sizes: types.SizesFor("gc", processor), files: token.NewFileSet(), packages: map[string]*types.Package{"unsafe": types.Unsafe}}
	// Each package comes after those it imports.
	for packages := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := packages.Decode(&p); {
		case errors.Is(err, io.EOF):
			return c.errs
		case err != nil:
			return append(c.errs, fmt.Errorf("go list: %w", err))
		case p.ImportPath != "unsafe":
			c.check(p)
		}
	}
}

type checker struct {
	sizes    types.Sizes
	files    *token.FileSet
	packages map[string]*types.Package
	errs     []error
}

func (c *checker) check(p listed) {
	ours := p.Module != nil && p.Module.Main
	mode := parser.SkipObjectResolution
	config := types.Config{Importer: imports{c, p.ImportMap}, Sizes: c.sizes, IgnoreFuncBodies: !ours}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	// A package of others that is of no use here has no errors that tell more than ours do.
	config.Error = func(err error) {
		if ours {
			c.errs = append(c.errs, err)
		}
	}
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(c.files, filepath.Join(p.Dir, name), nil, mode)
		if err != nil {
			c.errs = append(c.errs, err)
			return
		}
		parsed = append(parsed, file)
	}
	c.packages[p.ImportPath], _ = config.Check(p.ImportPath, c.files, parsed, nil) // config.Error has the errors
}

// imports of one package.
type imports struct {
	*checker
	renamed map[string]string
}

func (i imports) Import(path string) (*types.Package, error) {
	if actual, ok := i.renamed[path]; ok {
		path = actual
	}
	if p := i.packages[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s is not there", path)
}

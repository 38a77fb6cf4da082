// Package docs_test holds the documentation to the code.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

var (
	link     = regexp.MustCompile(`\[([^\]]*)\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	fenced   = regexp.MustCompile("(?s)```.*?```")
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Example)[A-Z]\w+`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)[A-Z]\w+)\(`)
	goBlock  = regexp.MustCompile("(?s)```go\n(.*?)```")
)

// TestEveryLinkLeadsSomewhere: relative links of every page name a file, and
// one that is shown as a test leads to where that test is.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	tests := testFunctions(t)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(page.text, ""), -1) {
			text, target := m[1], m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := filepath.Join(filepath.Dir(page.path), target)
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", page.path, target)
			}
			for _, name := range testName.FindAllString(text, -1) {
				if !slices.ContainsFunc(tests[name], func(file string) bool { return file == path || filepath.Dir(file) == path }) {
					t.Errorf("%s says %s is in %s, it is in %q", page.path, name, target, tests[name])
				}
			}
		}
	}
}

// TestEveryNamedTestExists: a guarantee that names its test names a real one.
func TestEveryNamedTestExists(t *testing.T) {
	tests := testFunctions(t)
	named := 0
	for _, page := range pages(t) {
		for _, name := range testName.FindAllString(page.text, -1) {
			named++
			if len(tests[name]) == 0 {
				t.Errorf("%s names %s, which is not a test of this module", page.path, name)
			}
		}
	}
	if named == 0 || len(tests) == 0 {
		t.Errorf("found %d names and %d tests: the check itself is broken", named, len(tests))
	}
}

// TestGoInTheReadmeIsCode: what the README shows stands in the example that
// runs, line by line.
func TestGoInTheReadmeIsCode(t *testing.T) {
	readme, example := text(t, "README.md"), text(t, "example_test.go")
	lines := map[string]bool{}
	for line := range strings.Lines(example) {
		lines[strings.TrimSpace(line)] = true
	}
	shown := 0
	for _, block := range goBlock.FindAllStringSubmatch(readme, -1) {
		for line := range strings.Lines(block[1]) {
			shown++
			if !lines[strings.TrimSpace(line)] {
				t.Errorf("example_test.go has no line %q", strings.TrimSpace(line))
			}
		}
	}
	if shown == 0 || shown > 20 {
		t.Errorf("the README shows %d lines of Go, want 1 to 20", shown)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

type page struct{ path, text string }

func pages(t *testing.T) (all []page) {
	walk(t, ".md", func(path, text string) { all = append(all, page{path, text}) })
	if len(all) < 3 {
		t.Fatalf("found %d pages only", len(all))
	}
	return all
}

// testFunctions maps each test to its file.
func testFunctions(t *testing.T) map[string][]string {
	files := map[string][]string{}
	walk(t, "_test.go", func(path, text string) {
		for _, m := range testFunc.FindAllStringSubmatch(text, -1) {
			files[m[1]] = append(files[m[1]], path)
		}
	})
	return files
}

func walk(t *testing.T, suffix string, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, suffix) {
			return nil
		}
		text, err := os.ReadFile(path)
		visit(path, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryLibraryPackageHasAnExample: a package that users import shows in a runnable
// example how. Packages for tests cannot run one outside a test; theirs is compiled.
func TestEveryLibraryPackageHasAnExample(t *testing.T) {
	examples, packages := map[string]bool{}, map[string]bool{}
	output := regexp.MustCompile(`(?m)^\s*// (Unordered output|Output):`)
	walk(t, ".go", func(path, text string) {
		dir := filepath.ToSlash(filepath.Dir(path))[len(root):]
		dir = strings.TrimPrefix(dir, "/")
		switch {
		case dir == "", strings.Contains(path, "internal"), strings.HasPrefix(dir, "cmd"), strings.HasPrefix(dir, "examples"),
			strings.HasPrefix(dir, "bench"), strings.HasPrefix(dir, "browsertest"), dir == "docs":
		case strings.HasSuffix(path, "_test.go"):
			examples[dir] = examples[dir] || output.MatchString(text) ||
				strings.HasSuffix(dir, "test") && strings.Contains(text, "func Example")
		default:
			packages[dir] = true
		}
	})
	if len(packages) < 10 {
		t.Fatalf("found %d packages only: the check is broken", len(packages))
	}
	for dir := range packages {
		if !examples[dir] {
			t.Errorf("%s has no example with an output", dir)
		}
	}
}

package pages_test

import (
	"io/fs"
	"net/http"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/pages"
)

func TestStaticFiles(t *testing.T) {
	files, at := pages.StaticFiles()
	s := newSite(fake{}, "/pabal", false, 0)
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for name, data := range files {
		w := s.get(at(name), "") // also before the login
		if w.Code != http.StatusOK || w.Body.String() != string(data) {
			t.Errorf("%s: %d, %d bytes of %d", name, w.Code, w.Body.Len(), len(data))
		}
		for header, want := range map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Content-Type": types[path.Ext(name)]} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		if old := s.get("/static/0123456789abcdef/"+name, ""); old.Code != http.StatusOK || old.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s of another version: %d, %q", name, old.Code, old.Header().Get("Cache-Control"))
		}
	}
	onDisk := 0
	_ = filepath.WalkDir("static", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			onDisk++
		}
		return err
	})
	if onDisk != len(files) || onDisk < 10 {
		t.Errorf("%d files are served, there are %d", len(files), onDisk)
	}
}

func TestNothingElseIsStatic(t *testing.T) {
	_, at := pages.StaticFiles()
	s := newSite(fake{}, "", false, 0)
	for _, p := range []string{"/static/", "/static/x", "/static/x/", at(""), at("js"), at("js/"), at("nothing.js"), at("CONSOLE.CSS"), at("..%2fstatic.go"), at("%2e%2e/%2e%2e/pages.go"), at("console.css/"), at("js%5capp.js"), at("console.css%00")} {
		if w := s.get(p, ""); w.Code != http.StatusNotFound && w.Code/100 != 3 {
			t.Errorf("%s answers %d: %.100s", p, w.Code, w.Body)
		}
	}
	for _, p := range []string{"/static/../pages.go", at("../../go.mod"), "/static//etc/passwd"} {
		w := s.get(p, "")
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "package") {
			t.Errorf("%s answers %d: %.100s", p, w.Code, w.Body)
		}
	}
}

var (
	imports   = regexp.MustCompile(`(?m)^import \{([^}]*)\} from "([^"]+)";`)
	dataset   = regexp.MustCompile(`\bdataset\.(\w+)`)
	selector  = regexp.MustCompile(`\[data-([a-z-]+)`)
	hasAttr   = regexp.MustCompile(`Attribute\("data-([a-z-]+)"`)
	attribute = regexp.MustCompile(`[\s"](data-[a-z-]+)`)
	byID      = regexp.MustCompile(`getElementById\("([\w-]+)"\)`)
)

// TestModulesHangTogether: what a module imports is there, and what it looks for in
// the pages too, and the other way round.
func TestModulesHangTogether(t *testing.T) {
	files, _ := pages.StaticFiles()
	var templates strings.Builder
	for _, text := range pages.TemplateTexts() {
		templates.WriteString(text)
	}
	used, imported := map[string]string{}, map[string]bool{"js/app.js": true, "js/theme.js": true}
	for name, data := range files {
		if path.Ext(name) != ".js" {
			continue
		}
		text := string(data)
		for _, m := range imports.FindAllStringSubmatch(text, -1) {
			from := path.Join(path.Dir(name), m[2])
			imported[from] = true
			for _, what := range strings.Split(m[1], ",") {
				what = strings.TrimSpace(what)
				if !regexp.MustCompile(`(?m)^export (async )?(function|const) ` + what + `\b`).Match(files[from]) {
					t.Errorf("%s imports %s from %s, which has none", name, what, from)
				}
				if strings.Count(text, what) < 2 {
					t.Errorf("%s imports %s and does not use it", name, what)
				}
			}
		}
		for _, m := range dataset.FindAllStringSubmatch(text, -1) {
			used["data-"+kebab(m[1])] = name
		}
		for _, r := range []*regexp.Regexp{selector, hasAttr} {
			for _, m := range r.FindAllStringSubmatch(text, -1) {
				used["data-"+m[1]] = name
			}
		}
		for _, m := range byID.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(templates.String(), `id="`+m[1]+`"`) {
				t.Errorf("%s looks for the id %q, which no template has", name, m[1])
			}
		}
		if regexp.MustCompile(`innerHTML\s*=[^=]`).MatchString(text) || strings.Contains(text, "insertAdjacentHTML") || strings.Contains(text, "eval(") {
			t.Errorf("%s makes markup of text", name)
		}
	}
	for name := range files {
		if path.Ext(name) == ".js" && !imported[name] {
			t.Errorf("%s is imported by none", name)
		}
	}
	own := []string{"data-was", "data-theme"} // set by the modules themselves
	there := map[string]bool{}
	for _, m := range attribute.FindAllStringSubmatch(templates.String(), -1) {
		there[m[1]] = true
		if used[m[1]] == "" {
			t.Errorf("templates have %s, which no module knows", m[1])
		}
	}
	for name, module := range used {
		if !there[name] && !slices.Contains(own, name) {
			t.Errorf("%s looks for %s, which no template has", module, name)
		}
	}
}

// kebab makes "tailStart" "tail-start".
func kebab(camel string) string {
	return regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(camel, func(c string) string { return "-" + strings.ToLower(c) })
}

// TestNamesOfFigures: what live.js sets is on the overview.
func TestNamesOfFigures(t *testing.T) {
	files, _ := pages.StaticFiles()
	overview := pages.TemplateTexts()["overview.html"]
	for _, m := range regexp.MustCompile(`data-live-figure="(\w+)"`).FindAllStringSubmatch(overview, -1) {
		if !regexp.MustCompile(`\b` + m[1] + `\b`).Match(files["js/live.js"]) {
			t.Errorf("the figure %q is not live", m[1])
		}
	}
}

// TestNothingFromElsewhere: style, modules and icon load
// nothing from other places.
func TestNothingFromElsewhere(t *testing.T) {
	files, _ := pages.StaticFiles()
	for name, data := range files {
		for _, bad := range []string{"http://", "https://", "@import", "url("} {
			text := strings.ReplaceAll(string(data), `xmlns="http://www.w3.org/2000/svg"`, "")
			if strings.Contains(text, bad) && !strings.Contains(text, "url(data:") {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

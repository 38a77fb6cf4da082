package pages

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

//go:embed templates/*.html
var templateFiles embed.FS

// layouts are the templates of the pages, each with layout and parts.
type layouts map[string]*template.Template

// parseLayouts reads every page's template. They are part of the program: one that
// does not parse is a mistake in it.
func parseLayouts(base string, s *static) layouts {
	shared := template.Must(template.New("").Funcs(functions(base, s)).ParseFS(templateFiles, "templates/_*.html"))
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	all := layouts{}
	for _, file := range files {
		if name := strings.TrimSuffix(path.Base(file), ".html"); !strings.HasPrefix(name, "_") {
			all[name] = template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, file))
		}
	}
	return all
}

// view is what the layout and every page's template get.
type view struct {
	Title, Section string
	Nav            []navItem
	User           api.User
	Open           bool
	Version        string
	Now            time.Time
	// Query is the search box's.
	Query string
	Body  any

	base string
}

// May says whether the user has the role, or one above.
func (v view) May(role string) bool { return v.User.Role.Includes(api.Role(role)) }

// moment is a time in three forms.
type moment struct{ ISO, Stamp, Ago string }

// When is a time as the partial "ago" shows it.
func (v view) When(t time.Time) moment { return moment{iso(t), stamp(t), ago(v.Now, t)} }

func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, c content) {
	user := api.UserOf(r.Context())
	v := view{
		Title: c.title, Section: c.section, Nav: navFor(user.Role), User: user, Open: h.Open,
		Version: h.Engines.Version, Now: h.Clock().UTC(), Body: c.body, base: h.Base,
	}
	if c.template == "traces" {
		v.Query = r.URL.Query().Get("search")
	}
	var page bytes.Buffer
	if err := h.layouts[c.template].ExecuteTemplate(&page, "layout", v); err != nil {
		h.Logger.ErrorContext(r.Context(), "a page of the console cannot be made", "path", r.URL.Path, "error", err)
		http.Error(w, "This page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", ContentSecurityPolicy)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client may have gone
}

// navItem is a part of the console; Key comes after g.
type navItem struct {
	Name, Path, Section, Icon, Key string
	role                           api.Role
}

var nav = []navItem{
	{"Overview", "/", "overview", "overview", "o", api.Viewer},
	{"Transactions", "/traces", "traces", "trace", "x", api.Viewer},
	{"Sagas", "/sagas", "sagas", "saga", "w", api.Viewer},
	{"Topics", "/topics", "topics", "topic", "t", api.Viewer},
	{"Groups", "/groups", "groups", "group", "g", api.Viewer},
	{"Broker", "/broker", "broker", "broker", "k", api.Viewer},
	{"Outbox", "/outbox", "outbox", "outbox", "b", api.Viewer},
	{"Journal", "/journal", "journal", "journal", "j", api.Viewer},
	{"Projections", "/projections", "projections", "projection", "p", api.Viewer},
	{"Streams", "/streams", "streams", "next", "m", api.Viewer},
	{"Connectors", "/connectors", "connectors", "connector", "c", api.Viewer},
	{"Schemas", "/schemas", "schemas", "schema", "r", api.Viewer},
	{"Dead letters", "/dead-letters", "dead-letters", "dead", "d", api.Viewer},
	{"Services", "/services", "services", "service", "s", api.Viewer},
	{"Audit", "/audit", "audit", "audit", "a", api.Admin},
}

func navFor(role api.Role) []navItem {
	var items []navItem
	for _, item := range nav {
		if role.Includes(item.role) {
			items = append(items, item)
		}
	}
	return items
}

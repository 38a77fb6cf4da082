package pages_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

// faults are what is wrong with a page for its reader, the browser's rules and its
// own.
func faults(root *node, base string, role api.Role) []string {
	return slices.Concat(structure(root), references(root), inline(root), addressesOf(root, base), labels(root), acts(root, role))
}

func structure(root *node) (bad []string) {
	for _, name := range []string{"title", "h1", "main", "body"} {
		found := root.named(name)
		if name == "title" {
			found = slices.DeleteFunc(found, func(n *node) bool { return n.above("svg") != nil })
		}
		if len(found) != 1 || strings.TrimSpace(found[0].text) == "" {
			bad = append(bad, fmt.Sprintf("%d elements %s, or an empty one", len(found), name))
		}
	}
	for _, row := range root.named("tr") {
		table := row.above("table")
		if table == nil {
			bad = append(bad, "a row outside of a table")
			continue
		}
		if heads, cells := width(table.named("tr")[0]), width(row); heads != cells {
			bad = append(bad, fmt.Sprintf("a row of %d cells in a table of %d: %.80q", cells, heads, row.text))
		}
	}
	for _, p := range root.named("p") {
		if inner := p.named("p", "div", "ul", "dl", "table", "form", "details", "pre"); len(inner) > 0 {
			bad = append(bad, "the browser ends <p> before "+inner[0].where())
		}
	}
	for _, form := range root.named("form") {
		if form.above("form") != nil {
			bad = append(bad, "a form within a form: "+form.where())
		}
	}
	for _, a := range root.named("a") {
		if a.above("a") != nil || a.above("button") != nil {
			bad = append(bad, "a link within a link or button: "+a.where())
		}
	}
	return bad
}

func width(row *node) int {
	n := 0
	for _, c := range row.children {
		span := 1
		fmt.Sscan(c.attr["colspan"], &span)
		n += span
	}
	return n
}

// references: ids are there once, and what is named is there.
func references(root *node) (bad []string) {
	ids := map[string]bool{}
	for _, n := range root.with("id") {
		id := n.attr["id"]
		if id == "" || strings.ContainsAny(id, " \t\n") || ids[id] {
			bad = append(bad, fmt.Sprintf("the id %q is twice there, or none", id))
		}
		ids[id] = true
	}
	for _, attr := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls"} {
		for _, n := range root.with(attr) {
			for _, id := range strings.Fields(n.attr[attr]) {
				if !ids[id] {
					bad = append(bad, fmt.Sprintf("%s=%q leads nowhere", attr, id))
				}
			}
		}
	}
	for _, n := range root.with("href") {
		if id, ok := strings.CutPrefix(n.attr["href"], "#"); ok && !ids[id] {
			bad = append(bad, fmt.Sprintf("%s: #%s leads nowhere", n.name, id))
		}
	}
	parts := map[string]bool{}
	for _, n := range root.with("data-part") {
		name := n.attr["data-part"]
		if parts[name] || name == "" {
			bad = append(bad, fmt.Sprintf("the part %q is twice there, or has no name", name))
		}
		parts[name] = true
	}
	holders := root.with("data-refresh")
	if len(holders) > 1 {
		bad = append(bad, "two data-refresh: only the first counts")
	}
	for _, n := range holders {
		if len(n.with("data-part")) == 0 && !n.has("data-part") {
			bad = append(bad, "data-refresh without a part")
		}
	}
	return bad
}

var handler = regexp.MustCompile(`(?i)^on`)

// inline is what the content security policy does not let through.
func inline(root *node) (bad []string) {
	for _, n := range root.all(func(*node) bool { return true }) {
		for name, value := range n.attr {
			if handler.MatchString(name) || name == "style" || name == "srcdoc" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(value)), "javascript:") {
				bad = append(bad, fmt.Sprintf("<%s %s=%q>", n.name, name, value))
			}
		}
		if n.name == "style" || n.name == "iframe" || n.name == "script" && (n.attr["src"] == "" || n.text != "") {
			bad = append(bad, "<"+n.name+"> inline")
		}
	}
	return bad
}

// addressesOf all lead into this console.
func addressesOf(root *node, base string) (bad []string) {
	for _, attr := range []string{"href", "src", "action", "data-goto", "data-live", "data-tail", "data-path", "formaction"} {
		for _, n := range root.with(attr) {
			to := n.attr[attr]
			if attr == "href" && strings.HasPrefix(to, "#") {
				continue
			}
			if !strings.HasPrefix(to, base+"/") || strings.HasPrefix(to, "//") {
				bad = append(bad, fmt.Sprintf("%s=%q does not begin with %s/", attr, to, base))
			}
		}
	}
	return bad
}

// labels: everything one can fill in or press has a name.
func labels(root *node) (bad []string) {
	for _, n := range root.named("input", "select", "textarea") {
		if n.attr["type"] == "hidden" || n.attr["aria-label"] != "" {
			continue
		}
		label := n.above("label")
		for _, l := range root.named("label") {
			if n.has("id") && l.attr["for"] == n.attr["id"] {
				label = l
			}
		}
		if label == nil || strings.TrimSpace(label.text) == "" {
			bad = append(bad, fmt.Sprintf("%s %q has no label", n.name, n.attr["name"]))
		}
	}
	for _, n := range root.named("label") {
		if !n.has("for") && len(n.named("input", "select", "textarea")) != 1 {
			bad = append(bad, fmt.Sprintf("the label %q is of no field", n.text))
		}
	}
	for _, n := range root.named("button", "a") {
		if strings.TrimSpace(n.text) == "" && n.attr["aria-label"] == "" && !n.has("data-f") {
			bad = append(bad, fmt.Sprintf("a %s without a name: %s %v", n.name, n.where(), n.attr))
		}
	}
	return bad
}

// acts: a form that changes something is for JavaScript, and says who may use it.
func acts(root *node, role api.Role) (bad []string) {
	for _, form := range root.named("form") {
		if form.attr["method"] != "post" {
			continue
		}
		if !form.has("data-act") {
			bad = append(bad, "a form posts past the API: "+form.attr["action"])
			continue
		}
		locked := strings.Contains(form.text, "This needs the role")
		for _, set := range form.named("fieldset") {
			switch to := form.attr["action"]; {
			case strings.HasSuffix(to, "/login"), strings.HasSuffix(to, "/logout"):
				if set.has("disabled") {
					bad = append(bad, to+" does not work without JavaScript")
				}
			case !set.has("disabled"):
				bad = append(bad, to+" sends a form where there is no JavaScript")
			case set.has("data-enable") == locked:
				bad = append(bad, fmt.Sprintf("%s as %s: enabled is %v, an explanation there %v", to, role, set.has("data-enable"), locked))
			}
		}
		for _, b := range form.named("button") {
			if b.above("fieldset") == nil {
				bad = append(bad, "a button outside of the fieldset: "+b.text)
			}
		}
	}
	if role != api.Viewer {
		return bad
	}
	for _, set := range root.with("data-enable") {
		to := set.above("form").attr["action"]
		if !strings.HasSuffix(to, "/login") && !strings.HasSuffix(to, "/logout") && !strings.HasSuffix(to, "/check") { // which changes nothing
			bad = append(bad, "a viewer may act: "+to)
		}
	}
	return bad
}

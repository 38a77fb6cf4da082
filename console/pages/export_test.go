package pages

import (
	"maps"
	"slices"
)

// Pattern is a page's path and role.
type Pattern struct{ Path, Role string }

// Patterns are those of the table of routes.
func Patterns() []Pattern {
	var all []Pattern
	for _, r := range routes {
		all = append(all, Pattern{r.pattern, string(r.role)})
	}
	return all
}

// StaticFiles are the files below /static/, by name, and the path of one.
func StaticFiles() (files map[string][]byte, path func(name string) string) {
	s := loadStatic()
	return s.files, s.url
}

// TemplateTexts are the templates' sources by file.
func TemplateTexts() map[string]string {
	all := map[string]string{}
	entries, _ := templateFiles.ReadDir("templates")
	for _, e := range entries {
		data, _ := templateFiles.ReadFile("templates/" + e.Name())
		all[e.Name()] = string(data)
	}
	return all
}

// States are the words that badges know.
func States() []string { return slices.Sorted(maps.Keys(tones)) }

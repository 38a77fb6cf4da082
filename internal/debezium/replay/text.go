package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// Text writes answers for people and for comparison: each begins with "#".
func Text(answers []Answer) string {
	var b strings.Builder
	for _, a := range answers {
		b.WriteString(a.text() + "\n")
	}
	return b.String()
}

func (a Answer) asked() string {
	return fmt.Sprintf("# %s\n> %s\n", a.About, strings.ReplaceAll(a.Request, "\n", "\n> "))
}

func (a Answer) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s< %d\n", a.asked(), a.Status)
	if a.Location != "" {
		fmt.Fprintf(&b, "< Location: %s\n", a.Location)
	}
	if a.Body != "" {
		b.WriteString(a.Body + "\n")
	}
	return b.String()
}

// Compare reports each answer that is not as it stands in the file. What makes Kafka
// Connect itself fail (500) may be refused (400), in other words. except has, by what requests
// are about, why their answers differ; one that does not is reported, too.
func Compare(t testing.TB, answers []Answer, file string, except map[string]string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(data)), "\n\n")
	if len(want) != len(answers) {
		t.Errorf("there are %d answers, and %d in %s", len(answers), len(want), file)
	}
	differs := map[string]bool{}
	for i, a := range answers[:min(len(want), len(answers))] {
		got := strings.TrimSpace(a.text())
		if got == want[i] || a.refusesWhatFails(want[i]) {
			continue
		}
		differs[a.About] = true
		if except[a.About] == "" {
			t.Errorf("got:\n%s\nwant:\n%s", got, want[i])
		}
	}
	for about := range except {
		if !differs[about] {
			t.Errorf("%q is an exception, and equal", about)
		}
	}
}

func (a Answer) refusesWhatFails(want string) bool {
	return a.Status == http.StatusBadRequest && strings.HasPrefix(want, a.asked()+"< 500\n")
}

// indented writes a value with one line for what is short or the part of a list.
func indented(value any, indent string) string {
	const short, long = 100, 2000
	text := oneLine(value)
	if len(text) <= short || indent != "" && len(text) <= long {
		return text
	}
	var parts []string
	open, end := "{", "}"
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, oneLine(key)+": "+indented(v[key], indent+"  "))
		}
	case []any:
		open, end = "[", "]"
		for _, inner := range v {
			parts = append(parts, indented(inner, indent+"  "))
		}
	default:
		return text
	}
	between := "\n" + indent + "  "
	return open + between + strings.Join(parts, ","+between) + "\n" + indent + end
}

func oneLine(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

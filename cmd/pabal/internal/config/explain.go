package config

import (
	"fmt"
	"io"
	"strings"
)

// Explained is a setting as `config explain` shows it.
type Explained struct {
	Key string `json:"key"`
	// Value is "(set)" for a secret that is.
	Value  any    `json:"value"`
	Origin Origin `json:"origin"`
	// Variable and Flag also set it; Flag is "" where there is none.
	Variable string `json:"variable"`
	Flag     string `json:"flag,omitempty"`
	Default  string `json:"default,omitempty"`
	Help     string `json:"help"`
	// Text is Value for people.
	Text string `json:"-"`
}

// Explain says of every setting what it is and where that comes from.
func (l *Loaded) Explain() []Explained {
	var all []Explained
	for _, s := range Table {
		e := Explained{Key: s.Key, Value: s.Value(&l.Settings), Text: s.Text(&l.Settings), Origin: l.Origin(s.Key),
			Variable: s.Env(), Default: s.Default, Help: s.Help}
		if flag := s.FlagName(); flag != "" {
			e.Flag = "--" + flag
		}
		all = append(all, e)
	}
	return all
}

// WriteExample writes a file that has every setting as a comment.
func WriteExample(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Configuration of `pabal up`; every line with # is a comment. A setting counts less\n" +
		"# than its environment variable, and that less than its flag.\n")
	var open []string
	for _, s := range Table {
		path := strings.Split(s.Key, ".")
		open = writeSections(&b, open, path[:len(path)-1])
		indent := strings.Repeat("  ", len(open))
		for _, l := range wrap(s.Help+" ("+s.places()+")", 88-len(indent)) {
			fmt.Fprintf(&b, "%s# %s\n", indent, l)
		}
		value := s.Default
		if value == "" {
			value = s.Example
		}
		fmt.Fprintf(&b, "%s#%s: %s\n", indent, path[len(path)-1], value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Setting) places() string {
	if s.FlagName() == "" {
		return s.Env()
	}
	return "--" + s.FlagName() + ", " + s.Env()
}

// writeSections opens the sections of a path that are not open.
func writeSections(b *strings.Builder, open, path []string) []string {
	same := 0
	for same < min(len(open), len(path)) && open[same] == path[same] {
		same++
	}
	for i := same; i < len(path); i++ {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%s%s:\n", strings.Repeat("  ", i), path[i])
	}
	return path
}

// wrap breaks text into lines of at most width letters.
func wrap(text string, width int) []string {
	var lines []string
	current := ""
	for word := range strings.FieldsSeq(text) {
		if current != "" && len(current)+1+len(word) > width {
			lines = append(lines, current)
			current = ""
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	return append(lines, current)
}

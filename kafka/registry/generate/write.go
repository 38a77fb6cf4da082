package generate

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/twmb/avro"
)

func (g *generator) record(t *goType) {
	g.comment(t, "record")
	fmt.Fprintf(&g.body, "type %s struct {\n", t.name)
	taken := map[string]bool{}
	for i := range t.node.Fields {
		f := &t.node.Fields[i]
		g.lines(f.Doc)
		if hasAny(&f.Type) {
			g.lines("One of: " + g.says(&f.Type) + ".")
		}
		fmt.Fprintf(&g.body, "%s %s %s\n", unused(taken, exported(f.Name)), g.typeOf(&f.Type), quoted("avro:"+strconv.Quote(g.tag(f))))
	}
	g.body.WriteString("}\n")
	if t.text != "" {
		name := unused(g.taken, t.name+"Schema")
		fmt.Fprintf(&g.body, "\n// %s is the schema of %s, for codec.Config: client.Schema{Text: %s}.\nconst %s = %s\n", name, t.name, name, name, quoted(t.text))
	}
}

func (g *generator) enum(t *goType) {
	g.comment(t, "enum")
	fmt.Fprintf(&g.body, "type %s string\n\n// Values of %s.\nconst (\n", t.name, t.name)
	for _, symbol := range t.node.Symbols {
		fmt.Fprintf(&g.body, "%s %s = %q\n", unused(g.taken, t.name+exported(symbol)), t.name, symbol)
	}
	g.body.WriteString(")\n")
}

func (g *generator) fixed(t *goType) {
	g.comment(t, "fixed")
	fmt.Fprintf(&g.body, "type %s [%d]byte\n", t.name, t.node.Size)
}

// comment says what the type is, and what its schema says of it.
func (g *generator) comment(t *goType, kind string) {
	fmt.Fprintf(&g.body, "\n// %s is the %s %s", t.name, kind, fullName(t.node))
	if t.file != "" {
		fmt.Fprintf(&g.body, " of %s", oneLine(t.file))
	}
	g.body.WriteString(".\n")
	g.lines(t.node.Doc)
	if len(t.node.Aliases) > 0 {
		g.lines("Aliases: " + strings.Join(t.node.Aliases, ", ") + ".")
	}
	if t.node.HasEnumDefault {
		g.lines("Symbols that are not known are read as " + t.node.EnumDefault + ".")
	}
}

// lines are a comment, however the text is made.
func (g *generator) lines(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(oneLine(line)); line != "" {
			fmt.Fprintf(&g.body, "// %s\n", line)
		}
	}
}

// oneLine leaves nothing in a text that would end a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\ufeff' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

// tag is what codec and avro.SchemaFor read of a field. A default comes last there.
func (g *generator) tag(f *avro.SchemaField) string {
	n := &f.Type
	if other := orNull(n); other != nil {
		n = other
	}
	tag := f.Name
	switch n = g.definition(n); {
	case goOf(n) == "" || n.LogicalType == "duration" || n.LogicalType == "big-decimal" || strings.HasPrefix(n.LogicalType, "local-"):
	case n.LogicalType == "decimal":
		tag += fmt.Sprintf(",decimal(%d,%d)", n.Precision, n.Scale)
	default:
		tag += "," + n.LogicalType
	}
	for _, alias := range f.Aliases {
		tag += ",alias=" + alias
	}
	if text, ok := plainDefault(f); ok {
		tag += ",default=" + text
	}
	return tag
}

// plainDefault is a default that a tag can have: other ones are in the schema only.
func plainDefault(f *avro.SchemaField) (string, bool) {
	if !f.HasDefault || f.Type.Type == "union" || goOf(&f.Type) != "" {
		return "", false
	}
	switch v := f.Default.(type) {
	case bool, int32, int64:
		return fmt.Sprint(v), true
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return v, v != "" && strings.IndexFunc(v, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' }) < 0
	}
	return "", false
}

// quoted is a string as Go source, raw where it can be.
func quoted(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

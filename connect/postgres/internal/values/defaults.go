package values

import (
	"regexp"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// generated are what stands in schemas for defaults that a function makes, by the type's name.
// Types that are not listed have no defaults in schemas.
var generated = map[string]string{
	"bit": "00", "varbit": "0", "bool": "f", "bpchar": "", "varchar": "", "text": "",
	"numeric": "0.0", "float4": "0.0", "float8": "0.0", "int2": "0", "int4": "0", "int8": "0",
	"json": "{}", "jsonb": "{}", "xml": "", "uuid": "00000000-0000-0000-0000-000000000000",
	"date": "1970-01-01", "time": "00:00:00", "timestamp": "1970-01-01 00:00:00", "timestamptz": "1970-01-01 00:00:00+00", "interval": "epoch",
}

var (
	literal  = regexp.MustCompile(`'([^']*(?:''[^']*)*)'`)
	function = regexp.MustCompile(`^[(]?[A-Za-z0-9_.]+\((?:.+(?:, ?.+)*)?\)`)
)

// Default of a column by its expression, as far as schemas have such; nil where it is none of
// these. c is the column's.
func (t *Types) Default(oid uint32, c *Codec, expression string) any {
	one := t.byOID[oid]
	if expression == "" || c == nil || one.Base != 0 || one.Element != 0 {
		return nil
	}
	text, ok := "", true
	if one.Enum != nil {
		text, ok = enumDefault(one.Name, expression)
	} else {
		text, ok = plainDefault(one.Name, expression)
	}
	if !ok {
		return nil
	}
	v, err := c.Parse([]byte(text))
	if _, is := v.(*data.Struct); is || err != nil {
		return nil
	}
	return v
}

func plainDefault(name, expression string) (text string, ok bool) {
	placeholder, ok := generated[name]
	if !ok {
		return "", false
	}
	if _, character := map[string]bool{"bpchar": true, "varchar": true, "text": true, "json": true, "jsonb": true, "xml": true}[name]; !character {
		expression = strings.TrimSpace(expression)
	}
	switch strings.ToLower(expression) {
	case "current_timestamp", "current_time", "current_date", "localtime", "localtimestamp":
		return placeholder, true
	}
	switch {
	case function.MatchString(expression):
		return placeholder, true
	case strings.HasPrefix(expression, "NULL::"):
		return "", false
	case strings.Contains(expression, "'"):
		m := literal.FindStringSubmatch(expression)
		if m == nil {
			return "", false
		}
		return strings.ReplaceAll(m[1], "''", "'"), true
	case name == "bool":
		return strings.ToLower(expression)[:1], true
	}
	return expression, true
}

// enumDefault of the form 'label'::mood.
func enumDefault(name, expression string) (text string, ok bool) {
	i := strings.LastIndex(expression, "::")
	if i < 0 {
		return "", false
	}
	typ := expression[i+2:]
	if dot := strings.LastIndex(typ, "."); dot >= 0 {
		typ = typ[dot+1:]
	}
	if strings.Trim(typ, `"`) != name {
		return "", false
	}
	text = expression[:i]
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

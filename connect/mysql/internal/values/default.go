package values

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// DefaultOf a column as information_schema tells it. MariaDB writes expressions: text in quotes,
// and NULL. MySQL writes the value, and says of expressions that they are such.
func DefaultOf(text string, mariadb, generated bool) (value *string, computed bool) {
	if !mariadb {
		if b, ok := bitLiteral(text); ok {
			text = b
		}
		return &text, generated
	}
	switch {
	case strings.EqualFold(text, "NULL"):
		return nil, false
	case strings.HasPrefix(text, "'"):
		inner, rest := quoted(unescaped(text[1:]))
		if rest == "" {
			return &inner, false
		}
		return &text, true
	}
	if b, ok := bitLiteral(text); ok {
		return &b, false
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return &text, false
	}
	return &text, true
}

func unescaped(text string) string { return strings.NewReplacer(`\\`, `\`, `\'`, `''`).Replace(text) }

// bitLiteral is b'101' as the number that it is.
func bitLiteral(text string) (string, bool) {
	inner, ok := strings.CutPrefix(strings.ToLower(text), "b'")
	if !ok {
		return "", false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(inner, "'"), 2, 64)
	if err != nil {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// DefaultValue of a column in its schema; nil is none.
func (c *Column) DefaultValue(codec *Codec) any {
	if c.Default == nil || c.Generated {
		return nil
	}
	if c.Computed {
		if c.NotNull && (c.Type == "timestamp" || c.Type == "datetime") {
			return codec.Fallback
		}
		return nil
	}
	var v any = *c.Default
	if c.Type == "bit" {
		n, err := strconv.ParseInt(*c.Default, 10, 64)
		if err != nil {
			return nil
		}
		v = n
	}
	out, err := codec.Query(v)
	if err != nil {
		return nil
	}
	if d, ok := out.(data.Decimal); ok && codec.Schema.Type != data.Bytes {
		return d.String()
	}
	return out
}

package postgres

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// rowID is the same for all versions of a row. A table without a key is known by the column that a
// signal names as its surrogate-key.
func rowID(t *table, surrogate string, row []any) string {
	var b strings.Builder
	for _, i := range t.key {
		identify(&b, row[i])
	}
	if len(t.key) > 0 {
		return b.String()
	}
	for i := range t.columns {
		if t.columns[i].name == surrogate {
			identify(&b, row[i])
		}
	}
	return b.String()
}

// identify writes a value that a key has, with its length, so that values do not run together.
func identify(b *strings.Builder, value any) {
	var text string
	switch v := value.(type) {
	case data.Decimal:
		text = v.String()
	case *data.Struct: // a number whose scale varies, a point
		var parts strings.Builder
		if v != nil {
			for _, part := range v.Values {
				identify(&parts, part)
			}
		}
		text = parts.String()
	default:
		text = fmt.Sprintf("%v", v)
	}
	fmt.Fprintf(b, "%d:%s", len(text), text)
}

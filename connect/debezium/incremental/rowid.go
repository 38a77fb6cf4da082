package incremental

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// RowID is the same for all versions of a row of a relational table: that of the values at the
// places of its key.
func RowID(row []any, places []int) string {
	var b strings.Builder
	for _, i := range places {
		identify(&b, row[i])
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

package order

import (
	"fmt"
	"strings"
)

// values are the rows of a VALUES list, whose columns both databases name column1
// and so on.
type values struct {
	text strings.Builder
	args []any
}

func (v *values) add(row ...any) {
	if len(v.args) > 0 {
		v.text.WriteString(", ")
	}
	for i, value := range row {
		v.args = append(v.args, value)
		kind := "TEXT"
		if _, isText := value.(string); !isText {
			kind = "BIGINT"
		}
		fmt.Fprintf(&v.text, "%sCAST($%d AS %s)", map[bool]string{true: "(", false: ", "}[i == 0], len(v.args), kind)
	}
	v.text.WriteString(")")
}

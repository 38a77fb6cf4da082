package compat_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/kafka/registry/compat"
)

func ExampleCompare() {
	before, err := compat.Read([]compat.File{{Name: "order.avsc", Text: `{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}`}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now, err := compat.Read([]compat.File{{Name: "order.avsc", Text: `{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}]}`}})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := compat.Compare(now[0], before[0], compat.Backward)
	fmt.Println(result.Compatible, err)
	for _, reason := range result.Reasons {
		fmt.Println(reason)
	}
	// Output:
	// false <nil>
	// TYPE_MISMATCH: the type at '/fields/0/type' in the new schema does not take that of the old schema (reader type: INT not compatible with writer type: LONG)
}

package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// noteOf puts notes together; of many, the first few.
func noteOf(notes []string) string {
	const most = 4
	if more := len(notes) - most; more > 0 {
		notes = append(slices.Clone(notes[:most]), fmt.Sprintf("and %d more of that kind", more))
	}
	return strings.Join(notes, "; ")
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

package debezium

import (
	"encoding/json"
	"slices"
	"unicode/utf16"
)

// javaOrder is that in which a HashMap of Java's, of so many buckets, has the tables.
func javaOrder(counts []tableCount, buckets int) []tableCount {
	out := slices.Clone(counts)
	slices.SortStableFunc(out, func(a, b tableCount) int {
		return javaBucket(a.table, buckets) - javaBucket(b.table, buckets)
	})
	return out
}

func javaBucket(text string, buckets int) int {
	var h uint32
	for _, c := range utf16.Encode([]rune(text)) {
		h = 31*h + uint32(c)
	}
	return int((h ^ h>>16) & uint32(buckets-1))
}

// wholeNumber of an offset, which comes from JSON or from ourselves; 0 where it is none.
func wholeNumber(value any) int64 {
	switch n := value.(type) {
	case int64:
		return n
	case int32:
		return int64(n)
	case int:
		return int64(n)
	case float64:
		return int64(n)
	case json.Number:
		i, _ := n.Int64()
		return i
	}
	return 0
}

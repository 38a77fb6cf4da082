package task

import (
	"fmt"
	"testing"
)

// TestMetadataFitsIntoACommit: brokers refuse a whole commit for an offset with more.
func TestMetadataFitsIntoACommit(t *testing.T) {
	for _, nodes := range []int{0, 1, 50, 200} {
		m := metadata{time: 7}
		for n := range nodes {
			m.set(fmt.Sprintf("KSTREAM-AGGREGATE-%010d", n), int64(n))
		}
		m.set(streamTimeKey, 9)
		fits, left := m.fitting()
		text := fits.encode()
		if len(text) > 4096 {
			t.Errorf("%d nodes: %d bytes", nodes, len(text))
		}
		got, err := decodeMetadata(text)
		if err != nil || got.time != 7 || got.values[streamTimeKey] != 9 || len(got.values)+len(left) != nodes+1 {
			t.Errorf("%d nodes: %d are left of them, and %d are not: %v", nodes, len(got.values), len(left), err)
		}
		if all := nodes <= 50; all != (len(left) == 0) {
			t.Errorf("%d nodes: %d do not fit", nodes, len(left))
		}
		if !sameLast(left, nodes) {
			t.Errorf("%d nodes: not the last ones are left out: %v", nodes, left)
		}
	}
}

func sameLast(left []string, nodes int) bool {
	for i, name := range left {
		if name != fmt.Sprintf("KSTREAM-AGGREGATE-%010d", nodes-len(left)+i) {
			return false
		}
	}
	return true
}

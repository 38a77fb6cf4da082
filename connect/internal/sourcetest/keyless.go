package sourcetest

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// KeylessInterrupted makes a table k(v) without a primary key and interrupts its first snapshot: all rows
// are read again, and none is left out. open goes on at an offset, exec runs statements, and v is the
// column of the row that a record is about.
func KeylessInterrupted(t *testing.T, open func(offset map[string]any) *Reader, exec func(...string), v func(plugin.SourceRecord) string) {
	exec("CREATE TABLE k (v int)", "INSERT INTO k VALUES (1), (2), (3), (4), (5)")
	r := open(nil)
	third := r.Take(3)[2].At.Offset()
	r.Close()
	exec("INSERT INTO k VALUES (6)")
	r = open(third)
	read := map[string]int{}
	for len(read) < 6 {
		read[v(r.Take(1)[0])]++
	}
	exec("INSERT INTO k VALUES (7)")
	for last := ""; last != "7"; {
		last = v(r.Take(1)[0])
		read[last]++
	}
	for v := 1; v <= 5; v++ {
		if n := read[fmt.Sprint(v)]; n != 1 {
			t.Errorf("the row %d came %d times after the restart", v, n)
		}
	}
	r.Quiet()
}

package postgres_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestLargeRows do not fill more memory than there is, in a snapshot and in the stream.
func TestLargeRows(t *testing.T) {
	const memory, rows = 1 << 20, 200
	s := newSource(t)
	insert := "INSERT INTO a SELECT (SELECT count(*) FROM a) + i, repeat('x', 50000) FROM generate_series(1, 200) i"
	s.exec("CREATE TABLE a (id int PRIMARY KEY, filling text)", insert)
	r := s.openWith(nil, plugin.SourceContext{Common: plugin.Common{Memory: memory}, Positions: true})
	for _, part := range []string{"snapshot", "stream"} {
		end := time.Now().Add(deadline)
		for n := 0; n < rows; {
			records, err := r.Task.Poll(t.Context())
			if err != nil || time.Now().After(end) {
				t.Fatalf("%s: %d rows came: %v", part, n, err)
			}
			size := 0
			for _, one := range records {
				if size += one.Bytes; one.Topic != "" {
					n++
				}
			}
			if size > 2*memory {
				t.Fatalf("%s: %d records have %d bytes", part, len(records), size)
			}
		}
		s.exec(insert)
	}
}

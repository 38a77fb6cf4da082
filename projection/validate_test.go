package projection

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// What Pekko's offset store accepts and refuses, and what this one does instead of
// refusing.
func TestJudge(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	for _, c := range []struct {
		name   string
		kind   journal.Kind
		last   known
		passed int64
		seqNr  int64
		at     time.Time
		want   verdict
		from   int64
	}{
		{"the first of an entity", journal.Events, known{}, 0, 1, at(1), accept, 0},
		{"the same again", journal.Events, known{1, at(1)}, 0, 1, at(1), duplicate, 0},
		{"the next", journal.Events, known{1, at(1)}, 0, 2, at(2), accept, 0},
		{"the next at the same time", journal.Events, known{1, at(1)}, 0, 2, at(1), accept, 0},
		{"one before the last", journal.Events, known{2, at(2)}, 0, 1, at(1), duplicate, 0},
		{"one before at the last's time", journal.Events, known{2, at(2)}, 0, 1, at(2), duplicate, 0},
		{"after a gap", journal.Events, known{2, at(2)}, 0, 4, at(4), gap, 3},
		{"after a long gap", journal.Events, known{2, at(2)}, 0, 400, at(4), gap, 3},

		{"unknown, in the middle, nothing passed", journal.Events, known{}, 0, 7, at(7), gap, 1},
		{"unknown, all before was passed", journal.Events, known{}, 6, 7, at(7), accept, 0},
		{"unknown, some was passed", journal.Events, known{}, 4, 7, at(7), gap, 5},
		{"unknown, passed itself", journal.Events, known{}, 7, 7, at(7), duplicate, 0},
		{"unknown, passed itself as the first", journal.Events, known{}, 1, 1, at(7), duplicate, 0},

		{"tagged, those between were passed", journal.Events, known{2, at(2)}, 5, 6, at(6), accept, 0},
		{"tagged, some between were passed", journal.Events, known{2, at(2)}, 4, 6, at(6), gap, 5},

		{"forgotten and begun anew", journal.Events, known{5, at(5)}, 0, 1, at(6), accept, 0},
		{"forgotten and begun anew, in the middle", journal.Events, known{5, at(5)}, 0, 3, at(6), gap, 1},

		{"state, the first revision", journal.States, known{}, 0, 1, at(1), accept, 0},
		{"state, first met later", journal.States, known{}, 0, 7, at(1), accept, 0},
		{"state, the next", journal.States, known{3, at(3)}, 0, 4, at(4), accept, 0},
		{"state, with revisions not seen", journal.States, known{3, at(3)}, 0, 20, at(4), accept, 0},
		{"state, the same", journal.States, known{3, at(3)}, 0, 3, at(3), duplicate, 0},
		{"state, an earlier one", journal.States, known{3, at(3)}, 0, 2, at(2), duplicate, 0},
		{"state, begun anew", journal.States, known{3, at(3)}, 0, 1, at(4), accept, 0},
	} {
		if got, from := judge(c.kind, c.last, c.passed, c.seqNr, c.at); got != c.want || from != c.from {
			t.Errorf("%s: %d from %d, want %d from %d", c.name, got, from, c.want, c.from)
		}
	}
}

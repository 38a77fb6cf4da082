package postgres

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

func TestGapsLeaveOutWhatIsOnItsWay(t *testing.T) {
	for _, c := range []struct {
		above     int64
		ranges    []outbox.Range
		low, high []int64
	}{
		{0, nil, []int64{1}, []int64{math.MaxInt64}},
		{10, []outbox.Range{{First: 11, Last: 20}}, []int64{21}, []int64{math.MaxInt64}},
		{10, []outbox.Range{{First: 3, Last: 5}, {First: 9, Last: 12}, {First: 14, Last: 14}, {First: 15, Last: 15}},
			[]int64{13, 16}, []int64{13, math.MaxInt64}},
	} {
		low, high := gaps(c.above, c.ranges)
		if !slices.Equal(low, c.low) || !slices.Equal(high, c.high) {
			t.Errorf("above %d without %v: got %v to %v, want %v to %v", c.above, c.ranges, low, high, c.low, c.high)
		}
	}
}

func TestRunsContainNothingElse(t *testing.T) {
	ids := []int64{7, 1, 2, 3, 9, 8, 20, 3}
	low, high := runs(ids)
	if !slices.Equal(low, []int64{1, 7, 20}) || !slices.Equal(high, []int64{3, 9, 20}) {
		t.Errorf("got %v to %v", low, high)
	}
	if ids[0] != 7 {
		t.Error("the caller's ids were sorted")
	}
	if low, high := runs(nil); low == nil || high == nil {
		t.Error("nil would be NULL")
	}
}

func TestFirstOfPath(t *testing.T) {
	for path, want := range map[string]string{
		"":                     "",
		"orders":               "orders",
		" Orders , public":     "orders",
		`"Orders",public`:      "Orders",
		`"a ""b"", c", public`: `a "b", c`,
	} {
		if got := firstOfPath(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestStatementsAreRenderedForTheSchema(t *testing.T) {
	n := newNames(`o'clock "x"`)
	for _, text := range n.texts {
		if strings.Contains(text, "@pabal") || strings.Contains(text, "@'pabal") || strings.Contains(text, "--") {
			t.Errorf("not rendered: %s", text)
		}
	}
	want := `SELECT pg_notify('pabal_outbox_' || '"o''clock ""x""".pabal_outbox'::regclass::oid::text, $1)`
	if got := n.sql(wakeNotify); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := searchPath().sql(outboxLastReplay); got != "SELECT last_replay FROM pabal_outbox_state" {
		t.Error(got)
	}
}

func TestPackedHeaders(t *testing.T) {
	for _, headers := range [][]event.Header{
		nil,
		{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}},
		{{Key: "\xff\x00", Value: make([]byte, 300)}},
	} {
		packed := packHeaders(headers)
		got, err := unpackHeaders(packed)
		if err != nil || !reflect.DeepEqual(got, headers) {
			t.Errorf("got %v, %v, want %v", got, err, headers)
		}
		for cut := 1; cut < len(packed); cut++ {
			if got, err := unpackHeaders(packed[:cut]); err == nil && len(got) >= len(headers) {
				t.Errorf("%d of %d bytes were read as %v", cut, len(packed), got)
			}
		}
	}
}

package streams

import (
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestTimeWindowsOfATime(t *testing.T) {
	for _, c := range []struct {
		w    TimeWindows
		t    int64
		want []int64 // starts
	}{
		{Tumbling(5 * time.Millisecond), 0, []int64{0}},
		{Tumbling(5 * time.Millisecond), 4, []int64{0}},
		{Tumbling(5 * time.Millisecond), 5, []int64{5}},
		{Hopping(10*time.Millisecond, 4*time.Millisecond), 3, []int64{0}},
		{Hopping(10*time.Millisecond, 4*time.Millisecond), 9, []int64{0, 4, 8}},
		{Hopping(10*time.Millisecond, 4*time.Millisecond), 10, []int64{4, 8}},
		{Hopping(10*time.Millisecond, 4*time.Millisecond), 13, []int64{4, 8, 12}},
		{Hopping(10*time.Millisecond, 10*time.Millisecond), 25, []int64{20}},
		{Hopping(time.Hour, time.Hour), 1_700_000_000_000, []int64{1_699_999_200_000}},
	} {
		if got := startsOf(c.w, c.t); !slices.Equal(got, c.want) {
			t.Errorf("%v at %d: starts %v, want %v", c.w, c.t, got, c.want)
		}
	}
}

func startsOf(w TimeWindows, t int64) (starts []int64) {
	for start := w.firstStart(t); start <= t; start += w.advance.Milliseconds() {
		starts = append(starts, start)
	}
	return starts
}

// A time is in exactly the windows that contain it.
func TestTimeWindowsAreAllThatContainATime(t *testing.T) {
	r := testenv.Rand(t)
	for range 500 {
		size := 1 + r.Int64N(40)
		advance := 1 + r.Int64N(size)
		w := Hopping(time.Duration(size)*time.Millisecond, time.Duration(advance)*time.Millisecond)
		at := r.Int64N(200)
		var want []int64
		for start := int64(0); start <= at; start += advance {
			if at < start+size {
				want = append(want, start)
			}
		}
		if got := startsOf(w, at); !slices.Equal(got, want) {
			t.Fatalf("%v at %d: starts %v, want %v", w, at, got, want)
		}
	}
}

// Whatever way close time goes, each time window is in exactly one span, the first that begins
// when it has closed.
func TestClosedSpansHaveEachWindowOnce(t *testing.T) {
	r := testenv.Rand(t)
	for range 200 {
		size := 1 + r.Int64N(20)
		advance := 1 + r.Int64N(size)
		w := Hopping(time.Duration(size)*time.Millisecond, time.Duration(advance)*time.Millisecond)
		span := closedTimeWindows(w)
		emitted := map[int64]int64{}
		last := int64(-1)
		var now int64
		for range 30 {
			now += 1 + r.Int64N(15)
			from, to, some := span(last, now)
			if !some {
				continue
			}
			last = now
			for start := int64(0); start <= to; start += advance {
				if start >= from {
					if at, twice := emitted[start]; twice {
						t.Fatalf("%v: the window at %d closed at %d and at %d", w, start, at, now)
					}
					emitted[start] = now
				}
			}
		}
		for start := int64(0); start+size <= now; start += advance {
			if _, ok := emitted[start]; !ok && start+size <= last {
				t.Fatalf("%v: the window at %d has not closed by %d", w, start, last)
			}
		}
	}
}

func TestWindowsThatMakeNoSense(t *testing.T) {
	for want, err := range map[string]error{
		"windows of 1µs: the size is at least 1ms":                                                       Tumbling(time.Microsecond).check(),
		"windows of 1s that advance by 2s: the advance is at least 1ms and at most the size":             Hopping(time.Second, 2*time.Second).check(),
		"windows of 1s that advance by 0s: the advance is at least 1ms and at most the size":             Hopping(time.Second, 0).check(),
		"windows with a grace of -1ns: it is not negative":                                               Tumbling(time.Second).Grace(-1).check(),
		"sliding windows of -1s: the difference is not negative":                                         Sliding(-time.Second).check(),
		"sliding windows with a grace of -1ns: it is not negative":                                       Sliding(0).Grace(-1).check(),
		"sessions with a gap of 0s: it is at least 1ms":                                                  Sessions(0).check(),
		"sessions with a grace of -1ns: it is not negative":                                              Sessions(time.Second).Grace(-1).check(),
		"join windows from 1s before to -2s after: together they are not negative":                       JoinWithin(time.Second).After(-2 * time.Second).check(),
		"join windows with a grace of -1ns: it is not negative":                                          JoinWithin(0).Grace(-1).check(),
		"a buffer of -1 records and 9223372036854775807 bytes: limits are above 0":                       UntilTimeLimit(0, MaxRecords(-1)).check(),
		"UntilTimeLimit(-1s): it is not negative":                                                        UntilTimeLimit(-time.Second, Unbounded()).check(),
		"UntilWindowCloses takes an unbounded buffer or one with ShutDownWhenFull: it never emits early": UntilWindowCloses(MaxBytes(1)).check(),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for _, err := range []error{
		Hopping(time.Second, time.Second).check(), Sliding(0).check(), Sessions(time.Millisecond).check(),
		JoinWithin(0).Before(-time.Second).After(time.Second).check(), UntilWindowCloses(MaxBytes(1).ShutDownWhenFull()).check(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

package traffic

import (
	"fmt"
	"testing"
	"time"
)

func TestTrackerCounts(t *testing.T) {
	k := NewTracker()
	begun := time.Now()
	k.Placed("a", Plain, begun)
	k.Placed("b", WrongPrice, begun)
	k.Ended("c", false, begun.Add(time.Millisecond)) // before the POST was answered
	k.Placed("c", Plain, begun)
	select {
	case <-k.FirstApproved():
		t.Fatal("approved before anything was")
	default:
	}
	k.Ended("a", true, begun.Add(10*time.Millisecond))
	k.Ended("a", true, begun.Add(20*time.Millisecond)) // a repeat counts nothing
	k.Ended("foreign", true, begun)
	<-k.FirstApproved()
	n := k.Counts()
	if n.Placed != 3 || n.Approved != 1 || n.Cancelled != 1 || n.Open() != 1 || n.WronglyApproved != 0 {
		t.Fatalf("%+v", n)
	}
	k.Ended("b", true, begun)
	if n = k.Counts(); n.WronglyApproved != 1 || n.Open() != 0 || k.Open() != 0 {
		t.Fatalf("an approved order with a wrong price is not noticed: %+v", n)
	}
}

// TestTrackerForgetsForeignOrders: endings of orders that somebody else placed
// do not pile up.
func TestTrackerForgetsForeignOrders(t *testing.T) {
	k := NewTracker()
	for i := range 5 * mostEarly {
		k.Ended(fmt.Sprint(i), true, time.Now())
	}
	if kept := len(k.early[0]) + len(k.early[1]); kept > 2*mostEarly {
		t.Fatalf("%d endings are kept", kept)
	}
}

func TestHistogramQuantiles(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Fatal("an empty histogram has a median")
	}
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * time.Millisecond)
	}
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		want := time.Duration(q*1000) * time.Millisecond
		if got := h.Quantile(q); got < want*97/100 || got > want*103/100 {
			t.Errorf("quantile %v is %s, want about %s", q, got, want)
		}
	}
	h.Add(1000 * time.Hour) // beyond the last bucket
	h.Add(-time.Second)
}

package commit

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A sync of a slow disk takes as long for one batch as for many. Who waits for it while it
// is under way need not wait for its end, too: further syncs begin beside it, a little apart.
// Groups are acknowledged in their order all the same.
const (
	// mostFlights are under way at a time.
	mostFlights = 8
	// smallFlights is when the disk is busy with bytes, not with syncs: none begins beside
	// such as have more.
	smallFlights = 256 << 10
)

// flights are the groups whose syncs are under way. All but landed is the writer's.
type flights struct {
	n, bytes int
	free     []int         // slots, each with a handle and a pilot of its own
	pilots   []chan func() // goroutines that are kept, as their stacks have grown
	retired  sync.WaitGroup
	began    time.Time // the latest
	landed   chan landing
	last     chan struct{} // closed when the latest is acknowledged
	timer    *time.Timer
}

// landing is a group whose sync has ended, and what it found.
type landing struct {
	slot, bytes int
	waits       int // that it had
	waiting     int // in the next group, before these were acknowledged
	took        time.Duration
}

func newFlights() *flights {
	f := &flights{landed: make(chan landing, mostFlights), last: make(chan struct{}), timer: time.NewTimer(time.Hour)}
	close(f.last)
	for slot := range mostFlights {
		pilot := make(chan func(), 1)
		f.free, f.pilots = append(f.free, slot), append(f.pilots, pilot)
		f.retired.Go(func() {
			for fly := range pilot {
				fly()
			}
		})
	}
	return f
}

// take begins one.
func (f *flights) take(bytes int) (slot int) {
	slot, f.free = f.free[0], f.free[1:]
	f.n++
	f.bytes += bytes
	f.began = time.Now()
	return slot
}

func (f *flights) land(l landing) {
	f.n--
	f.bytes -= l.bytes
	f.free = append(f.free, l.slot)
}

func (f *flights) landAll() {
	for f.n > 0 {
		f.land(<-f.landed)
	}
}

// close waits for all.
func (f *flights) close() {
	f.landAll()
	for _, pilot := range f.pilots {
		close(pilot)
	}
	f.retired.Wait()
}

// due is when the next may begin beside those under way. The first waits twice as long: most
// disks are done by then, and what waits is a larger group.
func (f *flights) due(apart time.Duration) time.Time {
	if f.n == 1 {
		apart *= 2
	}
	return f.began.Add(apart)
}

// turn waits until the next group may be written: none is under way, or there is room beside
// those that are. When the last has landed, its producers get a little time to join.
func (j *Journal) turn(f *flights) {
	for f.n > 0 {
		var soon <-chan time.Time
		if j.opts.Overlap > 0 && f.n < mostFlights && f.bytes < smallFlights {
			due := f.due(j.opts.Overlap)
			j.bell.arm(due)
			left := time.Until(due)
			if left <= 0 && j.waiting() > 0 {
				return
			}
			if left > 0 {
				f.timer.Reset(left)
				soon = f.timer.C
			}
		}
		select {
		case l := <-f.landed:
			f.land(l)
			if f.n == 0 && l.waits > 1 {
				j.gather(l.waiting+l.waits, min(l.took/gatherPart, mostGather))
			}
		case <-j.bell.came:
		case <-soon:
		}
	}
}

// doorbell tells the writer that an append came when it may write: timers are too slow for
// that, as an idle process wakes for them by the millisecond.
type doorbell struct {
	came  chan struct{}
	epoch time.Time
	due   atomic.Int64 // since the epoch
}

func newDoorbell() doorbell { return doorbell{came: make(chan struct{}, 1), epoch: time.Now()} }

// arm has the first append from then on ring.
func (d *doorbell) arm(due time.Time) { d.due.Store(int64(due.Sub(d.epoch))) }

// ring is called with each append.
func (d *doorbell) ring() {
	due := d.due.Load()
	if due == math.MaxInt64 || int64(time.Since(d.epoch)) < due || !d.due.CompareAndSwap(due, math.MaxInt64) {
		return
	}
	select {
	case d.came <- struct{}{}:
	default:
	}
}

package commit

import "time"

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
	free     []int     // slots, each with a handle of its own
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
		f.free = append(f.free, slot)
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

// turn waits until the next group may be written: none is under way, or there is room beside
// those that are. When the last has landed, its producers get a little time to join.
func (j *Journal) turn(f *flights) {
	for f.n > 0 {
		var room <-chan time.Time
		if j.opts.Overlap > 0 && f.n < mostFlights && f.bytes < smallFlights {
			f.timer.Reset(j.opts.Overlap - time.Since(f.began))
			room = f.timer.C
		}
		select {
		case l := <-f.landed:
			f.land(l)
			if f.n == 0 && l.waits > 1 {
				j.gather(l.waiting+l.waits, min(l.took/gatherPart, mostGather))
			}
		case <-room:
			return
		}
	}
}

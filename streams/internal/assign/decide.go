package assign

import (
	"cmp"
	"math"
	"slices"
)

// Assign decides. It depends on the contents of in alone, not on their order.
func Assign(in Input) Result {
	d := newDecision(in)
	d.placeStateful()
	d.placeStateless()
	d.placeStandbys()
	moves := d.stayWhereFilled() + d.followWhereFilled()
	d.separate()
	return Result{Members: d.shares(), Probe: moves > 0 || in.Blind}
}

// none is no member.
const none = -1

// decision under way. Members and tasks are indexes into the sorted slices.
type decision struct {
	Input
	members []member
	tasks   []Task
	// owner has the task now.
	owner []int
	// ideal is where the task would be if stores were everywhere; active where it is to be
	// now.
	ideal, active []int
	standby, warm [][]int
	warmups       int // left to be given
}

type member struct {
	Member
	// weight is the cost of a task, the less the more workers there are.
	weight                    int64
	active, standbys, planned map[TaskID]bool
}

// unit of weights: 1/workers as a whole number.
const unit = 1 << 20

func newDecision(in Input) *decision {
	d := &decision{Input: in, warmups: in.MaxWarmups}
	for _, m := range in.Members {
		d.members = append(d.members, member{Member: m, weight: unit / int64(max(m.Workers, 1)),
			active: set(m.Active), standbys: set(m.Standbys), planned: set(m.Planned)})
	}
	slices.SortFunc(d.members, func(a, b member) int { return cmp.Compare(a.ID, b.ID) })
	d.tasks = slices.SortedFunc(slices.Values(in.Tasks), func(a, b Task) int { return compareIDs(a.ID, b.ID) })
	n := len(d.tasks)
	d.owner, d.ideal, d.active = make([]int, n), make([]int, n), make([]int, n)
	d.standby, d.warm = make([][]int, n), make([][]int, n)
	for t := range d.tasks {
		d.ideal[t], d.active[t] = none, none
		d.owner[t] = d.best(func(m int) bool { return d.members[m].active[d.tasks[t].ID] && d.isAble(m, t) },
			func(m int) int64 { return d.lag(m, t) })
	}
	return d
}

func set(ids []TaskID) map[TaskID]bool {
	out := make(map[TaskID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

func compareIDs(a, b TaskID) int {
	return cmp.Or(cmp.Compare(a.Sub, b.Sub), cmp.Compare(a.Partition, b.Partition))
}

// best of the members that may be, the first of those with the smallest values.
func (d *decision) best(may func(m int) bool, values ...func(m int) int64) int {
	found := none
	for m := range d.members {
		if may(m) && (found == none || less(m, found, values)) {
			found = m
		}
	}
	return found
}

func less(a, b int, values []func(m int) int64) bool {
	for _, v := range values {
		if x, y := v(a), v(b); x != y {
			return x < y
		}
	}
	return false
}

func (d *decision) isAble(m, t int) bool { return !d.members[m].Unable[d.tasks[t].ID] }

// takes says that the member may get the task.
func (d *decision) takes(m, t int) bool { return !d.members[m].Away && d.isAble(m, t) }

// running is the lag of who processes the task now: less than any other.
const running = -1

func (d *decision) lag(m, t int) int64 {
	id := d.tasks[t].ID
	if lag, ok := d.members[m].Lags[id]; ok {
		return max(lag, 0)
	}
	if d.members[m].active[id] {
		return running
	}
	return max(d.tasks[t].Size, 0)
}

// has says that the member has some of the task's stores.
func (d *decision) has(m, t int) bool {
	_, known := d.members[m].Lags[d.tasks[t].ID]
	return d.lag(m, t) == running || known && (d.Blind || d.lag(m, t) < d.tasks[t].Size)
}

// isFilled says that the member may take the task over at once.
func (d *decision) isFilled(m, t int) bool {
	return d.Blind || d.AcceptableLag == math.MaxInt64 || d.lag(m, t) <= d.AcceptableLag
}

func (d *decision) shares() map[string]Share {
	out := make(map[string]Share, len(d.members))
	share := func(m int, add func(s *Share)) {
		s := out[d.members[m].ID]
		add(&s)
		out[d.members[m].ID] = s
	}
	for _, m := range d.members {
		out[m.ID] = Share{}
	}
	for t, task := range d.tasks {
		if m := d.active[t]; m != none {
			share(m, func(s *Share) { s.Active = append(s.Active, task.ID) })
		}
		for _, m := range d.standby[t] {
			share(m, func(s *Share) { s.Standbys = append(s.Standbys, task.ID) })
		}
		for _, m := range d.warm[t] {
			share(m, func(s *Share) { s.Warmups = append(s.Warmups, task.ID) })
		}
	}
	return out
}

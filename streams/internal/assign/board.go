package assign

import (
	"cmp"
	"slices"
)

// board has items (tasks, or copies of them) on members, and moves as few as it takes to
// balance them: first all of them by workers, then those of each sub-topology.
//
// Both are sums of squares over weighted counts, which every move makes smaller: so it
// ends, and a board that was balanced stays as it is.
type board struct {
	d     *decision
	items []item
	load  []int64           // items of each member
	subs  map[int32][]int64 // and of each sub-topology
}

type item struct {
	task, at int
	fixed    bool
	moved    func(to int) // is told; nil is not
}

func newBoard(d *decision) *board {
	return &board{d: d, load: make([]int64, len(d.members)), subs: map[int32][]int64{}}
}

func (b *board) sub(t int) []int64 {
	id := b.d.tasks[t].ID.Sub
	if b.subs[id] == nil {
		b.subs[id] = make([]int64, len(b.d.members))
	}
	return b.subs[id]
}

// base counts a task that is not to be moved.
func (b *board) base(t, m int) {
	b.load[m]++
	b.sub(t)[m]++
}

func (b *board) add(t, m int, fixed bool) {
	b.base(t, m)
	b.items = append(b.items, item{task: t, at: m, fixed: fixed})
}

func (b *board) addCopy(t, m int, fixed bool, moved func(to int)) {
	b.base(t, m)
	b.items = append(b.items, item{task: t, at: m, fixed: fixed, moved: moved})
}

// addAll puts tasks where there is least; those that nobody may have stay away.
func (b *board) addAll(tasks []int) {
	for _, t := range tasks {
		if m := b.d.best(func(m int) bool { return b.d.takes(m, t) }, b.loadOf, b.spreadOf(t)); m != none {
			b.add(t, m, false)
		}
	}
}

func (b *board) each(f func(t, m int)) {
	for _, it := range b.items {
		f(it.task, it.at)
	}
}

// loadOf is what one more would add.
func (b *board) loadOf(m int) int64 { return b.more(b.load, m) }

func (b *board) spreadOf(t int) func(m int) int64 {
	return func(m int) int64 { return b.more(b.sub(t), m) }
}

func (b *board) more(counts []int64, m int) int64 { return b.d.members[m].weight * (2*counts[m] + 1) }
func (b *board) fewer(counts []int64, m int) int64 {
	return b.d.members[m].weight * (2*counts[m] - 1)
}

// gain of moving one from a member to another; positive is better.
func (b *board) gain(counts []int64, from, to int) int64 {
	return b.fewer(counts, from) - b.more(counts, to)
}

// balance moves items where may allows it.
func (b *board) balance(may func(t, m int) bool) {
	for b.level(may) {
	}
	for b.spread(may) || b.swap(may) {
		for b.level(may) {
		}
	}
}

// level makes the move that evens most; false where none does.
func (b *board) level(may func(t, m int) bool) bool {
	from, to := b.order(func(m int) int64 { return -b.fewer(b.load, m) }), b.order(b.loadOf)
	for _, f := range from {
		for _, t := range to {
			if b.gain(b.load, f, t) <= 0 {
				break
			}
			if i := b.choose(f, t, may); i != none {
				b.move(i, t)
				return true
			}
		}
	}
	return false
}

// order of the members by a value.
func (b *board) order(value func(m int) int64) []int {
	out := make([]int, len(b.load))
	for m := range out {
		out[m] = m
	}
	slices.SortStableFunc(out, func(x, y int) int { return cmp.Compare(value(x), value(y)) })
	return out
}

// choose the item to move: one that is not there yet, then one of which the sub-topology
// crowds, then one that the other has most of.
func (b *board) choose(from, to int, may func(t, m int) bool) int {
	found := none
	var best [3]int64
	for i, it := range b.items {
		if it.at != from || it.fixed || !may(it.task, to) {
			continue
		}
		value := b.cost(it, to)
		if found == none || slices.Compare(value[:], best[:]) < 0 {
			found, best = i, value
		}
	}
	return found
}

func (b *board) cost(it item, to int) [3]int64 {
	value := [3]int64{0, -b.gain(b.sub(it.task), it.at, to), b.d.lag(to, it.task)}
	if m := b.d.members[it.at]; it.moved == nil && b.d.owner[it.task] == it.at || it.moved != nil && m.standbys[b.d.tasks[it.task].ID] {
		value[0] = 1
	}
	return value
}

func (b *board) move(i, to int) {
	it := &b.items[i]
	b.load[it.at]--
	b.sub(it.task)[it.at]--
	it.at = to
	b.base(it.task, to)
	if it.moved != nil {
		it.moved(to)
	}
}

// spread makes the moves that leave the balance as it is and spread a sub-topology.
func (b *board) spread(may func(t, m int) bool) (changed bool) {
	for i := range b.items {
		it := &b.items[i]
		if it.fixed {
			continue
		}
		for to := range b.load {
			if to != it.at && b.gain(b.load, it.at, to) == 0 && b.gain(b.sub(it.task), it.at, to) > 0 && may(it.task, to) {
				b.move(i, to)
				changed = true
			}
		}
	}
	return changed
}

// swap exchanges items of different sub-topologies where that spreads them.
func (b *board) swap(may func(t, m int) bool) (changed bool) {
	for i := range b.items {
		x := &b.items[i]
		if x.fixed {
			continue
		}
		for j := range b.items {
			y := &b.items[j]
			if y.fixed || x.at == y.at || !b.helps(*x, *y) || !may(x.task, y.at) || !may(y.task, x.at) {
				continue
			}
			from, to := x.at, y.at
			b.move(i, to)
			b.move(j, from)
			changed = true
		}
	}
	return changed
}

func (b *board) helps(x, y item) bool {
	if b.d.tasks[x.task].ID.Sub == b.d.tasks[y.task].ID.Sub {
		return false
	}
	return b.gain(b.sub(x.task), x.at, y.at)+b.gain(b.sub(y.task), y.at, x.at) > 0
}

package assign

import "slices"

// placeStateful finds each stateful task's ideal place, whatever it takes to get there.
func (d *decision) placeStateful() {
	b := newBoard(d)
	var open []int
	for t, task := range d.tasks {
		if !task.Stateful {
			continue
		}
		if m := d.kept(t); m != none {
			b.add(t, m, d.members[m].Away || d.Blind)
		} else {
			open = append(open, t)
		}
	}
	open = slices.DeleteFunc(open, func(t int) bool {
		m := d.best(func(m int) bool { return d.takes(m, t) && d.has(m, t) }, d.lagOf(t), b.loadOf, b.spreadOf(t))
		if m != none {
			b.add(t, m, d.Blind)
		}
		return m != none
	})
	b.addAll(open)
	b.balance(func(t, m int) bool { return d.takes(m, t) })
	b.each(func(t, m int) { d.ideal[t], d.active[t] = m, m })
}

// placeStateless spreads the others over what there is.
func (d *decision) placeStateless() {
	b := newBoard(d)
	for t, task := range d.tasks {
		if task.Stateful && d.ideal[t] != none {
			b.base(t, d.ideal[t])
		}
	}
	var open []int
	for t, task := range d.tasks {
		if task.Stateful {
			continue
		}
		if m := d.kept(t); m != none {
			b.add(t, m, d.members[m].Away)
		} else {
			open = append(open, t)
		}
	}
	b.addAll(open)
	b.balance(func(t, m int) bool { return d.takes(m, t) })
	b.each(func(t, m int) { d.ideal[t], d.active[t] = m, m })
}

// kept is who has the task, or was meant to get it.
func (d *decision) kept(t int) int {
	if d.owner[t] != none {
		return d.owner[t]
	}
	return d.best(func(m int) bool { return d.takes(m, t) && d.members[m].planned[d.tasks[t].ID] }, d.lagOf(t))
}

func (d *decision) lagOf(t int) func(m int) int64 {
	return func(m int) int64 { return d.lag(m, t) }
}

// placeStandbys finds the copies' ideal places, on other processes than the active one's.
func (d *decision) placeStandbys() {
	b := newBoard(d)
	for t, task := range d.tasks {
		if task.Stateful && d.ideal[t] != none {
			b.base(t, d.ideal[t])
		}
	}
	for range d.Standbys {
		for t, task := range d.tasks {
			if task.Stateful && d.ideal[t] != none {
				d.placeStandby(b, t)
			}
		}
	}
	b.balance(func(t, m int) bool { return d.takes(m, t) && !d.hasCopy(t, m) })
}

// placeStandby prefers who follows the task already, then who has some of it.
func (d *decision) placeStandby(b *board, t int) {
	id := d.tasks[t].ID
	rank := func(m int) int64 {
		switch {
		case d.members[m].standbys[id]:
			return 0
		case d.has(m, t):
			return 1
		}
		return 2
	}
	lag := func(m int) int64 {
		if rank(m) == 2 {
			return 0
		}
		return d.lag(m, t)
	}
	m := d.best(func(m int) bool {
		stays := d.members[m].Away && d.members[m].standbys[id]
		return (stays || d.takes(m, t)) && !d.hasCopy(t, m)
	}, rank, lag, b.loadOf, b.spreadOf(t))
	if m == none {
		return
	}
	n := len(d.standby[t])
	d.standby[t] = append(d.standby[t], m)
	b.addCopy(t, m, d.members[m].Away || d.Blind && rank(m) < 2, func(to int) { d.standby[t][n] = to })
}

// hasCopy says that the process of m has a copy of the task, by the ideal.
func (d *decision) hasCopy(t, m int) bool {
	same := func(other int) bool { return d.members[other].Process == d.members[m].Process }
	return same(d.ideal[t]) || slices.ContainsFunc(d.standby[t], same)
}

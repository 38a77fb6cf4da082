package assign

import (
	"cmp"
	"slices"
)

// stayWhereFilled keeps tasks with who has their stores while their ideal place has to
// fill them first, as a warm-up. It returns for how many that is so.
func (d *decision) stayWhereFilled() int {
	var all []int
	for t, task := range d.tasks {
		if task.Stateful && d.ideal[t] != none && !d.isFilled(d.ideal[t], t) && d.substitute(t) != none {
			all = append(all, t)
		}
	}
	// Who has begun to fill goes first.
	slices.SortStableFunc(all, func(x, y int) int {
		return cmp.Or(cmp.Compare(d.rest(x, d.ideal[x]), d.rest(y, d.ideal[y])), cmp.Compare(d.lag(d.ideal[x], x), d.lag(d.ideal[y], y)))
	})
	for _, t := range all {
		d.lend(t)
	}
	return len(all)
}

// rest is 0 where m follows the task already.
func (d *decision) rest(t, m int) int {
	if d.members[m].standbys[d.tasks[t].ID] {
		return 0
	}
	return 1
}

// substitute is who lacks less than the ideal place: one that is filled, else the best. The
// present owner, or who is to have it, comes first, then a standby, then who has least to do.
func (d *decision) substitute(t int) int {
	ideal := d.ideal[t]
	rank := func(m int) int64 {
		switch {
		case d.kept(t) == m:
			return 0
		case slices.Contains(d.standby[t], m):
			return 1
		}
		return 2
	}
	load := d.activeLoad()
	return d.best(func(m int) bool {
		return m != ideal && (d.takes(m, t) || d.owner[t] == m) && d.lag(m, t) < d.lag(ideal, t)
	}, d.need(t), rank, func(m int) int64 { return load[m] })
}

func (d *decision) activeLoad() []int64 {
	load := make([]int64, len(d.members))
	for t, task := range d.tasks {
		if m := d.active[t]; task.Stateful && m != none {
			load[m] += d.members[m].weight
		}
	}
	return load
}

// lend has a substitute run the task. A standby changes places with the ideal one.
func (d *decision) lend(t int) {
	m := d.substitute(t)
	d.active[t] = m
	if i := slices.Index(d.standby[t], m); i >= 0 {
		d.standby[t][i] = d.ideal[t]
		return
	}
	d.warmUp(t, d.ideal[t])
}

// followWhereFilled keeps standbys with who has the stores in the same way.
func (d *decision) followWhereFilled() (moves int) {
	type copyOf struct{ task, n int }
	var all []copyOf
	for t := range d.tasks {
		for n, m := range d.standby[t] {
			if !d.isFilled(m, t) {
				all = append(all, copyOf{t, n})
			}
		}
	}
	rest := func(c copyOf) int { return d.rest(c.task, d.standby[c.task][c.n]) }
	slices.SortStableFunc(all, func(x, y copyOf) int { return cmp.Compare(rest(x), rest(y)) })
	for _, c := range all {
		m := d.standby[c.task][c.n]
		if stays := d.followsBetter(c.task, m); stays != none {
			moves++
			d.standby[c.task][c.n] = stays
			d.warmUp(c.task, m)
		}
	}
	return moves
}

// warmUp as far as there is room for more.
func (d *decision) warmUp(t, m int) {
	if d.warmups > 0 {
		d.warmups--
		d.warm[t] = append(d.warm[t], m)
	}
}

// followsBetter is who lacks less than m and has no copy of the task by now.
func (d *decision) followsBetter(t, m int) int {
	return d.best(func(other int) bool {
		return d.takes(other, t) && d.lag(other, t) < d.lag(m, t) && !slices.Contains(d.copies(t), other)
	}, d.need(t), func(m int) int64 { return int64(d.rest(t, m)) })
}

// need is the same for all who are filled.
func (d *decision) need(t int) func(m int) int64 {
	return func(m int) int64 {
		if d.isFilled(m, t) {
			return running
		}
		return d.lag(m, t)
	}
}

func (d *decision) copies(t int) []int {
	return append(slices.Concat(d.standby[t], d.warm[t]), d.active[t])
}

// separate takes away copies beside another one of the same process.
func (d *decision) separate() {
	for t := range d.tasks {
		if d.active[t] == none {
			continue
		}
		seen := map[string]bool{d.members[d.active[t]].Process: true}
		twice := func(m int) bool {
			was := seen[d.members[m].Process]
			seen[d.members[m].Process] = true
			return was
		}
		d.standby[t] = slices.DeleteFunc(d.standby[t], twice)
		d.warm[t] = slices.DeleteFunc(d.warm[t], twice)
	}
}

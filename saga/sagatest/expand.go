package sagatest

// happening is what leads from one state to the next.
type happening struct {
	do      Do
	entry   entry // of Deliver, Redeliver and Crash
	which   int   // timer, act or request
	outcome *outcome
}

// expander finds what can happen in a state.
type expander[W, S any] struct {
	*system[W, S]
	// free: nothing is bounded, and every message that was handled can come again. So
	// replays run.
	free    bool
	scratch state
	visit   func(next *state, h happening) bool
	stopped bool
}

// expand calls visit for each happening and the state it leads to, until it returns
// false; both are the callee's until it returns. The order is always the same.
func (x *expander[W, S]) expand(st *state) {
	x.stopped = false
	for i := range st.entries {
		if st.head(i) {
			x.deliver(st, i)
		}
	}
	x.fire(st)
	x.request(st)
	x.persons(st)
}

// first is before anything has happened.
func (x *expander[W, S]) first() {
	x.stopped = false
	st := &state{now: epoch.UnixMicro(), instance: notBegun}
	x.each(st, cause{do: Begin, now: st.now}, happening{do: Begin}, func(*state) {})
}

// deliver has the i-th entry handled, once, to come again later, or before a crash.
func (x *expander[W, S]) deliver(st *state, i int) {
	e := st.entries[i]
	inbox, outbox := x.keeps(e.to)
	c := cause{do: Deliver, message: e.message, to: e.to, copy: e.copy, now: st.now}
	if e.to == 0 {
		c.instance = st.instance
	} else {
		c.world = st.world
	}
	h := happening{do: Deliver, entry: e}
	if e.queue == late {
		h.do = Redeliver
	}
	remove := func(next *state) { next.entries = append(next.entries[:i], next.entries[i+1:]...) }
	if !x.free {
		x.each(st, c, h, remove)
	}
	if x.free || !inbox && int(st.spent.duplicates) < x.model.Duplicates {
		x.each(st, c, h, func(next *state) {
			remove(next)
			next.insert(entry{queue: late, message: e.message, to: e.to, copy: e.copy + 1})
			next.spent.duplicates++
		})
	}
	if (x.free || int(st.spent.crashes) < x.model.Crashes) && !(inbox && outbox) {
		h.do = Crash
		x.eachSending(st, c, h, outbox, func(next *state) {
			next.spent.crashes++
			if inbox {
				remove(next)
			} else {
				next.entries[i].copy++ // it comes again before those behind it
			}
		})
	}
}

// keeps says what a receiver remembers.
func (x *expander[W, S]) keeps(to uint8) (inbox, outbox bool) {
	if to == 0 {
		return false, true
	}
	p := &x.model.Participants[to-1]
	return p.Inbox, !p.NoOutbox
}

func (x *expander[W, S]) fire(st *state) {
	bounded := len(st.entries) > 0
	if bounded && !x.free && int(st.spent.timeouts) >= x.model.Timeouts {
		return
	}
	for i, t := range x.instances.values[st.instance].Timers {
		now := max(st.now, t.Due.UnixMicro())
		c := cause{do: Fire, instance: st.instance, which: i, now: now}
		x.each(st, c, happening{do: Fire, which: i}, func(next *state) {
			next.now = now
			if bounded {
				next.spent.timeouts++
			}
		})
	}
}

func (x *expander[W, S]) request(st *state) {
	for i := range x.model.Requests {
		bit := uint64(1) << i
		if st.requests&bit != 0 {
			continue
		}
		c := cause{do: Call, world: st.world, which: i, now: st.now}
		x.each(st, c, happening{do: Call, which: i}, func(next *state) { next.requests |= bit })
	}
}

// persons cancel the saga and act on it.
func (x *expander[W, S]) persons(st *state) {
	if st.instance == notBegun {
		return
	}
	c := cause{do: Cancel, instance: st.instance, now: st.now}
	if x.free || int(st.spent.cancels) < x.model.Cancels {
		x.each(st, c, happening{do: Cancel}, func(next *state) { next.spent.cancels++ })
	}
	if !x.free && int(st.spent.acts) >= x.model.Acts {
		return
	}
	c.do = Operate
	for i := range x.acts(st.instance) {
		c.which = i
		x.each(st, c, happening{do: Operate, which: i}, func(next *state) { next.spent.acts++ })
	}
}

func (x *expander[W, S]) each(st *state, c cause, h happening, change func(next *state)) {
	x.eachSending(st, c, h, true, change)
}

// eachSending visits what follows from each outcome of a cause.
func (x *expander[W, S]) eachSending(st *state, c cause, h happening, sends bool, change func(next *state)) {
	outcomes := x.outcomes(c)
	for i := range outcomes {
		o := &outcomes[i]
		if x.stopped || o.refused() {
			continue
		}
		st.copyInto(&x.scratch)
		change(&x.scratch)
		if c.do == Begin || c.changesWorld() {
			x.scratch.world = o.world
		}
		if c.do == Begin || !c.changesWorld() {
			x.scratch.instance = o.instance
		}
		if sends {
			x.underWay(o.sent)
		}
		h.outcome = o
		x.stopped = !x.visit(&x.scratch, h)
	}
}

func (x *expander[W, S]) underWay(sent []int32) {
	for _, n := range sent {
		m := &x.messages.values[n]
		for k, to := range m.receivers {
			x.scratch.insert(entry{queue: m.queues[k], message: n, to: to})
		}
	}
}

// step is what a happening in st is called in a schedule.
func (x *expander[W, S]) step(st *state, h happening) Step {
	step := Step{Do: h.do, Choices: h.outcome.choices}
	switch h.do {
	case Deliver, Redeliver, Crash:
		step.Message, step.To = x.messages.values[h.entry.message].ID, x.receiver(h.entry.to)
	case Fire:
		t := x.instances.values[st.instance].Timers[h.which]
		step.Timer, step.Step, step.Attempt = t.Kind, t.Step, t.Attempt
	case Operate:
		act := x.acts(st.instance)[h.which]
		step.Act, step.Step = act.Do, act.Step
	case Call:
		step.Request = x.model.Requests[h.which].Name
	}
	return step
}

// quiet says whether nothing more happens by itself.
func (x *expander[W, S]) quiet(st *state) bool {
	if len(x.instances.values[st.instance].Timers) > 0 {
		return false
	}
	for _, e := range st.entries {
		if !x.free || e.queue != late {
			return false
		}
	}
	return true
}

package outbox

// lowWater finds ids at or below which no row can appear any more, so that
// reading begins above them. It assumes nothing about time: what was given out
// before a Horizon was taken is final once the writers seen with it are gone.
type lowWater struct {
	mark  int64 // read above this one
	final int64 // no id up to this one can appear any more
	// asked is the horizon whose writers are waited for.
	asked   Horizon
	waiting bool
}

// observe takes the present horizon.
func (w *lowWater) observe(now Horizon) {
	if now.LastID < w.final {
		*w = lowWater{} // ids began again: somebody set the sequence back
	}
	if w.waiting && now.Settles(w.asked) {
		w.final, w.waiting = max(w.final, w.asked.LastID), false
	}
	switch {
	case len(now.Writers) == 0:
		w.final, w.waiting = now.LastID, false
	case !w.waiting:
		w.asked, w.waiting = now, true
	}
}

// advance moves the mark. oldest is the lowest id still to be published or
// removed, read after observe; ok is false where there is none.
func (w *lowWater) advance(oldest int64, ok bool) {
	to := w.final
	if ok {
		to = min(to, oldest-1)
	}
	w.mark = max(w.mark, to)
}

package run

// Pause stops processing until Resume.
func (r *Runtime) Pause() { r.rest(true) }

// Resume ends Pause.
func (r *Runtime) Resume() { r.rest(false) }

func (r *Runtime) rest(on bool) {
	r.resting.Store(on)
	if !r.isReady() {
		return
	}
	r.reader.rest()
	for _, w := range r.tasks.pool() {
		w.wake()
	}
}

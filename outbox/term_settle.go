package outbox

import (
	"context"
	"errors"
)

// collect takes note of what was settled since, and returns the settler's error.
func (t *term) collect() error {
	for {
		select {
		case n := <-t.settler.done:
			t.forget(n)
			continue
		default:
		}
		select {
		case <-t.settler.gone:
			return t.lastWords()
		default:
			return nil
		}
	}
}

// lastWords are what is left to know of a settler that has returned.
func (t *term) lastWords() error {
	for {
		select {
		case n := <-t.settler.done:
			t.forget(n)
		default:
			return t.settler.err
		}
	}
}

// forget drops the first n things under way: they are settled.
func (t *term) forget(n int) {
	for _, u := range t.underway[:n] {
		switch {
		case u.mark.N == 0:
			t.asideStale = true
		case u.mark.Dead != nil:
			t.count(func(s *Stats) { s.Failed += int64(u.ids.count()) })
			t.asideStale = true
		default:
			t.count(func(s *Stats) { s.Removed += int64(u.ids.count()) })
		}
		t.settled = max(t.settled, u.mark.N)
	}
	t.underway = append([]underway(nil), t.underway[n:]...)
}

// settle hands work to the settler; awaitRoom made room for it.
func (t *term) settle(u underway, s settlement) {
	t.underway = append(t.underway, u)
	t.settler.todo <- s
}

var errSettlerGone = errors.New("outbox: the settler has stopped")

// awaitRoom waits until another thing can be handed to the settler.
func (t *term) awaitRoom(ctx context.Context) error {
	for {
		if err := t.collect(); err != nil {
			return err
		}
		if !t.crowded() {
			return nil
		}
		select {
		case n := <-t.settler.done:
			t.forget(n)
		case <-t.settler.gone:
			if err := t.lastWords(); err != nil {
				return err
			}
			return errSettlerGone
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

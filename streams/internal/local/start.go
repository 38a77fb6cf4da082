package local

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// openGrace is for an opening that failed to come to its end.
const openGrace = 2 * time.Second

// open opens the database. Pebble tries without an end where it cannot write: then
// the attempt is left behind, with its gate shut, so that it does nothing any more.
func (e *engine) open(o *pebble.Options) error {
	opened := make(chan error)
	given := make(chan struct{}) // up
	go func() {
		p, err := openPebble(e.dir, o)
		if err == nil {
			e.db, e.flusher.db = p, p
		}
		select {
		case opened <- err:
		case <-given:
			if err == nil {
				close(e.gate.ended)
				p.Close()
			}
		}
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var since time.Time // the trouble began
	for {
		select {
		case err := <-opened:
			return openFailure(err)
		case <-tick.C:
		}
		why := e.failing()
		switch {
		case why == nil:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > min(e.flusher.patience, openGrace):
			e.gate.shut.Store(true)
			close(given)
			return failure(why)
		}
	}
}

// failing is why the engine does not write at the moment.
func (e *engine) failing() error {
	if why := e.dead.Load(); why != nil {
		return *why
	}
	return e.flusher.trouble()
}

func openPebble(dir string, o *pebble.Options) (p *pebble.DB, err error) {
	defer o.FileCache.Unref() // the database has its own references
	defer o.Cache.Unref()
	scheduler := newCompactions()
	o.Experimental.CompactionScheduler = scheduler
	defer func() {
		if r := recover(); r != nil { // a file that is damaged in a way no checksum showed
			err = fmt.Errorf("%w: %v", ErrCorrupt, r)
		}
	}()
	if p, err = pebble.Open(dir, o); err == nil {
		scheduler.begin()
	}
	return p, err
}
